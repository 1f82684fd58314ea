// Revoking a certificate (RFC 8555 §7.6), in the name of the account that ordered it or with the certificate's own key. Called by
// apply/perform-revoke.ts.

import type { KeyObject, X509Certificate } from 'node:crypto';
import type { Reply } from '../api/reply.ts';
import { type RevocationReason, revocationCodes } from '../api/revocation.ts';
import { postTo } from './at-directory.ts';
import type { AcmeProblem } from './problem.ts';
import type { AcmeSession } from './session.ts';
import type { AcmeEndpoint } from './transport.ts';

/** Who asks. The certificate's key needs no account, and proves a compromise; Boulder takes it for keyCompromise alone. */
export type Revoker =
  | { readonly kind: 'account'; readonly session: AcmeSession }
  | { readonly kind: 'certificate'; readonly endpoint: AcmeEndpoint; readonly key: KeyObject };

/** `already`: it was revoked before, which is as good. */
export async function revoke(
  revoker: Revoker,
  certificate: X509Certificate,
  reason: RevocationReason,
  signal?: AbortSignal,
): Promise<Reply<'revoked' | 'already', AcmeProblem>> {
  // RFC 5280 §5.3.1: no reason at all instead of `unspecified`.
  const stated = reason === 'unspecified' ? {} : { reason: revocationCodes[reason] };
  const payload = { certificate: certificate.raw.toString('base64url'), ...stated };
  const draft = () => ({
    ...signer(revoker),
    payload,
    accepts: 'nothing' as const,
    read: () => ({ ok: true, value: 'revoked' }) as const,
  });
  const endpoint = revoker.kind === 'account' ? revoker.session.endpoint : revoker.endpoint;
  const reply = await postTo(endpoint, 'revokeCert', draft, signal);
  if (reply.ok) return { ok: true, value: reply.value.resource };
  const isRevoked = reply.problem.kind === 'refused' && reply.problem.type === 'alreadyRevoked';
  return isRevoked ? { ok: true, value: 'already' } : reply;
}

function signer(revoker: Revoker) {
  if (revoker.kind === 'certificate') return { key: revoker.key };
  const { key, accountUrl } = revoker.session;
  return { key, accountUrl };
}
