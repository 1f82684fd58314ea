// An etcd and an API server of a test's own, which it may kill and start again: nobody else's tests run on them. Made of the rig's parts.

import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildParts } from '../rig/build.ts';
import { createAuthority } from '../rig/certificates.ts';
import { get } from '../rig/https.ts';
import { writeKubeconfig } from '../rig/kubeconfig.ts';
import { startPart } from '../rig/part.ts';
import { freePort } from '../rig/ports.ts';
import { startTether } from '../rig/tether.ts';

export interface OwnPlane extends AsyncDisposable {
  /** Of the group system:masters. */
  readonly kubeconfig: string;
  /** Of a user that has no rights but those a test gives it. */
  readonly userKubeconfig: string;
  /** SIGKILL; resolves when the API server is gone. */
  killApiServer(): Promise<void>;
  /** On the same port and the same etcd; resolves when it is ready. */
  startApiServer(): Promise<void>;
}

export async function ownPlane(): Promise<OwnPlane> {
  const parts = await buildParts(() => undefined);
  const dir = await mkdtemp(join(tmpdir(), 'certway-plane-'));
  const tether = await startTether(dir);
  const authority = await createAuthority(dir);
  const server = await authority.server('apiserver');
  const admin = await authority.client('admin', 'admin', 'system:masters');
  const user = await authority.client('user', 'someone');
  const socket = `unix://${join(dir, 'etcd.sock')}`;
  await startPart(tether, async () => ({
    command: {
      argv: [
        parts.etcd,
        `--data-dir=${join(dir, 'etcd')}`,
        `--listen-client-urls=${socket}`,
        '--advertise-client-urls=http://127.0.0.1:1',
        '--listen-peer-urls=http://127.0.0.1:0',
        '--unsafe-no-fsync',
        '--log-level=warn',
      ],
      logFile: join(dir, 'etcd.log'),
    },
    readiness: { name: 'etcd', deadlineMs: 30_000, probe: async () => true },
  }));
  const tokenKey = join(dir, 'service-account.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(tokenKey, privateKey.export({ type: 'sec1', format: 'pem' }));
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const argv = [
    parts.kubeApiserver,
    `--etcd-servers=${socket}`,
    '--bind-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    `--secure-port=${port}`,
    `--tls-cert-file=${server.certificate}`,
    `--tls-private-key-file=${server.key}`,
    `--client-ca-file=${authority.caFile}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${tokenKey}`,
    `--service-account-signing-key-file=${tokenKey}`,
    '--profiling=false',
  ];
  const start = () =>
    startPart(tether, async () => ({
      command: { argv, logFile: join(dir, 'kube-apiserver.log') },
      readiness: {
        name: 'kube-apiserver',
        deadlineMs: 90_000,
        probe: async () => (await get(`${url}/readyz`, { caPem: authority.caPem, client: admin })).status === 200,
      },
    }));
  let running = await start();
  const access = { url, caFile: authority.caFile };
  return {
    kubeconfig: await writeKubeconfig(join(dir, 'admin.kubeconfig'), access, { kind: 'certificate', files: admin }),
    userKubeconfig: await writeKubeconfig(join(dir, 'user.kubeconfig'), access, { kind: 'certificate', files: user }),
    killApiServer: async () => {
      process.kill(running.part.pid, 'SIGKILL');
      await running.part.exited;
    },
    startApiServer: async () => {
      running = await start();
    },
    [Symbol.asyncDispose]: () => tether[Symbol.asyncDispose](),
  };
}
