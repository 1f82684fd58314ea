// Gathers everything that the answer about one object needs, as far as the user may see it. Called by status.ts.

import type { Certificate } from '../api/certmanager.ts';
import type { Gateway, ListenerSet } from '../api/gateway.ts';
import { type GatewayInfra, infraName } from '../api/gateway-infra.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '../api/meta.ts';
import {
  certificateRequests,
  certificates,
  clusterIssuers,
  events,
  gatewayClasses,
  gatewayInfras,
  gateways,
  httpRoutes,
  issuers,
  listenerSets,
  namespaces,
  orders,
  type Resource,
  xListenerSets,
} from '../api/resources.ts';
import { controllerOf } from '../plan/listeners-owner.ts';
import { pointsAtGateway } from '../resolve/admission.ts';
import { parentOf } from '../resolve/source.ts';
import type { Eyes } from './status-eyes.ts';
import {
  isSet,
  itemsOf,
  type Many,
  type Named,
  type Sight,
  type StatusScene,
  type Subject,
  type Surroundings,
} from './status-scene.ts';

type Owner = Gateway | ListenerSet;

const ownerKinds: readonly Resource<Owner>[] = [gateways, listenerSets, xListenerSets];

export async function fetchScene(eyes: Eyes, asked: Named, options: StatusScene['options']): Promise<StatusScene> {
  const subject = await seeSubject(eyes, asked);
  if (subject.kind === 'unseen') return { asked, options, subject };
  return { asked, options, subject, around: await lookAround(eyes, asked.namespace, subject) };
}

async function seeSubject(eyes: Eyes, { kind, namespace, name }: Named): Promise<Subject> {
  if (kind !== 'Certificate') {
    const of = ownerKinds.find((each) => each.kind === kind) ?? listenerSets;
    const sight = await eyes.get(of, { namespace, name });
    return sight.kind === 'seen' ? { kind: 'listeners', object: sight.value } : { kind: 'unseen', sight };
  }
  const sight = await eyes.get(certificates, { namespace, name });
  if (sight.kind !== 'seen') return { kind: 'unseen', sight };
  const controller = controllerOf(sight.value);
  const of = ownerKinds.find((each) => controller !== undefined && isOf(controller, each));
  if (controller === undefined || of === undefined) return { kind: 'certificate', certificate: sight.value };
  const owner = await eyes.get(of, { namespace, name: controller.name });
  return { kind: 'certificate', certificate: sight.value, owner };
}

function isOf({ apiVersion, kind }: OwnerReference, of: Resource<KubeObject>): boolean {
  return kind === of.kind && apiVersion.startsWith(`${of.group}/`);
}

async function lookAround(
  eyes: Eyes,
  namespace: string,
  subject: Exclude<Subject, { kind: 'unseen' }>,
): Promise<Surroundings> {
  const owner = ownerIn(subject);
  const here = { namespace };
  const [infra, upward, ours, requests, allOrders, routes, localIssuers, clusterWide, warnings] = await Promise.all([
    eyes.get(gatewayInfras, { name: infraName }),
    lookUp(eyes, namespace, owner),
    eyes.list(certificates, here),
    eyes.list(certificateRequests, here),
    eyes.list(orders, here),
    eyes.list(httpRoutes, here),
    eyes.list(issuers, here),
    eyes.list(clusterIssuers),
    warningsAbout(eyes, namespace, owner),
  ]);
  return {
    ...upward,
    ...(infra.kind === 'seen' && {
      infra: await seeInfra(eyes, infra.value, 'gateway' in upward ? upward.gateway : undefined),
    }),
    certificates: ours,
    requests,
    orders: allOrders,
    routes,
    issuers: localIssuers,
    clusterIssuers: clusterWide,
    secrets: await seeSecrets(eyes, namespace, secretNames(subject, owner, itemsOf(ours))),
    warnings,
  };
}

/** The object whose listeners are walked. */
function ownerIn(subject: Exclude<Subject, { kind: 'unseen' }>): Owner | undefined {
  if (subject.kind === 'listeners') return subject.object;
  return subject.owner?.kind === 'seen' ? subject.owner.value : undefined;
}

