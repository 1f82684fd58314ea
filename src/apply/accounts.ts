// Keeps one ACME endpoint per directory and one account session per issuer; keys are loaded once, when they are first needed.

import type { KeyObject } from 'node:crypto';
import type { AcmeSession } from '../acme/session.ts';
import { type AcmeEndpoint, openAcme } from '../acme/transport.ts';
import type { Issuer } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import { secrets } from '../api/resources.ts';
import type { Kube } from '../kube/client.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { keyFromPem } from '../pki/keys.ts';
import { decode } from './secret-content.ts';

export type AccountProblem =
  | { readonly kind: 'kube'; readonly problem: KubeProblem }
  /** The account's key is gone or unreadable although the issuer was ready: its reconcile must look again. */
  | { readonly kind: 'key'; readonly message: string };

export interface Accounts extends AsyncDisposable {
  endpoint(issuer: Issuer): AcmeEndpoint;
  /** Reads and parses the account key; `undefined` when the Secret does not exist. */
  readKey(issuer: Issuer, namespace: string): Promise<Reply<KeyObject | undefined, AccountProblem>>;
  session(issuer: Issuer, namespace: string): Promise<Reply<AcmeSession, AccountProblem>>;
  /** The key is gone, or the CA does not know the account: the issuer's reconcile registers anew. */
  lose(issuer: Issuer): void;
  isLost(issuer: Issuer): boolean;
  regain(issuer: Issuer): void;
}

export interface AccountsOptions {
  readonly kube: Kube;
  readonly mayPost: () => boolean;
  readonly proxyUrl: string | undefined;
  readonly onRequest: (request: { readonly action: string; readonly status: number; readonly ms: number }) => void;
}

export function accounts(options: AccountsOptions): Accounts {
  const endpoints = new Map<string, AcmeEndpoint>();
  const sessions = new Map<string, { readonly accountUrl: string; readonly session: AcmeSession }>();
  const lost = new Set<string>();
  const endpoint = (issuer: Issuer): AcmeEndpoint => {
    const { server = '', caBundle, skipTLSVerify } = issuer.spec.acme ?? {};
    const key = JSON.stringify([server, caBundle, skipTLSVerify]);
    const known = endpoints.get(key);
    if (known !== undefined) return known;
    const opened = openAcme({
      directoryUrl: server,
      ...(caBundle !== undefined && { caBundle: Buffer.from(caBundle, 'base64').toString('utf8') }),
      skipTlsVerify: skipTLSVerify === true,
      userAgent: 'certway',
      maxInFlight: 8,
      mayPost: options.mayPost,
      ...(options.proxyUrl !== undefined && { proxyUrl: options.proxyUrl }),
      onRequest: options.onRequest,
    });
    endpoints.set(key, opened);
    return opened;
  };
  const readKey = async (issuer: Issuer, namespace: string): Promise<Reply<KeyObject | undefined, AccountProblem>> => {
    const { name = '', key = 'tls.key' } = issuer.spec.acme?.privateKeySecretRef ?? {};
    const read = await options.kube.get(secrets, { namespace, name });
    if (!read.ok) {
      return read.problem.kind === 'notFound'
        ? { ok: true, value: undefined }
        : { ok: false, problem: { kind: 'kube', problem: read.problem } };
    }
    const parsed = keyFromPem(decode(read.value, key));
    if (parsed.ok) return { ok: true, value: parsed.value };
    const message = `Secret "${namespace}/${name}" holds no private key under "${key}".`;
    return { ok: false, problem: { kind: 'key', message } };
  };
  const session = async (issuer: Issuer, namespace: string): Promise<Reply<AcmeSession, AccountProblem>> => {
    const uid = issuer.metadata.uid ?? '';
    const accountUrl = issuer.status?.acme?.uri ?? '';
    const known = sessions.get(uid);
    if (known !== undefined && known.accountUrl === accountUrl) return { ok: true, value: known.session };
    const key = await readKey(issuer, namespace);
    if (!key.ok) return key;
    if (key.value === undefined || accountUrl === '') {
      return { ok: false, problem: { kind: 'key', message: 'The account key is gone.' } };
    }
    const opened: AcmeSession = { endpoint: endpoint(issuer), accountUrl, key: key.value };
    sessions.set(uid, { accountUrl, session: opened });
    return { ok: true, value: opened };
  };
  return {
    endpoint,
    readKey,
    session,
    lose: (issuer) => {
      sessions.delete(issuer.metadata.uid ?? '');
      lost.add(issuer.metadata.uid ?? '');
    },
    isLost: (issuer) => lost.has(issuer.metadata.uid ?? ''),
    regain: (issuer) => {
      // A new account may come with a new key under the old address.
      sessions.delete(issuer.metadata.uid ?? '');
      lost.delete(issuer.metadata.uid ?? '');
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...endpoints.values()].map((each) => each[Symbol.asyncDispose]()));
    },
  };
}
