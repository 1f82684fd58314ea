// What happens between the deletion of a GatewayInfra and its end. CRDs, issued certificates and account keys stay. Called by infra.ts.
//
//   Gateways of its classes stand   Released=False/GatewaysServed, names them    an event of a Gateway
//   namespaces are being left       Released=False/Draining, names them          an event there (provision/spaces.ts)
//   classes stand                   deleted: Envoy Gateway, while it still runs, takes its own finalizer off them
//   the controller runs             Deployment deleted; its Pods are waited for
//   anything else of ours stands    deleted, rights last
//   nothing                         the finalizer comes off

import type { Gateway } from '../api/gateway.ts';
import { type GatewayInfra, infraFinalizer, stepLabel } from '../api/gateway-infra.ts';
import type { KubeObject } from '../api/meta.ts';
import { deployments, gatewayClasses, gatewayInfras, pods } from '../api/resources.ts';
import { controllerSelector } from '../infra/eg-names.ts';
import { isServed } from '../infra/hosting.ts';
import { keyOf } from '../kube/store.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { remove, type Step, steps } from './ensure.ts';
import { afterTrouble } from './outcome.ts';
import type { InfraPorts } from './ports.ts';
import { type Standing, standing } from './prune.ts';
import { hostingWorld, spacesLeft } from './spaces-world.ts';
import { isOurs } from './stores.ts';

/** Envoy Gateway's, on a class that Gateways use. */
const classFinalizer = 'gateway-exists-finalizer.gateway.networking.k8s.io';
const mostNamed = 5;
const podsMs = 1_000;
/** How long Envoy Gateway may take to let go of a class. */
const classPatienceMs = 30_000;

export async function leave(ports: InfraPorts, infra: GatewayInfra): Promise<Outcome> {
  if (!(infra.metadata.finalizers ?? []).includes(infraFinalizer)) return { kind: 'settled' };
  const served = servedGateways(ports, infra);
  if (served.length > 0) return held(ports, 'GatewaysServed', gatewaysSentence(served));
  const left = spacesLeft(ports.stores, infra);
  if (left.length > 0) {
    ports.wake.spaces();
    return held(
      ports,
      'Draining',
      `Namespaces are being left: ${named(left)}; status.namespaces says what each waits for.`,
    );
  }
  return removeOurs(ports, infra);
}

/** Each of these stands on what the one before it left. */
async function removeOurs(ports: InfraPorts, infra: GatewayInfra): Promise<Outcome> {
  const ours = standing(ports.stores, infra.metadata.uid ?? '');
  const classes = ours.filter(({ of }) => of.kind === gatewayClasses.kind);
  const controller = ours.filter(({ of }) => of.kind === deployments.kind);
  const removedClasses = await removeAll(ports, infra, classes);
  if (removedClasses !== undefined) return removedClasses;
  const patience = classPatience(ports, classes);
  if (controller.length > 0 && patience !== undefined) {
    held(
      ports,
      'RemovingClasses',
      `Envoy Gateway has not let go yet of ${named(classes.map(({ object }) => object.metadata.name))}.`,
    );
    return { kind: 'revisit', at: patience };
  }
  const removedController = await removeAll(ports, infra, controller);
  if (removedController !== undefined) return removedController;
  const running = await controllerPods(ports, infra);
  if ('kind' in running) return running;
  if (running.length > 0) {
    held(ports, 'RemovingController', `Pods of Envoy Gateway still run: ${named(running)}.`);
    return { kind: 'revisit', at: ports.now() + podsMs };
  }
  const released = (await releaseClasses(ports, infra)) ?? (await removeAll(ports, infra, ours));
  if (released !== undefined) return released;
  // What somebody's finalizer holds in a namespace of theirs is theirs to end: its deletion is asked for.
  const isTheirs = ({ metadata }: KubeObject) =>
    metadata.deletionTimestamp !== undefined &&
    metadata.namespace !== undefined &&
    metadata.namespace !== infra.spec.systemNamespace;
  const rest = standing(ports.stores, infra.metadata.uid ?? '').filter(({ object }) => !isTheirs(object));
  if (rest.length > 0)
    return held(
      ports,
      'Removing',
      `Still there: ${named(rest.map(({ of, object }) => `${of.kind} ${keyOf(object)}`))}.`,
    );
  return release(ports, infra);
}

