// How a token is got from each of Vault's auth methods. The token stays in memory, with the moment until which it may be used again.
// Called by apply/vault-session.ts, once per lease.

import { fieldOf, parseJson, readText } from '../acme/json.ts';
import type { Reply } from '../api/reply.ts';
import { type ClientIdentity, openVault, type VaultHttp } from './http.ts';
import { loginPath } from './paths.ts';
import { fail, type VaultProblem } from './problem.ts';

export type Login =
  | { readonly kind: 'appRole'; readonly mount: string; readonly roleId: string; readonly secretId: string }
  | { readonly kind: 'kubernetes'; readonly mount: string; readonly role: string; readonly jwt: string }
  /** Without `identity` the connection's own client certificate logs in. */
  | {
      readonly kind: 'clientCertificate';
      readonly mount: string;
      readonly name: string;
      readonly identity?: ClientIdentity;
    };

export interface Token {
  readonly value: string;
  /** Epoch ms; it is used again before then. `now` itself where the token dies of its first use. */
  readonly until: number;
}

/** A refusal is `denied`: the login is at fault, and no request that waits for it. */
export async function logIn(http: VaultHttp, login: Login, now: number): Promise<Reply<Token, VaultProblem>> {
  const path = loginPath(login.mount);
  const { identity } = login.kind === 'clientCertificate' ? login : { identity: undefined };
  // The certificate that logs in is shown in this one exchange and in no other.
  const own = identity === undefined ? undefined : openVault({ ...http.connection, identity }, http.options);
  const request = { method: 'POST', path, body: bodyOf(login), secrets: secretsOf(login) } as const;
  const reply = await (own ?? http).ask('login', request);
  await own?.[Symbol.asyncDispose]();
  if (reply.ok) return readToken(parseJson(reply.value.body), path, now);
  const { problem } = reply;
  return problem.kind === 'refused' || problem.kind === 'denied'
    ? fail('denied', `Vault refuses the login at ${path}: ${problem.detail}`)
    : reply;
}

function bodyOf(login: Login): Readonly<Record<string, string>> {
  switch (login.kind) {
    case 'appRole':
      return { role_id: login.roleId, secret_id: login.secretId };
    case 'kubernetes':
      return { role: login.role, jwt: login.jwt };
    case 'clientCertificate':
      return { name: login.name };
    default:
      return login satisfies never;
  }
}

function secretsOf(login: Login): readonly string[] {
  switch (login.kind) {
    case 'appRole':
      return [login.secretId];
    case 'kubernetes':
      return [login.jwt];
    case 'clientCertificate':
      return [];
    default:
      return login satisfies never;
  }
}

function readToken(body: unknown, path: string, now: number): Reply<Token, VaultProblem> {
  const auth = fieldOf(body, 'auth');
  const value = readText(fieldOf(auth, 'client_token')) ?? '';
  if (value === '' && fieldOf(auth, 'mfa_requirement')) {
    return fail('denied', `The login at ${path} asks for a second factor; use an auth method without one.`);
  }
  if (!isToken(value)) return fail('malformed', `The login at ${path} gave no token.`);
  const lease = fieldOf(auth, 'lease_duration');
  const uses = fieldOf(auth, 'num_uses');
  return { ok: true, value: { value, until: uses === undefined || uses === 0 ? untilOf(lease, now) : now } };
}

/** Nine tenths of the lease, in seconds as Vault counts it; 0 is a token without end. */
function untilOf(lease: unknown, now: number): number {
  if (lease === 0) return Number.POSITIVE_INFINITY;
  return typeof lease === 'number' && lease > 0 ? now + lease * 900 : now;
}

/** What can stand in a header. */
export function isToken(value: string): boolean {
  return /^[\x21-\x7e]{1,8192}$/.test(value);
}
