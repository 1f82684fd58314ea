// One reconcile of one Gateway with all ListenerSets that point at it: observe, resolve, plan, perform. Called by the work queue in main.ts.

import PQueue from 'p-queue';
import type { Certificate } from '../api/certmanager.ts';
import type { Gateway, ListenerSet } from '../api/gateway.ts';
import { certificates } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { Store } from '../kube/store.ts';
import { missingInherited } from '../plan/inherited.ts';
import { type ListenerAction, planListeners } from '../plan/listeners.ts';
import { type RefSight, withOwnAccounts } from '../plan/stamp-refs.ts';
import { byTurns } from '../queue/turns.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { resolveGateway } from '../resolve/gateway.ts';
import type { GatewayWorld, Resolution } from '../resolve/world.ts';
import { contractIn, withheldFrom } from './infra-sight.ts';
import { afterProblem } from './outcome.ts';
import type { Ports } from './ports.ts';
import { templateFor } from './stamp-served.ts';

/** A flood is worked off in parts: whoever comes behind it is seen before the next one, and has its turn there. */
const mostAtOnce = 48;
/** Writes of them at a time: more would only stand before those for the Certificates that exist already. */
const mostWrites = 8;

type Issuance = RefSight['issuance'];

/** The reconcile function for keys "namespace/name" of Gateways, existing or only pointed at. */
export function listenerReconciler(ports: Ports, issuance: () => Issuance): (key: string) => Promise<Outcome> {
  const writing = new PQueue({ concurrency: mostWrites });
  return async (key) => {
    const tried = new Set<string>();
    let problem: KubeProblem | undefined;
    for (;;) {
      const { resolution, actions } = decideListeners(ports, key, issuance());
      const open = actions.filter((action) => !tried.has(idOf(action)));
      if (open.length === 0) {
        await tell(ports, resolution);
        return problem === undefined ? { kind: 'settled' } : afterProblem(problem, ports.now());
      }
      const part = byTurns(open, namespaceOf).slice(0, mostAtOnce);
      for (const action of part) tried.add(idOf(action));
      // Certificates are independent of each other: one refused write does not hold up the other listeners.
      const problems = await writing.addAll(part.map((action) => () => perform(ports, action)));
      problem ??= problems.find((each) => each !== undefined);
    }
  };
}

/** What is decided on: the caches, and how to read them. */
export type View = Pick<Ports, 'stores' | 'settings'>;

/** Observe, resolve and plan one Gateway; nothing is written. */
export function decideListeners(view: View, key: string, issuance: Issuance = 'theirs') {
  const world = observe(view, key);
  const resolution = withOwnAccounts(resolveGateway(world), {
    issuance,
    hasOwnAccount: (template, namespace) => templateFor(view, template, namespace) !== undefined,
    live: (namespace, name) => view.stores.certificates.get(`${namespace}/${name}`)?.spec.issuerRef,
  });
  return { resolution, actions: planListeners(resolution, certificatesOf(view, world, resolution.wanted)) };
}

/** Refusals are told on the object that asked; the recorder keeps them from being told again. */
async function tell(ports: Ports, { refusals, wanted }: Resolution): Promise<void> {
  const refused = refusals.map(({ about, reason, message, generation }) => ({
    event: { about, type: 'Warning' as const, reason, message },
    generation,
  }));
  const exists = (namespace: string, name: string) => ports.stores.issuers.get(`${namespace}/${name}`) !== undefined;
  const events = [...refused, ...missingInherited(wanted, exists)];
  await Promise.all(events.map(({ event, generation }) => ports.recorder.say(event, { of: generation })));
}

function observe({ stores, settings }: View, gatewayKey: string): GatewayWorld {
  const gateway = stores.gateways.get(gatewayKey);
  const className = gateway?.spec.gatewayClassName;
  const controllerName =
    className === undefined ? undefined : stores.gatewayClasses.get(className)?.spec.controllerName;
  return {
    gatewayKey,
    ...(gateway !== undefined && { gateway }),
    listenerSets: [...stores.listenerSets.by('parent', gatewayKey), ...stores.xListenerSets.by('parent', gatewayKey)],
    namespaceLabels: (namespace) => stores.namespaces.get(namespace)?.metadata.labels,
    ...(controllerName !== undefined && { controllerName }),
    withheld: withheldFrom(contractIn(stores), controllerName),
    options: settings.resolve,
  };
}

