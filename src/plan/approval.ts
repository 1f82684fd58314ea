// Whether a CertificateRequest may be signed: what approvers have said, and whether Certway speaks for them. Called by certificate.ts and request.ts.

import type { CertificateRequest } from '../api/certmanager.ts';
import { conditionOf } from './conditions.ts';

export type Approval =
  | { readonly kind: 'approved' }
  | { readonly kind: 'denied'; readonly message: string }
  /** Nobody has spoken yet. `ours`: Certway approves what it is allowed to; `theirs`: nothing is signed before somebody has. */
  | { readonly kind: 'open'; readonly approver: 'ours' | 'theirs' };

/** `denied` wins over `approved`: a request that carries both was tampered with. */
export function approvalOf(request: CertificateRequest, approver: 'ours' | 'theirs'): Approval {
  const { conditions } = request.status ?? {};
  const denied = conditionOf(conditions, 'Denied');
  if (denied?.status === 'True') return { kind: 'denied', message: denied.message ?? 'The request was denied.' };
  return conditionOf(conditions, 'Approved')?.status === 'True' ? { kind: 'approved' } : { kind: 'open', approver };
}
