// Answers the infrastructure half: in namespaces that drain the challenge routes go, and when nothing of ours is written there any more, the
// annotation on the GatewayInfra says so. Started by main.ts in the replica that leads. All of it is read from the cluster, so the next leader goes on
// where this one stopped, and an acknowledgement that was written for another state of the object is refused by its resourceVersion.

import { drainedAnnotation, infraName } from '../api/gateway-infra.ts';
import type { KubeObject } from '../api/meta.ts';
import { apiVersion, gatewayInfras, httpRoutes, type Resource } from '../api/resources.ts';
import { acknowledgement } from '../infra/contract.ts';
import { type Outcome, WorkQueue } from '../queue/work-queue.ts';
import type { InfraDoor } from './infra-door.ts';
import { contractIn } from './infra-sight.ts';
import { afterProblem } from './outcome.ts';
import type { Ports } from './ports.ts';

type DrainPorts = Pick<Ports, 'kube' | 'stores' | 'log' | 'now'>;

/** Nothing but metadata is sent. */
const annotated: Resource<KubeObject> = gatewayInfras;
/** Apart from what people and infra apply: the annotation is all that it owns. */
const manager = 'certway-drain';

/** Dispose it before the connection to the API server closes. */
export function acknowledgeDrains(ports: DrainPorts, door: InfraDoor): AsyncDisposable {
  const { stores, log } = ports;
  const queue = new WorkQueue({
    concurrency: 1,
    run: () => answer(ports, door),
    onError: (key, error) => log.error({ controller: 'drain', key, err: error }, 'reconcile failed: a bug'),
  });
  const isDraining = (namespace: string) => contractIn(stores).namespaces.get(namespace)?.state === 'Draining';
  const ends = [
    stores.gatewayInfras.subscribe(() => queue.add(infraName)),
    stores.routes.subscribe((change) => {
      const { namespace = '' } = (change.kind === 'applied' ? change.object : change.previous).metadata;
      if (isDraining(namespace)) queue.add(infraName);
    }),
  ];
  door.onQuiet = (namespace) => {
    if (isDraining(namespace)) queue.add(infraName);
  };
  queue.add(infraName);
  return {
    [Symbol.asyncDispose]: async () => {
      for (const end of ends) end();
      door.onQuiet = () => undefined;
      await queue[Symbol.asyncDispose]();
    },
  };
}

async function answer(ports: DrainPorts, door: InfraDoor): Promise<Outcome> {
  const { stores, kube, now } = ports;
  for (const { name, state } of contractIn(stores).namespaces.values()) {
    if (state !== 'Draining') continue;
    const problem = await withoutRoutes(ports, name);
    if (problem !== undefined) return problem;
  }
  const infra = stores.gatewayInfras.get(infraName);
  if (infra === undefined) return { kind: 'settled' };
  const isClear = (name: string) => door.isQuiet(name) && stores.routes.by('namespace', name).length === 0;
  const drained = acknowledgement(infra, isClear);
  if (drained === undefined) return { kind: 'settled' };
  const { resourceVersion = '' } = infra.metadata;
  const object = {
    apiVersion: apiVersion(gatewayInfras),
    kind: gatewayInfras.kind,
    metadata: { name: infraName, resourceVersion, annotations: { [drainedAnnotation]: drained } },
  };
  // With the resourceVersion it creates nothing, and changes nothing that was decided on an older state. The watch brings it back.
  const applied = await kube.apply(annotated, object, { fieldManager: manager, force: true });
  if (!applied.ok) return afterProblem(applied.problem, now());
  ports.log.info({ drained }, 'namespaces acknowledged as drained');
  return { kind: 'settled' };
}

/** All of ours, whatever order they are of: none is to be proven there. */
async function withoutRoutes({ kube, stores, now }: DrainPorts, namespace: string): Promise<Outcome | undefined> {
  for (const route of stores.routes.by('namespace', namespace)) {
    const { name } = route.metadata;
    const gone = await kube.delete(httpRoutes, { namespace, name });
    if (!gone.ok && gone.problem.kind !== 'notFound') return afterProblem(gone.problem, now());
    stores.routes.forget(route);
  }
  return undefined;
}
