// The real cert-manager controller as a part of a world: what a cluster moves from, and back to. Only the suites of the move wait for its build.
// It runs as ServiceAccount cert-manager/cert-manager, so that the audit log tells its requests from everybody's.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildCertManager } from './build.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { kubectlFor } from './kubectl.ts';
import { ready } from './part.ts';
import type { World } from './world.ts';

export interface CertManager extends AsyncDisposable {
  readonly logFile: string;
  /** Resolves when it leads and its loops run. */
  leads(): Promise<void>;
  /** Sends the signal and resolves when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

type Site = Pick<World, 'dir' | 'tether' | 'kubectl' | 'kubeconfig' | 'apiUrl' | 'apiCaFile'>;

/** Its user name in the audit log. */
export const certManagerUser = 'system:serviceaccount:cert-manager:cert-manager';

const quick = [
  '--leader-election-lease-duration=2s',
  '--leader-election-renew-deadline=1500ms',
  '--leader-election-retry-period=300ms',
];
const readyMs = 60_000;
let started = 0;

/** Starts it; unless it is to stand in line, resolves when it leads, and rejects with the end of its log when it ends before. */
export async function startCertManager(
  site: Site,
  flags: readonly string[] = [],
  expected: 'leading' | 'waiting' = 'leading',
): Promise<CertManager> {
  const { controller } = await buildCertManager(() => undefined);
  const kubeconfig = await identity(site);
  started += 1;
  const part = await site.tether.start({
    argv: [controller, `--kubeconfig=${kubeconfig}`, ...quick, ...flags],
    logFile: join(site.dir, `cert-manager-${started}.log`),
  });
  const kill = async (signal: NodeJS.Signals) => {
    process.kill(part.pid, signal);
    await part.exited;
  };
  let over = false;
  void part.exited.then(() => {
    over = true;
  });
  const probe = async () => (await readFile(part.logFile, 'utf8')).includes('the loops run');
  const leads = () => ready(part, { name: 'cert-manager', deadlineMs: readyMs, probe });
  if (expected === 'leading') await leads();
  return {
    logFile: part.logFile,
    leads,
    kill,
    [Symbol.asyncDispose]: async () => {
      if (!over) await kill('SIGKILL');
    },
  };
}

/** Puts cert-manager's own CRDs in the place of what stands there: whole, so that nothing of ours is left in them. */
export async function installCertManagerCrds(site: Pick<Site, 'kubectl' | 'kubeconfig'>): Promise<void> {
  const { crds } = await buildCertManager(() => undefined);
  await kubectlFor(site).run(['replace', ...crds.map((file) => `--filename=${file}`)]);
}

/** Its chart's ClusterRoles add up to about this much; what it may do is not what is tested. */
async function identity(site: Site): Promise<string> {
  const kubectl = kubectlFor(site);
  const subject = { kind: 'ServiceAccount', name: 'cert-manager', namespace: 'cert-manager' };
  await kubectl.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'cert-manager' } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'cert-manager', namespace: 'cert-manager' } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'cert-manager' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [subject],
    },
  ]);
  const token = await kubectl.run(['create', 'token', 'cert-manager', '--namespace=cert-manager', '--duration=24h']);
  const server = { url: site.apiUrl, caFile: site.apiCaFile };
  return writeKubeconfig(join(site.dir, 'cert-manager.kubeconfig'), server, { kind: 'token', token });
}
