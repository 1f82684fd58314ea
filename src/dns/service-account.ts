// A short-lived token of a ServiceAccount in the issuer's namespace, for providers that trust the cluster. Called by make-provider.ts.

import { fieldOf, readText } from '../acme/json.ts';
import type { Reply } from '../api/reply.ts';
import type { Session } from '../kube/session.ts';
import { type DnsProblem, failed, said } from './problem.ts';

export interface TokenWish {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly audiences: readonly string[];
}

const lifetimeSeconds = 600;

/** Needs `create` on serviceaccounts/token of that ServiceAccount, which the people of the namespace grant. */
export async function requestToken(
  session: Pick<Session, 'request'>,
  { namespace, serviceAccount, audiences }: TokenWish,
  signal: AbortSignal,
): Promise<Reply<string, DnsProblem>> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(serviceAccount)}/token`;
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences, expirationSeconds: lifetimeSeconds },
  };
  const answer = await session.request<unknown>({ method: 'POST', path, body, signal });
  const whose = `ServiceAccount ${namespace}/${serviceAccount}`;
  if (!answer.ok) {
    const { kind, message } = answer.problem;
    if (kind === 'forbidden') {
      const remedy = `grant this controller create on serviceaccounts/token for it`;
      return failed('refused', `A token of ${whose} may not be requested: ${said(message)}; ${remedy}.`);
    }
    const missing = kind === 'notFound' || kind === 'invalid';
    return failed(missing ? 'misconfigured' : 'unavailable', `No token of ${whose}: ${said(message)}.`);
  }
  const token = readText(fieldOf(fieldOf(answer.value, 'status'), 'token'));
  return token === undefined || token === ''
    ? failed('unavailable', `The API server gives no token of ${whose}.`)
    : { ok: true, value: token };
}
