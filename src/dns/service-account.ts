// A short-lived token of a ServiceAccount in the issuer's namespace, for providers that trust the cluster. Called by make-provider.ts.

import type { Reply } from '../api/reply.ts';
import type { RequestToken, TokenWish } from '../kube/token-request.ts';
import { type DnsProblem, failed, said } from './problem.ts';

/** Needs `create` on serviceaccounts/token of that ServiceAccount, which the people of the namespace grant. */
export async function accountToken(request: RequestToken, wish: TokenWish): Promise<Reply<string, DnsProblem>> {
  const answer = await request(wish);
  if (answer.ok) return answer;
  const { kind, message } = answer.problem;
  const whose = `ServiceAccount ${wish.namespace}/${wish.name}`;
  if (kind === 'forbidden') {
    const remedy = 'grant this controller create on serviceaccounts/token for it';
    return failed('refused', `A token of ${whose} may not be requested: ${said(message)}; ${remedy}.`);
  }
  const missing = kind === 'notFound' || kind === 'invalid';
  return failed(missing ? 'misconfigured' : 'unavailable', `No token of ${whose}: ${said(message)}.`);
}
