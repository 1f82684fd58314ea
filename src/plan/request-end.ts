// How a CertificateRequest ends, in cert-manager's words: issued, or come to nothing and since when. Called by the plans of Certificates and of requests.

import type { CertificateRequest } from '../api/certmanager.ts';
import { conditionOf } from './conditions.ts';

export function isIssued({ status }: CertificateRequest): boolean {
  return status?.certificate !== undefined && conditionOf(status.conditions, 'Ready')?.status === 'True';
}

export interface RequestFailure {
  readonly message: string;
  /** RFC 3339. */
  readonly at: string;
}

/** Final: nothing more comes of a request that is Failed, Denied or called invalid. */
export function failureOf({ status, metadata }: CertificateRequest): RequestFailure | undefined {
  const ready = conditionOf(status?.conditions, 'Ready');
  const invalid = conditionOf(status?.conditions, 'InvalidRequest');
  const isOver = ready?.status === 'False' && (ready.reason === 'Failed' || ready.reason === 'Denied');
  const condition = isOver ? ready : invalid?.status === 'True' ? invalid : undefined;
  if (condition === undefined) return undefined;
  // Other issuers may forget the time of the failure, and even that of the condition.
  const at = status?.failureTime ?? condition.lastTransitionTime ?? metadata.creationTimestamp ?? epoch;
  return { message: condition.message ?? 'The request was refused.', at };
}

const epoch = '1970-01-01T00:00:00Z';
