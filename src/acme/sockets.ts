// The sockets to one ACME server: which roots are trusted, through which proxy, how many at once. Made by transport.ts, one per endpoint.

import type { Dispatcher } from 'undici';
import Agent from 'undici/lib/dispatcher/agent.js';
import type { Reply } from '../api/reply.ts';
import { openCertificate, splitPem } from '../pki/certificate.ts';
import { type AcmeProblem, notSent } from './problem.ts';

export interface SocketOptions {
  /** PEM. When given it replaces the system's roots, as in cert-manager. */
  readonly caBundle?: string;
  readonly skipTlsVerify: boolean;
  readonly maxInFlight: number;
  readonly proxyUrl?: string;
}

// Below the shortest idle time of the load balancers that CAs stand behind, so that we are the ones to close.
const idleSocketMs = 15_000;
const connectMs = 10_000;

/** Opens no socket yet. A bundle without a readable certificate would trust nobody, which is told here instead of at each handshake. */
export async function openSockets(options: SocketOptions): Promise<Reply<Dispatcher, AcmeProblem>> {
  const { caBundle, skipTlsVerify, maxInFlight, proxyUrl } = options;
  const roots =
    caBundle === undefined ? undefined : splitPem(caBundle).filter((pem) => openCertificate(pem) !== undefined);
  if (roots?.length === 0) return notSent('The issuer’s caBundle holds no PEM certificate.');
  const tls = {
    rejectUnauthorized: !skipTlsVerify,
    timeout: connectMs,
    allowH2: false,
    ...(roots !== undefined && { ca: [...roots] }),
  };
  const shared = {
    allowH2: false,
    connections: maxInFlight,
    keepAliveTimeout: idleSocketMs,
    keepAliveMaxTimeout: idleSocketMs,
  };
  if (proxyUrl === undefined) return { ok: true, value: new Agent({ ...shared, connect: tls }) };
  // Its tunnels need what only undici's index sets up.
  const { ProxyAgent } = await import('undici');
  return { ok: true, value: new ProxyAgent({ ...shared, uri: proxyUrl, requestTls: tls }) };
}