async function removeAll(
  ports: InfraPorts,
  infra: GatewayInfra,
  ours: readonly Standing[],
): Promise<Outcome | undefined> {
  for (const { of, object } of ours) {
    const gone = await remove(ports, of, object.metadata, infra.metadata.uid ?? '', stepOf(object));
    ports.status.trouble('system', gone.ok ? [] : [gone.problem], 'removal');
    if (!gone.ok) return afterTrouble(gone.problem.kube, ports.now());
  }
  return undefined;
}

function stepOf({ metadata }: KubeObject): Step {
  return steps.find((step) => step === metadata.labels?.[stepLabel]) ?? 'system';
}

/** Until when Envoy Gateway is left running for the sake of classes that wait for it; undefined: it is not. */
function classPatience(ports: InfraPorts, classes: readonly Standing[]): number | undefined {
  const now = ports.now();
  const asked = classes.flatMap(({ object }) => {
    const at = ports.stores.gatewayClasses.get(keyOf(object))?.metadata.deletionTimestamp;
    return at === undefined ? [] : [Date.parse(at)];
  });
  const until = Math.min(...asked) + classPatienceMs;
  return asked.length > 0 && until > now ? Math.min(until, now + podsMs) : undefined;
}

/** Their controller is gone, and no Gateway uses them: nobody is left to take its finalizer off. */
async function releaseClasses(ports: InfraPorts, infra: GatewayInfra): Promise<Outcome | undefined> {
  for (const live of [...ports.stores.gatewayClasses.list()].filter((each) => isOurs(each, infra.metadata.uid ?? ''))) {
    const finalizers = live.metadata.finalizers ?? [];
    if (live.metadata.deletionTimestamp === undefined || !finalizers.includes(classFinalizer)) continue;
    const kept = finalizers.filter((each) => each !== classFinalizer);
    const answer = await ports.kube.replace(gatewayClasses, {
      ...live,
      metadata: { ...live.metadata, finalizers: kept },
    });
    if (!answer.ok) return afterTrouble(answer.problem, ports.now());
    ports.stores.gatewayClasses.note(answer.value);
  }
  return undefined;
}

async function controllerPods(ports: InfraPorts, { spec }: GatewayInfra): Promise<readonly string[] | Outcome> {
  const labelSelector = Object.entries(controllerSelector)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const found = await ports.kube.list(pods, { namespace: spec.systemNamespace, labelSelector });
  if (found.ok) return found.value.map(({ metadata }) => metadata.name);
  ports.status.trouble(
    'system',
    [{ step: 'system', object: `Pods of ${spec.systemNamespace}`, kube: found.problem }],
    'removal',
  );
  return afterTrouble(found.problem, ports.now());
}

async function release(ports: InfraPorts, infra: GatewayInfra): Promise<Outcome> {
  const finalizers = (infra.metadata.finalizers ?? []).filter((each) => each !== infraFinalizer);
  const answer = await ports.kube.replace(gatewayInfras, { ...infra, metadata: { ...infra.metadata, finalizers } });
  if (!answer.ok && answer.problem.kind !== 'notFound') return afterTrouble(answer.problem, ports.now());
  ports.log.info('the GatewayInfra is released: nothing of it stands any more');
  return { kind: 'settled' };
}

/** Of every class that Envoy Gateway answers for here, adopted ones too: its going would cut them off. */
function servedGateways({ stores }: InfraPorts, infra: GatewayInfra): readonly Gateway[] {
  const world = hostingWorld(stores, infra);
  return [...stores.gateways.list()].filter((each) => isServed(each, world));
}

function gatewaysSentence(served: readonly Gateway[]): string {
  const names = served.map(keyOf).sort();
  return `Deletion waits for ${served.length} ${served.length === 1 ? 'Gateway' : 'Gateways'} that Envoy Gateway serves: ${named(names)}. Delete them, or give them a class of another controller.`;
}

function held({ status }: InfraPorts, reason: string, message: string): Outcome {
  status.condition({ type: 'Released', status: 'False', reason, message });
  return { kind: 'settled' };
}

function named(names: readonly string[]): string {
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : '';
  return `${names.slice(0, mostNamed).join(', ')}${more}`;
}
