// etcd, kube-apiserver and kube-controller-manager of one world. etcd listens on a socket in the world's directory; the API
// server has TLS, RBAC, ServiceAccount tokens, OwnerReferencesPermissionEnforcement and an audit log, as a real one would.

import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Parts } from './build.ts';
import type { Authority, Files } from './certificates.ts';
import { get } from './https.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { startPart } from './part.ts';
import { freePort } from './ports.ts';
import type { Tether } from './tether.ts';

export interface ControlPlane {
  readonly apiUrl: string;
  readonly apiCaFile: string;
  readonly kubeconfig: string;
  readonly auditLog: string;
  /** Starts kube-controller-manager and resolves when it is healthy. */
  startControllerManager(): Promise<void>;
}

export interface Site {
  readonly dir: string;
  readonly parts: Parts;
  readonly authority: Authority;
  readonly tether: Tether;
}

const readyMs = 60_000;
const issuerUrl = 'https://kubernetes.default.svc';

// Metadata of every request, once, when it is over: what the write-budget tests count.
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted', 'Panic'],
  rules: [{ level: 'Metadata' }],
};

/** Starts etcd and the API server; resolves when /readyz is 200. */
export async function startControlPlane(site: Site): Promise<ControlPlane> {
  const { dir, authority, tether } = site;
  const tokenKey = join(dir, 'service-account.key');
  const policyFile = join(dir, 'audit-policy.json');
  const auditLog = join(dir, 'audit.log');
  const [server, admin] = await Promise.all([
    authority.server('apiserver'),
    authority.client('admin', 'certway-rig-admin', 'system:masters'),
    writeFile(tokenKey, signingKey(), { mode: 0o600 }),
    writeFile(policyFile, JSON.stringify(auditPolicy)),
    writeFile(auditLog, ''),
  ]);
  // Before the API server: its connection attempts back off by a second when they come too early.
  await startPart(tether, async () => ({
    command: { argv: etcdArgv(site), logFile: join(dir, 'etcd.log') },
    readiness: { name: 'etcd', deadlineMs: readyMs, probe: () => accepts(join(dir, 'etcd.sock')) },
  }));
  const { url } = await startPart(tether, async () => {
    const port = await freePort();
    const files = { server, tokenKey, policyFile, auditLog };
    return {
      url: `https://127.0.0.1:${port}`,
      command: { argv: apiServerArgv(site, port, files), logFile: join(dir, 'kube-apiserver.log') },
      readiness: readiness('kube-apiserver', `https://127.0.0.1:${port}/readyz`, authority.caPem, admin),
    };
  });
  const access = { url, caFile: authority.caFile };
  return {
    apiUrl: url,
    apiCaFile: authority.caFile,
    kubeconfig: await writeKubeconfig(join(dir, 'admin.kubeconfig'), access, { kind: 'certificate', files: admin }),
    auditLog,
    startControllerManager: () => startControllerManager(site, access, tokenKey),
  };
}

async function accepts(path: string): Promise<boolean> {
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

function etcdSocket(dir: string): string {
  return `unix://${join(dir, 'etcd.sock')}`;
}

function etcdArgv({ dir, parts }: Site): readonly string[] {
  return [
    parts.etcd,
    `--data-dir=${join(dir, 'etcd')}`,
    `--listen-client-urls=${etcdSocket(dir)}`,
    '--advertise-client-urls=http://127.0.0.1:1', // told to nobody: there are no other members
    '--listen-peer-urls=http://127.0.0.1:0',
    '--unsafe-no-fsync',
    '--heartbeat-interval=50', // a single member elects itself after one election timeout
    '--election-timeout=250',
    '--log-level=warn',
  ];
}

interface ServerFiles {
  readonly server: Files;
  readonly tokenKey: string;
  readonly policyFile: string;
  readonly auditLog: string;
}

function apiServerArgv({ dir, parts, authority }: Site, port: number, files: ServerFiles): readonly string[] {
  return [
    parts.kubeApiserver,
    `--etcd-servers=${etcdSocket(dir)}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none', // loopback cannot be an endpoint; nobody needs the kubernetes Service here
    `--secure-port=${port}`,
    `--tls-cert-file=${files.server.certificate}`,
    `--tls-private-key-file=${files.server.key}`,
    `--client-ca-file=${authority.caFile}`,
    '--authorization-mode=RBAC',
    '--enable-admission-plugins=OwnerReferencesPermissionEnforcement',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--service-account-issuer=${issuerUrl}`,
    `--service-account-key-file=${files.tokenKey}`,
    `--service-account-signing-key-file=${files.tokenKey}`,
    `--audit-policy-file=${files.policyFile}`,
    `--audit-log-path=${files.auditLog}`,
    '--allow-privileged=true',
    '--profiling=false',
  ];
}

async function startControllerManager(
  { dir, parts, authority, tether }: Site,
  access: { readonly url: string; readonly caFile: string },
  tokenKey: string,
): Promise<void> {
  const [server, files] = await Promise.all([
    authority.server('kube-controller-manager'),
    authority.client('kube-controller-manager-client', 'system:kube-controller-manager'),
  ]);
  const kubeconfig = join(dir, 'kube-controller-manager.kubeconfig');
  await writeKubeconfig(kubeconfig, access, { kind: 'certificate', files });
  await startPart(tether, async () => {
    const port = await freePort();
    const argv = [
      parts.kubeControllerManager,
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      '--use-service-account-credentials',
      `--service-account-private-key-file=${tokenKey}`,
      `--root-ca-file=${authority.caFile}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--tls-cert-file=${server.certificate}`,
      `--tls-private-key-file=${server.key}`,
      '--profiling=false',
    ];
    return {
      command: { argv, logFile: join(dir, 'kube-controller-manager.log') },
      readiness: readiness('kube-controller-manager', `https://127.0.0.1:${port}/healthz`, authority.caPem),
    };
  });
}

function readiness(name: string, url: string, caPem: string, client?: Files) {
  const trust = client === undefined ? { caPem } : { caPem, client };
  return { name, deadlineMs: readyMs, probe: async () => (await get(url, trust)).status === 200 };
}

function signingKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}
