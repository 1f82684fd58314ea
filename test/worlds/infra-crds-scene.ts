// A control plane without any CRD but GatewayInfra's, and on it the part of `certway infra` that looks after CRDs: the real watches, queue, status
// and reconciler, as the ServiceAccount certway-infra with the rights of deploy/infra. For infra-crds*.test.ts.

import { mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Crd } from '../../src/api/crd.ts';
import type { GatewayInfra, InfraCrd } from '../../src/api/gateway-infra.ts';
import type { Condition } from '../../src/api/meta.ts';
import * as resources from '../../src/api/resources.ts';
import { kubeClient } from '../../src/kube/client.ts';
import { eventRecorder } from '../../src/kube/recorder.ts';
import { openSession } from '../../src/kube/session.ts';
import { watchPackages } from '../../src/provision/crd-packages.ts';
import { crdsReconciler } from '../../src/provision/crds.ts';
import { type InfraWakes, kindKey } from '../../src/provision/ports.ts';
import { infraStatus } from '../../src/provision/status.ts';
import { makeInfraStores } from '../../src/provision/stores.ts';
import { wireInfraTriggers } from '../../src/provision/triggers.ts';
import { watchKind } from '../../src/provision/watch-kind.ts';
import { WorkQueue } from '../../src/queue/work-queue.ts';
import { openLogger } from '../../src/report/logger.ts';
import { type Audit, openAudit } from '../rig/audit.ts';
import { buildParts } from '../rig/build.ts';
import { createAuthority } from '../rig/certificates.ts';
import { startControlPlane } from '../rig/control-plane.ts';
import { writeKubeconfig } from '../rig/kubeconfig.ts';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { startTether } from '../rig/tether.ts';
import { until } from '../rig/wait.ts';

export interface CrdScene extends AsyncDisposable {
  /** Goes with the scene. */
  readonly dir: string;
  readonly admin: Kubectl;
  readonly audit: Audit;
  /** Of the ServiceAccount, in the audit log. */
  readonly user: string;
  /** Starts the reconciler; what it throws is a bug and fails the test that asks `bugs`. */
  start(crdDir: string | undefined): Promise<Running>;
}

export interface Running extends AsyncDisposable {
  readonly bugs: readonly unknown[];
  /** Every round that has ended, and why it wants another one. */
  readonly rounds: readonly string[];
}

const user = 'system:serviceaccount:certway-system:certway-infra';

const root = join(import.meta.dirname, '../..');
/** What the ServiceAccount may do, and what admission lets it do: as people install them. */
const manifests = [
  'crds/gatewayinfras',
  'deploy/namespace',
  'deploy/infra/namespace',
  'deploy/infra/rbac',
  'deploy/infra/policies',
];

export async function crdScene(): Promise<CrdScene> {
  const dir = await mkdtemp(join(await realpath(tmpdir()), 'certway-crds-'));
  const [parts, tether] = await Promise.all([buildParts(() => undefined), startTether(dir)]);
  const plane = await startControlPlane({ dir, parts, tether, authority: await createAuthority(dir) });
  const admin = kubectlFor({ kubectl: parts.kubectl, kubeconfig: plane.kubeconfig });
  for (const name of manifests) await admin.run(['apply', '--server-side', `--filename=${join(root, name)}.yaml`]);
  await until('the kind GatewayInfra to be served', () => admin.run(['get', 'gatewayinfras']).then(() => true));
  const token = (await admin.run(['create', 'token', 'certway-infra', '-n', 'certway-system'])).trim();
  const server = { url: plane.apiUrl, caFile: plane.apiCaFile };
  const kubeconfig = await writeKubeconfig(join(dir, 'infra.kubeconfig'), server, { kind: 'token', token });
  return {
    dir,
    admin,
    audit: openAudit(plane.auditLog),
    user,
    start: (crdDir) => start(kubeconfig, crdDir),
    [Symbol.asyncDispose]: () => tether[Symbol.asyncDispose](),
  };
}

