// Which accounts of namespaces' own a change concerns: the template's, the stamped Issuer's, that of a Certificate or request which names one. Wired up once
// in main.ts, and gone through as a whole when Certway begins to issue.

import type { Certificate, CertificateRequest, Issuer } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import type { KubeObject } from '../api/meta.ts';
import { annotations, certManagerGroup } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { type Change, keyOf } from '../kube/store.ts';
import { templateOf } from '../plan/stamp.ts';
import { issuerKey } from './issuer-of.ts';
import { isUnfinished } from './order-object.ts';
import type { Stores } from './ports.ts';
import { templateFor } from './stamp-served.ts';
import { gatewaysOf, type Queues } from './triggers.ts';

export interface StampQueues extends Queues {
  /** Keys as `stampKey` spells them, and `allStamps`. */
  stamp(key: string, change?: Change<KubeObject>): void;
}

/** Not one of them, but all whose account key is left in the cluster resource namespace. */
export const allStamps = '';

/** `namespace` is empty for the ClusterIssuer itself. */
export function stampKey(namespace: string, template: string): string {
  return `${namespace}/${template}`;
}

export function wireStamps(stores: Stores, queues: StampQueues): void {
  stores.clusterIssuers.subscribe((change) => {
    if (change.kind === 'applied' && change.previous !== undefined && sameTemplate(change.object, change.previous))
      return;
    wakeTemplate(stores, queues, change.key);
  });
  stores.issuers.subscribe((change) => {
    const { namespace = '', name } = (change.kind === 'applied' ? change.object : change.previous).metadata;
    const template = templateOf(name);
    if (template !== undefined) queues.stamp(stampKey(namespace, template), change);
  });
  stores.certificates.subscribe((change) => {
    const [now, before] = [
      stampNamed(change.kind === 'applied' ? change.object : undefined),
      stampNamed(change.previous),
    ];
    if (now === before && change.kind === 'applied') return;
    for (const key of new Set([now, before])) if (key !== undefined) queues.stamp(key, change);
  });
  stores.requests.subscribe((change) => wakeNamed(queues, change));
  stores.orders.subscribe((change) => {
    if (change.kind === 'removed' || !isUnfinished(change.object)) wakeNamed(queues, change);
  });
}

/** Everything at once, as a first list would. */
export function wakeStamps(stores: Stores, queues: StampQueues): void {
  queues.stamp(allStamps);
  for (const { metadata } of stores.clusterIssuers.list()) wakeTemplate(stores, queues, metadata.name);
  for (const issuer of stores.issuers.list()) {
    const template = templateOf(issuer.metadata.name);
    if (template !== undefined) queues.stamp(stampKey(issuer.metadata.namespace ?? '', template));
  }
  for (const certificate of stores.certificates.list()) {
    const key = stampNamed(certificate);
    if (key !== undefined) queues.stamp(key);
  }
}

/** Its stamped Issuers follow it; and where it gives accounts, or no longer, listeners name another issuer. */
function wakeTemplate(stores: Stores, queues: StampQueues, name: string): void {
  queues.stamp(stampKey('', name));
  for (const issuer of stores.issuers.by('template', name)) {
    queues.stamp(stampKey(issuer.metadata.namespace ?? '', name));
    queues.issuer(issuerKey(issuer));
  }
  for (const certificate of stores.certificates.by('template', name)) {
    const key = keyOf(certificate);
    const stamp = stampNamed(certificate);
    const isOwn = templateFor({ stores }, name, certificate.metadata.namespace ?? '') !== undefined;
    if (stamp !== undefined) {
      queues.stamp(stamp);
      queues.certificate(key);
    }
    if (isOwn === (stamp !== undefined)) continue;
    const seen = { kind: 'applied', key, object: certificate, origin: 'watch' } as const;
    for (const gateway of gatewaysOf({ stores }, seen)) queues.gateway(gateway);
  }
}

type Naming = Certificate | CertificateRequest | Order;

/** The key of the stamped Issuer that the object names. */
function stampNamed(object: Naming | undefined): string | undefined {
  if (object === undefined) return undefined;
  const { kind, name, group } = fullRef(object.spec.issuerRef);
  const template = kind === 'Issuer' && group === certManagerGroup ? templateOf(name) : undefined;
  return template === undefined ? undefined : stampKey(object.metadata.namespace ?? '', template);
}

function wakeNamed(queues: StampQueues, change: Change<CertificateRequest> | Change<Order>): void {
  const key = stampNamed(change.kind === 'applied' ? change.object : change.previous);
  if (key !== undefined) queues.stamp(key, change);
}

/** In what a stamped Issuer, or who has one, depends on it. */
function sameTemplate(a: Issuer, b: Issuer): boolean {
  const bits = ({ metadata: { generation, deletionTimestamp, uid, annotations: noted } }: Issuer) =>
    JSON.stringify([generation, deletionTimestamp, uid, noted?.[annotations.accountPerTenant]]);
  return bits(a) === bits(b);
}