/** The Gateway, its listener sets, and by which labels it admits them. */
async function lookUp(eyes: Eyes, namespace: string, owner: Owner | undefined) {
  const none = { kind: 'seen', value: new Map() } as const;
  if (owner === undefined) {
    return { sets: { kind: 'seen', value: [] }, setsFrom: 'namespace', labels: none } as const;
  }
  const [gateway, listed] = await Promise.all([seeGateway(eyes, owner), seeSets(eyes, namespace)]);
  const rule = gateway?.kind === 'seen' ? gateway.value.spec.allowedListeners?.namespaces?.from : undefined;
  const labels = rule === 'Selector' ? await seeLabels(eyes, namespace) : none;
  return { ...(gateway !== undefined && { gateway }), ...listed, labels };
}

/** Infra has a say over the Gateways of its own controller only. */
async function seeInfra(eyes: Eyes, object: GatewayInfra, gateway: Surroundings['gateway']) {
  const name = gateway?.kind === 'seen' ? gateway.value.spec.gatewayClassName : '';
  const found = await eyes.get(gatewayClasses, { name });
  return { object, ...(found.kind === 'seen' && { controllerName: found.value.spec.controllerName }) };
}

function seeGateway(eyes: Eyes, owner: Owner): Promise<Sight<Gateway> | undefined> {
  if (!isSet(owner)) return Promise.resolve({ kind: 'seen', value: owner });
  return pointsAtGateway(owner) ? eyes.get(gateways, parentOf(owner)) : Promise.resolve(undefined);
}

/** All of the cluster, since any of them may hold a hostname; where that is refused, those of the namespace. */
async function seeSets(eyes: Eyes, namespace: string): Promise<Pick<Surroundings, 'sets' | 'setsFrom'>> {
  const everywhere = both(await Promise.all([eyes.list(listenerSets), eyes.list(xListenerSets)]));
  if (everywhere.kind === 'seen') return { sets: everywhere, setsFrom: 'everywhere' };
  const here = { namespace };
  const sets = both(await Promise.all([eyes.list(listenerSets, here), eyes.list(xListenerSets, here)]));
  return { sets, setsFrom: 'namespace' };
}

/** Of two kinds each may be missing; hidden as soon as one of them is. */
function both<T>([one, other]: readonly [Many<T>, Many<T>]): Many<T> {
  if (one.kind === 'hidden') return one;
  if (other.kind === 'hidden') return other;
  return { kind: 'seen', value: [...itemsOf(one), ...itemsOf(other)] };
}

async function seeLabels(eyes: Eyes, namespace: string): Promise<Surroundings['labels']> {
  const all = await eyes.list(namespaces);
  if (all.kind === 'seen') return { kind: 'seen', value: labelsBy(all.value) };
  const own = await eyes.get(namespaces, { name: namespace });
  return own.kind === 'seen' ? { kind: 'seen', value: labelsBy([own.value]) } : own;
}

function labelsBy(objects: readonly KubeObject[]): ReadonlyMap<string, Readonly<Record<string, string>>> {
  return new Map(objects.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
}

function warningsAbout(eyes: Eyes, namespace: string, owner: Owner | undefined): Promise<Surroundings['warnings']> {
  const uid = owner?.metadata.uid;
  if (uid === undefined) return Promise.resolve({ kind: 'seen', value: [] });
  return eyes.list(events, { namespace, fieldSelector: `involvedObject.uid=${uid},type=Warning` });
}

function secretNames(
  subject: Exclude<Subject, { kind: 'unseen' }>,
  owner: Owner | undefined,
  all: readonly Certificate[],
): ReadonlySet<string> {
  if (subject.kind === 'certificate') return new Set([subject.certificate.spec.secretName]);
  const refs = (owner?.spec.listeners ?? []).flatMap((listener) => listener.tls?.certificateRefs ?? []);
  const named = new Set(refs.map((ref) => ref.name));
  const uid = owner?.metadata.uid;
  const owned = all.filter((each) => named.has(each.metadata.name) || controllerOf(each)?.uid === uid);
  return new Set([...named, ...owned.map((each) => each.spec.secretName)].filter((name) => name !== ''));
}

async function seeSecrets(
  eyes: Eyes,
  namespace: string,
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Sight<ObjectMeta>>> {
  const sights = await Promise.all(
    [...names].map(
      async (name): Promise<[string, Sight<ObjectMeta>]> => [name, await eyes.secret({ namespace, name })],
    ),
  );
  return new Map(sights);
}
