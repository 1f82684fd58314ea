// One Vault issuer at work: its connection, its token until the lease is nearly over, and how it is verified and signs.
// Opened by vault.ts whenever the issuer's spec or one of its Secrets is new. Tokens live here and nowhere else.

import type { Issuer } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import type { VaultIssuer } from '../api/vault-issuer.ts';
import type { RequestToken } from '../kube/token-request.ts';
import type { Chain } from '../vault/chain.ts';
import { askHealth } from '../vault/health.ts';
import { openVault, type VaultHttp, type VaultHttpOptions } from '../vault/http.ts';
import { logIn, type Token } from '../vault/login.ts';
import type { VaultProblem } from '../vault/problem.ts';
import { askSignature, type SignWish } from '../vault/sign.ts';
import { checkPolicy, checkToken } from '../vault/token.ts';
import { secretNamespace } from './issuer-of.ts';
import type { Ports } from './ports.ts';
import { type Credentials, credentialsOf } from './vault-login.ts';
import { connectionOf, entryReader, type Unreadable } from './vault-material.ts';

export interface VaultSession extends AsyncDisposable {
  /** Up, logged in, and allowed to sign. */
  verify(now: number): Promise<Reply<undefined, VaultProblem>>;
  sign(wish: Omit<SignWish, 'path'>, now: number): Promise<Reply<Chain, VaultProblem>>;
}

export interface VaultSessionOptions extends VaultHttpOptions {
  readonly requestToken: RequestToken;
}

type SessionPorts = Pick<Ports, 'kube' | 'settings'>;

/** Reads the issuer's Secrets and asks nothing of Vault yet. The spec must have passed vaultMistake. */
export async function openSession(
  ports: SessionPorts,
  issuer: Issuer,
  vault: VaultIssuer,
  options: VaultSessionOptions,
): Promise<Reply<VaultSession, Unreadable>> {
  const read = entryReader(ports, issuer);
  const connection = await connectionOf(vault, read);
  if (!connection.ok) return connection;
  const namespace = secretNamespace(ports, issuer);
  const { requestToken } = options;
  const credentials = await credentialsOf({ issuer, vault, namespace, read, requestToken });
  if (!credentials.ok) return credentials;
  const http = openVault(connection.value, options);
  return { ok: true, value: sessionOf(http, credentials.value, vault.path) };
}

function sessionOf(http: VaultHttp, credentials: Credentials, path: string): VaultSession {
  const tokens = tokenKeeper(http, credentials);
  return {
    verify: async (now) => {
      const up = await askHealth(http);
      if (!up.ok) return up;
      const token = await tokens.take(now);
      if (!token.ok) return token;
      const known = credentials.kind === 'token' ? await checkToken(http, token.value) : up;
      return known.ok
        ? tokenSaid(credentials, await checkPolicy(http, token.value, path))
        : tokenSaid(credentials, known);
    },
    sign: async (wish, now) => {
      const token = await tokens.take(now);
      if (!token.ok) return token;
      const signed = await askSignature(http, token.value, { ...wish, path });
      if (signed.ok || signed.problem.kind !== 'denied' || credentials.kind === 'token') return signed;
      // Somebody may have revoked the token before its lease was over, or changed its role's policies: once more with a new one.
      tokens.drop(token.value);
      const fresh = await tokens.take(now);
      return fresh.ok ? askSignature(http, fresh.value, { ...wish, path }) : fresh;
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

interface TokenKeeper {
  take(now: number): Promise<Reply<string, VaultProblem>>;
  drop(token: string): void;
}

/** However many requests want a token at once, there is one login. */
function tokenKeeper(http: VaultHttp, credentials: Credentials): TokenKeeper {
  let held: Token | undefined;
  let coming: Promise<Reply<Token, VaultProblem>> | undefined;
  return {
    take: async (now) => {
      if (credentials.kind === 'token') return { ok: true, value: credentials.value };
      if (held !== undefined && now < held.until) return { ok: true, value: held.value };
      coming ??= login(http, credentials.prepare, now).finally(() => {
        coming = undefined;
      });
      const token = await coming;
      if (!token.ok) return token;
      held = token.value;
      return { ok: true, value: token.value.value };
    },
    drop: (token) => {
      if (held?.value === token) held = undefined;
    },
  };
}

async function login(
  http: VaultHttp,
  prepare: Extract<Credentials, { kind: 'login' }>['prepare'],
  now: number,
): Promise<Reply<Token, VaultProblem>> {
  const prepared = await prepare();
  return prepared.ok
    ? logIn(http, prepared.value, now)
    : { ok: false, problem: { kind: 'unready', detail: prepared.problem.message } };
}

/** A token that people made is theirs to renew: say where it stands. */
function tokenSaid(credentials: Credentials, reply: Reply<undefined, VaultProblem>): Reply<undefined, VaultProblem> {
  if (reply.ok || reply.problem.kind !== 'denied' || credentials.kind !== 'token') return reply;
  const detail = `${reply.problem.detail} The token stands in Secret "${credentials.secret}".`;
  return { ok: false, problem: { kind: 'denied', detail } };
}
