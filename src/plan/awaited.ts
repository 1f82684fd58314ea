// Whom the request of a Certificate waits for when Certway has done its part: an approver, or the controller of another group. Called by certificate.ts.

import { fullRef } from '../api/issuer-ref.ts';
import type { Stage } from './assess.ts';
import { conditionOf } from './conditions.ts';
import { failureOf, isIssued } from './request-end.ts';
import type { CertificateSeen } from './seen.ts';

/** Another approver than ours has not spoken yet. */
export function awaitedApproval({ request }: CertificateSeen): Stage | undefined {
  if (request === undefined || !request.matchesSpec) return undefined;
  const { object, approval } = request;
  const isOpen = approval.kind === 'open' && approval.approver === 'theirs';
  if (!isOpen || isIssued(object) || failureOf(object) !== undefined) return undefined;
  const message = `CertificateRequest "${object.metadata.name}" waits for somebody to approve it.`;
  return { kind: 'blocked', reason: 'AwaitingApproval', message };
}

/** It takes its time, and what it says of the request is what the Certificate waits for. */
export function awaitedIssuer({ issuer, request, certificate }: CertificateSeen): Stage | undefined {
  if (issuer.kind !== 'external' || request === undefined) return undefined;
  const { kind, name, group } = fullRef(certificate.spec.issuerRef);
  const said = conditionOf(request.object.status?.conditions, 'Ready')?.message ?? '';
  const waits = `CertificateRequest "${request.object.metadata.name}" waits for ${kind}.${group} "${name}"`;
  return { kind: 'blocked', reason: 'AwaitingIssuer', message: said === '' ? `${waits}.` : `${waits}: ${said}` };
}