async function start(kubeconfig: string, crdDir: string | undefined): Promise<Running> {
  const bugs: unknown[] = [];
  const rounds: string[] = [];
  const ending = new AbortController();
  const onBug = (error: unknown) => void bugs.push(error);
  const log = openLogger({ level: 'silent' });
  const session = await openSession({ environment: {}, kubeconfig });
  const kube = kubeClient(session);
  const stores = makeInfraStores(onBug);
  const recorder = eventRecorder({ kube, instance: 'test', onProblem: (_, problem) => onBug(problem) });
  const common = { kube, stores, recorder, log, now: Date.now };
  const idle = () => {};
  let queues: Readonly<Record<'crds' | 'status', WorkQueue>> | undefined;
  const wake: InfraWakes = {
    crds: () => queues?.crds.add('default'),
    status: () => queues?.status.add('default'),
    ...{ infra: idle, legacy: idle, space: idle, spaces: idle },
  };
  const status = infraStatus({ ...common, wake });
  const settings = {
    certwayNamespace: 'certway-system',
    crdDir,
    controllerAccount: 'certway-controller',
    solverService: { name: 'certway-acme-solver', port: 8089 },
  };
  const watches = { session, signal: ending.signal, log, onState: () => {}, onBug };
  const packages = watchPackages({ ...watches, crds: stores.crds, onChange: () => wake.crds() });
  const reconcile = crdsReconciler({ ...common, settled: new Map(), status, settings }, packages);
  const run = async (key: string) => {
    const outcome = await reconcile(key);
    rounds.push(outcome.kind === 'retry' ? outcome.why : outcome.kind);
    return outcome;
  };
  const options = { concurrency: 1, onError: (_: string, error: unknown) => onBug(error) };
  queues = { crds: new WorkQueue({ ...options, run }), status: new WorkQueue({ ...options, run: status.write }) };
  wireInfraTriggers(stores, wake);
  const watched = [
    watchKind({ ...watches, resource: resources.gatewayInfras, store: stores.gatewayInfras, selection: {} }),
    watchKind({
      ...watches,
      resource: resources.customResourceDefinitions,
      store: stores.crds,
      selection: { metadataOnly: true },
    }),
    ...[resources.admissionPolicies, resources.admissionPolicyBindings].flatMap((resource) => {
      const store = stores.rendered.get(kindKey(resource));
      const selection = { labelSelector: 'app.kubernetes.io/managed-by=certway-infra' };
      return store === undefined ? [] : [watchKind({ ...watches, resource, store, selection })];
    }),
  ];
  await Promise.all([...watched.map(({ settled }) => settled), packages.settled]);
  wake.crds();
  return {
    bugs,
    rounds,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([queues?.crds[Symbol.asyncDispose](), queues?.status[Symbol.asyncDispose]()]);
      ending.abort();
      await session[Symbol.asyncDispose]();
    },
  };
}

// Each definition makes the API server compute all its documents anew: eighteen of them keep a busy machine at work for a while.
const deadlineMs = 100_000;

export const infra = (crds: object = {}) => ({
  apiVersion: 'certway.dev/v1alpha1',
  kind: 'GatewayInfra',
  metadata: { name: 'default' },
  spec: { crds },
});

/** The condition CRDsReady, when it says so for that reason; else "not yet", with what stands. */
export async function ready(admin: Kubectl, reason: string, says: RegExp = /./): Promise<Condition> {
  const probe = async () => {
    const found = await conditionOf(admin);
    if (found?.reason === reason && says.test(found.message ?? '')) return found;
    throw new Error(JSON.stringify(found));
  };
  return until(`CRDsReady to say ${reason}, ${says}`, probe, { deadlineMs });
}

async function conditionOf(admin: Kubectl): Promise<Condition | undefined> {
  const { status } = await admin.get<GatewayInfra>('gatewayinfra', 'default');
  return status?.conditions?.find(({ type }) => type === 'CRDsReady');
}

/** The line of one CRD in the status, once it fits. */
export function line(admin: Kubectl, name: string, fits: Partial<InfraCrd>): Promise<InfraCrd> {
  const probe = async () => {
    const { status } = await admin.get<GatewayInfra>('gatewayinfra', 'default');
    const found = status?.crds?.find((each) => each.name === name);
    const isFit = Object.entries(fits).every(([key, value]) => found && Reflect.get(found, key) === value);
    if (found !== undefined && isFit) return found;
    throw new Error(JSON.stringify(found));
  };
  return until(`the line of ${name} to be ${JSON.stringify(fits)}`, probe, { deadlineMs });
}

export function crd(admin: Kubectl, name: string): Promise<Crd> {
  return admin.get<Crd>('crd', name);
}
