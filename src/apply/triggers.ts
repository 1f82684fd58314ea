// Maps every change that a watch reports to the keys that it concerns: nothing else is looked at again. Wired up once in main.ts.

import type { Certificate } from '../api/certmanager.ts';
import type { Metadata } from '../api/core.ts';
import type { KubeObject } from '../api/meta.ts';
import type { Order } from '../api/order.ts';
import { type Change, keyOf } from '../kube/store.ts';
import { parentKey } from '../resolve/source.ts';
import { ordersOfRoute, ordersThrough } from './challenge-wakes.ts';
import { issuerKey, secretNamespace } from './issuer-of.ts';
import { isOver } from './order-cleanup.ts';
import { isPaused } from './order-note.ts';
import { isUnfinished } from './order-object.ts';
import type { Ports } from './ports.ts';
import { endUnneeded } from './secret-needs.ts';
import { ordersBy, ordersBySecret } from './solver-wakes.ts';
import { isEdited, sameReadiness, sameRules, saysRehearsal, saysUnpaused } from './what-changed.ts';

export interface Queues {
  gateway(key: string, change?: Change<KubeObject>): void;
  certificate(key: string, change?: Change<KubeObject>): void;
  issuer(key: string, change?: Change<KubeObject>): void;
  /** CertificateRequests; those of Certificates come to nothing there. */
  request(key: string, change?: Change<KubeObject>): void;
  /** Orders that are over and still have TXT records to remove. */
  cleanup(key: string, change?: Change<KubeObject>): void;
}

/** What mapping changes to keys needs: the caches, and the watches that a granted right wakes. */
export type Wired = Pick<Ports, 'stores' | 'settings' | 'hurried'> & {
  readonly secrets: Pick<Ports['secrets'], 'granted' | 'release' | 'retain'>;
};

export function wireTriggers(ports: Wired, queues: Queues): void {
  const { stores } = ports;
  stores.gateways.subscribe((change) => {
    queues.gateway(change.key, change);
    for (const order of ordersThrough(stores, change)) hurry(ports, queues, order);
    if (!isEdited(change)) return;
    // Challenges go through its HTTP listener, those of its sets too.
    const sets = [stores.listenerSets, stores.xListenerSets].flatMap((each) => each.by('parent', change.key));
    for (const parent of [change.key, ...sets.map(keyOf)]) {
      for (const certificate of stores.certificates.by('parent', parent)) queues.certificate(keyOf(certificate));
    }
  });
  stores.gatewayClasses.subscribe((change) => {
    // Its controller's name decides whether its Gateways are served.
    if (!isEdited(change)) return;
    for (const gateway of stores.gateways.by('class', change.key)) queues.gateway(keyOf(gateway));
  });
  for (const sets of [stores.listenerSets, stores.xListenerSets]) {
    sets.subscribe((change) => {
      for (const set of bothOf(change)) queues.gateway(parentKey(set), change);
      for (const certificate of stores.certificates.by('parent', change.key)) queues.certificate(keyOf(certificate));
    });
  }
  stores.namespaces.subscribe((change) => {
    if (change.kind === 'applied' && sameRules(change.object, change.previous)) return;
    for (const sets of [stores.listenerSets, stores.xListenerSets]) {
      for (const set of sets.by('namespace', change.key)) queues.gateway(parentKey(set));
    }
    for (const certificate of stores.certificates.by('namespace', change.key)) queues.certificate(keyOf(certificate));
  });
  stores.certificates.subscribe((change) => {
    queues.certificate(change.key, change);
    endUnneeded(ports, change);
    if (concernsListeners(change)) for (const gateway of gatewaysOf(ports, change)) queues.gateway(gateway);
    if (change.kind === 'removed') {
      wakeRivals(ports, queues, change.previous);
      const namespace = change.previous.metadata.namespace ?? '';
      if (stores.certificates.by('namespace', namespace).length === 0) ports.secrets.release(namespace);
    }
  });
  stores.requests.subscribe((change) => {
    const owners = ownersOf(change, 'Certificate');
    for (const key of owners) queues.certificate(key, change);
    if (owners.length === 0) queues.request(change.key, change);
    endUnneeded(ports, change);
  });
  stores.orders.subscribe((change) => {
    // Replicas that do not lead never take one off.
    if (change.kind === 'removed') ports.hurried.delete(change.previous.metadata.uid ?? '');
    else if (!isUnfinished(change.object)) ports.hurried.delete(change.object.metadata.uid ?? '');
    if (change.kind === 'applied' && isOver(change.object)) queues.cleanup(change.key, change);
    wakeOrder(ports, queues, change.kind === 'applied' ? change.object : change.previous, change);
  });
  stores.routes.subscribe((change) => {
    for (const order of ordersOfRoute(stores, change)) hurry(ports, queues, order);
  });
  for (const issuers of [stores.issuers, stores.clusterIssuers]) {
    issuers.subscribe((change) => {
      const issuer = change.kind === 'applied' ? change.object : change.previous;
      const key = issuerKey(issuer);
      queues.issuer(key, change);
      endUnneeded(ports, change);
      const isOld = change.kind === 'applied' && change.previous !== undefined;
      // Its solvers may be others now.
      if (isOld && (isEdited(change) || saysRehearsal(change)))
        for (const order of ordersBy(ports, issuer)) hurry(ports, queues, order);
      if (isOld && saysUnpaused(change)) {
        for (const order of stores.orders.by('issuer', key)) if (isPaused(order)) wakeOrder(ports, queues, order);
      }
      if (change.kind === 'applied' && change.previous !== undefined && sameReadiness(change.object, change.previous))
        return;
      for (const certificate of stores.certificates.by('issuer', key)) queues.certificate(keyOf(certificate));
      for (const request of stores.requests.by('issuer', key)) queues.request(keyOf(request));
    });
  }
  stores.roleBindings.subscribe((change) => {
    const object = change.kind === 'applied' ? change.object : change.previous;
    const namespace = object.metadata.namespace ?? '';
    ports.secrets.granted(namespace);
    secretChanged(ports, queues, namespace, undefined, undefined);
  });
}

