// What a story needs to be told: kubectl as a user has it, names on the Internet, requests and handshakes through a Gateway's address. Called
// by the stories alone.

import { type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { connect, type PeerCertificate } from 'node:tls';
import { inject } from 'vitest';
import { remoteDns } from '../test/rig/dns/control.ts';
import { kubectlFor } from '../test/rig/kubectl.ts';
import { until } from '../test/rig/wait.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

const patienceMs = 5_000;

export const kubectl = kubectlFor({ kubectl: inject('kubectl'), kubeconfig: inject('kubeconfig') });
export const dns = remoteDns(inject('dnsControl'));

/** GET over a connection of its own, as `curl -H "Host: …" http://address:port/path` asks. */
export function curl(address: string, port: number, host: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port, path, headers: { host }, agent: false, timeout: patienceMs };
    const asking = request(options, (response) => {
      const { statusCode = 0, headers } = response;
      text(response).then((body) => resolve({ status: statusCode, headers, body }), reject);
    });
    asking.on('timeout', () => asking.destroy(new Error('no answer in time'))).on('error', reject);
    asking.end();
  });
}

/** The certificate that the server shows for a name, when it leads to one of the roots; rejects in every other case. */
export function handshake(address: string, port: number, servername: string, roots: string): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, servername, ca: roots, timeout: patienceMs }, () => {
      const certificate = socket.getPeerCertificate();
      socket.destroy();
      resolve(certificate);
    });
    socket.on('timeout', () => socket.destroy(new Error('no handshake in time'))).on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed before the handshake')));
  });
}

interface Conditioned {
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly addresses?: readonly { readonly value: string }[];
  };
}

/** Resolves with the Gateway's first address when it is Programmed. */
export function programmed(namespace: string, name: string, deadlineMs = 30_000): Promise<string> {
  return until(
    `Gateway ${namespace}/${name} to be Programmed`,
    async () => {
      const { status } = await kubectl.get<Conditioned>('gateway', name, '-n', namespace);
      const is = status?.conditions?.some((one) => one.type === 'Programmed' && one.status === 'True');
      if (is !== true) throw new Error(JSON.stringify(status?.conditions));
      return status?.addresses?.[0]?.value;
    },
    { deadlineMs },
  );
}

/** Resolves when the answer through the Gateway has this status. */
export function answered(address: string, port: number, host: string, path: string, status: number): Promise<Answer> {
  return until(`${status} from http://${host}:${port}${path}`, async () => {
    const answer = await curl(address, port, host, path);
    if (answer.status !== status) throw new Error(`${answer.status} ${answer.body.slice(0, 200)}`);
    return answer;
  });
}