/** The Certificates that this Gateway's listeners own or want, and which owners are alive: all by index. */
function certificatesOf(view: View, world: GatewayWorld, wanted: readonly { namespace: string; name: string }[]) {
  const { stores } = view;
  const found = new Map<string, Certificate>();
  const objects = [...(world.gateway === undefined ? [] : [world.gateway]), ...world.listenerSets];
  for (const { metadata } of objects) {
    for (const each of stores.certificates.by('owner', metadata.uid ?? '')) found.set(each.metadata.uid ?? '', each);
  }
  for (const { namespace, name } of wanted) {
    const each = stores.certificates.get(`${namespace}/${name}`);
    if (each !== undefined) found.set(each.metadata.uid ?? '', each);
  }
  const liveUids = new Set(objects.map(({ metadata }) => metadata.uid ?? ''));
  for (const certificate of found.values()) {
    for (const owner of certificate.metadata.ownerReferences ?? []) {
      if (liveUids.has(owner.uid)) continue;
      if (isAlive(view, certificate.metadata.namespace ?? '', owner)) liveUids.add(owner.uid);
    }
  }
  return { certificates: [...found.values()], liveUids };
}

/** Owners of kinds that we do not watch count as alive: their Certificates are not ours to take. */
function isAlive(
  { stores: all }: View,
  namespace: string,
  owner: { kind: string; name: string; uid: string },
): boolean {
  const { gateways, listenerSets, xListenerSets } = all;
  const key = `${namespace}/${owner.name}`;
  const stores: Readonly<Record<string, Store<Gateway> | Store<ListenerSet>>> = {
    Gateway: gateways,
    ListenerSet: listenerSets,
    XListenerSet: xListenerSets,
  };
  const store = stores[owner.kind];
  // A gate that is off, or a CRD that is missing, says nothing about what its objects own.
  return store === undefined || !store.synced || store.get(key)?.metadata.uid === owner.uid;
}

async function perform(ports: Ports, action: ListenerAction): Promise<KubeProblem | undefined> {
  const { kube, stores, recorder } = ports;
  switch (action.kind) {
    case 'createCertificate':
    case 'replaceCertificate': {
      const reply =
        action.kind === 'createCertificate'
          ? await kube.create(certificates, action.object)
          : await kube.replace(certificates, action.object);
      if (!reply.ok) return refused(ports, action, reply.problem);
      stores.certificates.note(reply.value);
      await recorder.say(action.say, { of: reply.value.metadata.resourceVersion ?? '' });
      return undefined;
    }
    case 'deleteCertificate': {
      const { name, namespace = '', uid } = action.object.metadata;
      const reply = await kube.delete(certificates, { namespace, name }, uid === undefined ? {} : { uid });
      if (!reply.ok) return reply.problem.kind === 'notFound' ? undefined : reply.problem;
      stores.certificates.forget(action.object);
      await recorder.say(action.say, { of: uid ?? '' });
      return undefined;
    }
    case 'say':
      await recorder.say(action.event, { of: action.generation });
      return undefined;
    default:
      return action satisfies never;
  }
}

/** Each is tried once a turn. */
function idOf(action: ListenerAction): string {
  const { kind } = action;
  if (kind === 'say') return JSON.stringify([kind, action.event.about.uid, action.event.message]);
  return JSON.stringify([kind, namespaceOf(action), action.object.metadata.name]);
}

function namespaceOf(action: ListenerAction): string {
  return (action.kind === 'say' ? action.event.about.namespace : action.object.metadata.namespace) ?? '';
}

/** What the API server will not take as it is, is told and not sent again before it changes; a forbidden write may come to be allowed. */
async function refused(
  { recorder }: Ports,
  { object, say }: Extract<ListenerAction, { kind: 'createCertificate' | 'replaceCertificate' }>,
  problem: KubeProblem,
): Promise<KubeProblem | undefined> {
  if (problem.kind !== 'invalid' && problem.kind !== 'forbidden') return problem;
  const message = `Certificate "${object.metadata.name}" is refused by the API server: ${problem.message}`;
  const reason = problem.kind === 'invalid' ? 'BadConfig' : 'Forbidden';
  await recorder.say({ about: say.about, type: 'Warning', reason, message });
  return problem.kind === 'invalid' ? undefined : problem;
}