/** What a change of a Secret wakes: its Certificate, the issuers that sign or register with it, and the Orders whose records it lets us write. */
export function secretChanged(
  ports: Pick<Ports, 'stores' | 'settings' | 'hurried'>,
  queues: Queues,
  namespace: string,
  name: string | undefined,
  metadata: Metadata | undefined,
) {
  const { stores } = ports;
  if (name === undefined) {
    for (const certificate of stores.certificates.by('namespace', namespace)) queues.certificate(keyOf(certificate));
  } else {
    for (const index of ['secretName', 'passwordSecret'] as const)
      for (const certificate of stores.certificates.by(index, `${namespace}/${name}`))
        queues.certificate(keyOf(certificate));
    for (const request of stores.requests.by('key', `${namespace}/${name}`)) queues.request(keyOf(request));
    for (const owner of metadata?.metadata.ownerReferences ?? []) {
      if (owner.kind === 'Certificate') queues.certificate(`${namespace}/${owner.name}`);
    }
  }
  for (const issuers of [stores.issuers, stores.clusterIssuers]) {
    for (const issuer of issuers.by('secret', name ?? '*')) {
      if (secretNamespace(ports, issuer) !== namespace) continue;
      queues.issuer(issuerKey(issuer));
      // A CA that ends later is worth a renewal that was not worth it before.
      if (issuer.spec.ca?.secretName !== name || name === undefined) continue;
      for (const each of stores.certificates.by('issuer', issuerKey(issuer))) queues.certificate(keyOf(each));
    }
  }
  for (const order of ordersBySecret(ports, namespace, name)) {
    if (isOver(order)) queues.cleanup(keyOf(order));
    else hurry(ports, queues, order);
  }
}

function bothOf<T extends KubeObject>(change: Change<T>): readonly T[] {
  if (change.kind === 'removed') return [change.previous];
  return change.previous === undefined ? [change.object] : [change.object, change.previous];
}

/** A Certificate's status is nothing to its listeners, nor is what they wrote themselves. */
function concernsListeners(change: Change<Certificate>): boolean {
  if (change.kind === 'removed') return true;
  if (change.origin === 'own') return false;
  const { object, previous } = change;
  return (
    object.metadata.generation !== previous?.metadata.generation ||
    JSON.stringify(ownedBits(object)) !== JSON.stringify(ownedBits(previous))
  );
}

function ownedBits(certificate: Certificate | undefined) {
  const metadata = certificate?.metadata;
  return [metadata?.labels, metadata?.annotations, metadata?.ownerReferences, metadata?.deletionTimestamp];
}

/** The Gateways whose listeners made, or want, the Certificate: an edit by hand is put right, a removed one made again. */
export function gatewaysOf(ports: Pick<Wired, 'stores'>, change: Change<Certificate>): readonly string[] {
  const certificate = change.kind === 'applied' ? change.object : change.previous;
  const namespace = certificate.metadata.namespace ?? '';
  const { stores } = ports;
  const found = new Set<string>();
  for (const owner of certificate.metadata.ownerReferences ?? []) {
    if (owner.kind === 'Gateway') found.add(`${namespace}/${owner.name}`);
    for (const sets of [stores.listenerSets, stores.xListenerSets]) {
      const set = sets.get(`${namespace}/${owner.name}`);
      if (set !== undefined && set.metadata.uid === owner.uid) found.add(parentKey(set));
    }
  }
  if (change.kind === 'removed') {
    for (const sets of [stores.listenerSets, stores.xListenerSets]) {
      for (const set of sets.by('secret', `${namespace}/${certificate.metadata.name}`)) found.add(parentKey(set));
    }
    for (const gateway of stores.gateways.by('secret', `${namespace}/${certificate.metadata.name}`))
      found.add(keyOf(gateway));
  }
  return [...found];
}

/** What the order is for: a Certificate, or a request that somebody else made. */
function wakeOrder(ports: Pick<Ports, 'stores'>, queues: Queues, order: Order, change?: Change<KubeObject>): void {
  const { namespace, ownerReferences = [] } = order.metadata;
  for (const { name } of ownerReferences.filter(({ kind }) => kind === 'CertificateRequest')) {
    const key = `${namespace}/${name}`;
    const owners = ports.stores.requests.get(key)?.metadata.ownerReferences ?? [];
    const makers = owners.filter(({ kind }) => kind === 'Certificate');
    for (const maker of makers) queues.certificate(`${namespace}/${maker.name}`, change);
    if (makers.length === 0) queues.request(key, change);
  }
}

function hurry(ports: Pick<Ports, 'stores' | 'hurried'>, queues: Queues, order: Order): void {
  if (!isUnfinished(order)) return;
  ports.hurried.add(order.metadata.uid ?? '');
  wakeOrder(ports, queues, order);
}

function wakeRivals(ports: Wired, queues: Queues, gone: Certificate): void {
  const claim = `${gone.metadata.namespace}/${gone.spec.secretName}`;
  for (const certificate of ports.stores.certificates.by('secretName', claim)) queues.certificate(keyOf(certificate));
}

function ownersOf(change: Change<KubeObject>, kind: string): readonly string[] {
  const { metadata } = change.kind === 'applied' ? change.object : change.previous;
  const owners = (metadata.ownerReferences ?? []).filter((owner) => owner.kind === kind);
  return owners.map((owner) => `${metadata.namespace}/${owner.name}`);
}
