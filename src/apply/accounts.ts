// Keeps one ACME endpoint per directory and one account session per issuer; keys are loaded once, when they are first needed.

import { type Proxies, proxyFor } from '../acme/proxy.ts';
import type { AcmeSession } from '../acme/session.ts';
import { type AcmeEndpoint, openAcme } from '../acme/transport.ts';
import type { Issuer } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import type { Kube } from '../kube/client.ts';
import { type KeyProblem, keyPlace, readKeySecret } from './account-key.ts';
import { accountTraffic, type Traffic } from './account-traffic.ts';

/** `key`: gone, unreadable or another than the registered one although the issuer was ready: its reconcile must look again. */
export type AccountProblem = KeyProblem;

export interface Accounts extends AsyncDisposable {
  endpoint(issuer: Issuer): AcmeEndpoint;
  session(issuer: Issuer, namespace: string): Promise<Reply<AcmeSession, AccountProblem>>;
  /** The key is gone, or the CA refuses the account: the issuer's reconcile asks the CA again. */
  lose(issuer: Issuer): void;
  isLost(issuer: Issuer): boolean;
  /** The CA has confirmed the account. */
  regain(issuer: Issuer): void;
  /** When it last did so in this process, epoch ms. */
  vouchedAt(issuer: Issuer): number | undefined;
  /** The key in the Secret is in use although a next one stands beside it. */
  trust(account: string): void;
  /** The account has a new key: no session with the old one is used any more, and those with the new one from `at` (epoch ms) on. */
  renew(account: string, at: number): void;
  readonly traffic: Pick<Traffic, 'pause' | 'underWay' | 'settle'>;
}

/**
 * An account as this process knows it. A URL alone would not do: any CA may state the URL of another's account, and who registers there must not
 * stop the traffic of somebody else. Issuers that share a key at one CA share the account, whatever they trust.
 */
export function accountId(issuer: Issuer, namespace: string): string {
  const { name, entry } = keyPlace(issuer);
  return JSON.stringify([issuer.spec.acme?.server, namespace, name, entry, issuer.status?.acme?.uri]);
}

export interface AccountsOptions {
  readonly kube: Kube;
  readonly mayPost: () => boolean;
  readonly proxies: Proxies | undefined;
  readonly onRequest: (request: { readonly action: string; readonly status: number; readonly ms: number }) => void;
  readonly now?: () => number;
}

interface Known {
  readonly account: string;
  readonly keyHash: string | undefined;
  readonly endpoint: AcmeEndpoint;
  readonly session: AcmeSession;
}

export function accounts(options: AccountsOptions): Accounts {
  const now = options.now ?? Date.now;
  const traffic = accountTraffic(now);
  const endpoints = new Map<string, AcmeEndpoint>();
  const sessions = new Map<string, Known>();
  const lost = new Set<string>();
  const vouched = new Map<string, number>();
  const trusted = new Set<string>();
  const endpoint = (issuer: Issuer): AcmeEndpoint => {
    const key = endpointKey(issuer);
    const opened = endpoints.get(key) ?? openAcme(endpointOptions(issuer, options));
    endpoints.set(key, opened);
    return opened;
  };
  const session = async (issuer: Issuer, namespace: string): Promise<Reply<AcmeSession, AccountProblem>> => {
    const { uri: accountUrl = '', lastPrivateKeyHash: keyHash } = issuer.status?.acme ?? {};
    const at = endpoint(issuer);
    const account = accountId(issuer, namespace);
    const known = sessions.get(uidOf(issuer));
    if (known?.account === account && known.keyHash === keyHash && known.endpoint === at) {
      return { ok: true, value: known.session };
    }
    const read = await readKeySecret(options.kube, issuer, namespace);
    if (!read.ok) return read;
    if (read.value === undefined || accountUrl === '') return unusable('The account key is gone.');
    const { current, next } = read.value;
    if (next !== undefined && !trusted.has(account)) return unusable('The account’s key is being changed.');
    if (keyHash !== undefined && keyHash !== current.hash) return unusable('The account has another key now.');
    const opened: AcmeSession = { endpoint: traffic.guard(at, account), accountUrl, key: current.key };
    sessions.set(uidOf(issuer), { account, keyHash, endpoint: at, session: opened });
    return { ok: true, value: opened };
  };
  return {
    endpoint,
    session,
    traffic,
    lose: (issuer) => {
      sessions.delete(uidOf(issuer));
      vouched.delete(uidOf(issuer));
      lost.add(uidOf(issuer));
    },
    isLost: (issuer) => lost.has(uidOf(issuer)),
    regain: (issuer) => {
      // A new account may come with a new key under the old address.
      sessions.delete(uidOf(issuer));
      vouched.set(uidOf(issuer), now());
      lost.delete(uidOf(issuer));
    },
    vouchedAt: (issuer) => vouched.get(uidOf(issuer)),
    trust: (account) => void trusted.add(account),
    renew: (account, at) => {
      trusted.delete(account);
      traffic.resume(account, at);
      for (const [uid, known] of sessions) if (known.account === account) sessions.delete(uid);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...endpoints.values()].map((each) => each[Symbol.asyncDispose]()));
    },
  };
}

function uidOf(issuer: Issuer): string {
  return issuer.metadata.uid ?? '';
}

/** Issuers of one directory that trust the same share sockets and nonces. */
function endpointKey(issuer: Issuer): string {
  const { server, caBundle, skipTLSVerify } = issuer.spec.acme ?? {};
  return JSON.stringify([server, caBundle, skipTLSVerify]);
}

function endpointOptions(issuer: Issuer, { mayPost, proxies, onRequest, now }: AccountsOptions) {
  const { server = '', caBundle, skipTLSVerify } = issuer.spec.acme ?? {};
  const proxyUrl = proxyFor(server, proxies);
  return {
    directoryUrl: server,
    ...(caBundle !== undefined && { caBundle: Buffer.from(caBundle, 'base64').toString('utf8') }),
    skipTlsVerify: skipTLSVerify === true,
    userAgent: 'certway',
    maxInFlight: 8,
    mayPost,
    ...(proxyUrl !== undefined && { proxyUrl }),
    onRequest,
    ...(now !== undefined && { now }),
  };
}

function unusable(message: string): { readonly ok: false; readonly problem: AccountProblem } {
  return { ok: false, problem: { kind: 'key', message } };
}
