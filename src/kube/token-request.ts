// Short-lived tokens of a ServiceAccount (the TokenRequest API), which outside systems such as Vault check with the API server.
// Called by apply/ with the audiences that the token is for. The token is a value, never logged.

import type { Reply } from '../api/reply.ts';
import { type KubeProblem, unavailable } from './problem.ts';
import type { Session } from './session.ts';

export interface TokenWish {
  readonly namespace: string;
  /** The ServiceAccount. */
  readonly name: string;
  readonly audiences: readonly string[];
}

export type RequestToken = (wish: TokenWish) => Promise<Reply<string, KubeProblem>>;

// The shortest that the API server grants: the token is used once, at once.
const expirationSeconds = 600;

export function tokenRequests(session: Session): RequestToken {
  return async ({ namespace, name, audiences }) => {
    const account = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}`;
    const answer = await session.request<{ readonly status?: { readonly token?: unknown } }>({
      method: 'POST',
      path: `${account}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: { name, namespace },
        spec: { audiences, expirationSeconds },
      },
    });
    if (!answer.ok) return answer;
    const token = answer.value?.status?.token;
    return typeof token === 'string' && token !== ''
      ? { ok: true, value: token }
      : { ok: false, problem: unavailable(`the API server gave no token of ServiceAccount ${namespace}/${name}`) };
  };
}
