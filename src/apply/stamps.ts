// One reconcile of one namespace's own account with one ClusterIssuer: observe, plan, perform, until the plan rests. Called by the work queue in main.ts;
// stamp-wakes.ts puts the keys into it.

import type { Issuer } from '../api/certmanager.ts';
import { labels } from '../api/names.ts';
import { issuers, secrets } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { refOf } from '../plan/object-ref.ts';
import { accountSecretName, ownerOfSecret, stampedName, templateTrouble } from '../plan/stamp.ts';
import { type KeySecretSeen, planStamp, type StampAction, type StampSeen } from '../plan/stamp-step.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { isUnfinished } from './order-object.ts';
import { afterProblem } from './outcome.ts';
import type { Ports } from './ports.ts';
import { templateFor } from './stamp-served.ts';
import { allStamps, stampKey } from './stamp-wakes.ts';

export type StampPorts = Pick<Ports, 'kube' | 'recorder' | 'log' | 'now'> & {
  readonly stores: Pick<
    Ports['stores'],
    'issuers' | 'clusterIssuers' | 'certificates' | 'requests' | 'orders' | 'namespaces'
  >;
  readonly settings: Pick<Ports['settings'], 'clusterResourceNamespace'>;
};

/** How long an account stays that nobody uses, ms: a new one costs one of the few that a CA lets an address make. */
export const quietMs = 3_600_000;

const mostActions = 10;

/** The reconcile function for keys "namespace/ClusterIssuer", and for `allStamps`. `wake` puts such a key into the queue. */
export function stampReconciler(
  ports: StampPorts,
  wake: (key: string) => void,
  quiet = quietMs,
): (key: string) => Promise<Outcome> {
  /** Since when nobody has named an Issuer, as this process has seen it. */
  const idleSince = new Map<string, number>();
  return async (key) => {
    if (key === allStamps) return findLeft(ports, wake);
    const slash = key.indexOf('/');
    const place = { namespace: key.slice(0, slash), template: key.slice(slash + 1) };
    if (place.namespace === '') return judgeTemplate(ports, place.template);
    let keySecret: KeySecretSeen = { kind: 'unread' };
    for (let count = 0; count < mostActions; count++) {
      const seen = observe(ports, place, keySecret, idleSince);
      const action = planStamp(seen, quiet, ports.now());
      if (action.kind === 'rest') {
        if (action.revisitAt !== undefined) return { kind: 'revisit', at: action.revisitAt };
        if (seen.issuer === undefined) idleSince.delete(key);
        return { kind: 'settled' };
      }
      ports.log.debug({ stamp: key, action: action.kind }, 'stamp');
      const done = await perform(ports, place, action);
      if (!done.ok) return refused(ports, place, action, done.problem);
      keySecret = done.keySecret ?? keySecret;
    }
    return { kind: 'retry', why: `${mostActions} actions without coming to rest` };
  };
}

interface Place {
  readonly namespace: string;
  /** The name of the ClusterIssuer. */
  readonly template: string;
}

function observe(
  ports: StampPorts,
  { namespace, template: name }: Place,
  keySecret: KeySecretSeen,
  idleSince: Map<string, number>,
): StampSeen {
  const { stores, now } = ports;
  const key = stampKey(namespace, name);
  const template = templateFor(ports, name, namespace);
  const issuer = stores.issuers.get(`${namespace}/${stampedName(name)}`);
  const isUsed = usesOf(ports, namespace, name);
  if (isUsed) idleSince.delete(key);
  const since = idleSince.get(key) ?? now();
  if (!isUsed) idleSince.set(key, since);
  return {
    namespace,
    place: placeOf(ports, namespace),
    ...(template !== undefined && { template }),
    ...(issuer !== undefined && { issuer }),
    use: isUsed ? { kind: 'used' } : { kind: 'unused', since },
    keySecret,
  };
}

/** A listener that resolves to it has a Certificate that says so. Caches that nobody fills know nothing. */
function usesOf({ stores }: StampPorts, namespace: string, template: string): boolean {
  const { certificates, requests, orders } = stores;
  if (!certificates.synced || !requests.synced || !orders.synced) return true;
  const issuer = `Issuer/${namespace}/${stampedName(template)}`;
  return (
    certificates.by('issuer', issuer).length > 0 ||
    requests.by('issuer', issuer).some(({ status }) => status?.certificate === undefined && !status?.failureTime) ||
    orders.by('issuer', issuer).some((order) => isUnfinished(order) || (order.metadata.finalizers ?? []).length > 0)
  );
}

function placeOf({ stores }: StampPorts, namespace: string): StampSeen['place'] {
  if (!stores.namespaces.synced) return 'open';
  const found = stores.namespaces.get(namespace);
  return found !== undefined && found.metadata.deletionTimestamp === undefined ? 'open' : 'closed';
}

type Done =
  | { readonly ok: true; readonly keySecret?: KeySecretSeen }
  | { readonly ok: false; readonly problem: KubeProblem };
type Step = Exclude<StampAction, { readonly kind: 'rest' }>;

async function perform(ports: StampPorts, place: Place, action: Step): Promise<Done> {
  switch (action.kind) {
    case 'create':
      return stamp(ports, action.object, action.template);
    case 'putBack':
      return putBack(ports, place, action.object);
    case 'deleteIssuer':
      return deleteIssuer(ports, action.object);
    case 'readSecret':
      return readSecret(ports, place);
    case 'deleteSecret':
      return deleteSecret(ports, place, action.uid);
    default:
      return action satisfies never;
  }
}

async function stamp({ kube, stores, recorder }: StampPorts, object: Issuer, template: Issuer): Promise<Done> {
  const made = await kube.create(issuers, object);
  if (!made.ok) return made;
  stores.issuers.note(made.value);
  const message = `Stamped from ClusterIssuer "${template.metadata.name}": an ACME account of this namespace's own.`;
  await recorder.say({ about: refOf(made.value), type: 'Normal', reason: 'Stamped', message });
  return { ok: true };
}

async function putBack({ kube, stores, recorder }: StampPorts, { template }: Place, object: Issuer): Promise<Done> {
  const put = await kube.replace(issuers, object);
  if (!put.ok) return put;
  stores.issuers.note(put.value);
  const message = `Follows ClusterIssuer "${template}" again; what it says is changed there.`;
  const of = put.value.metadata.resourceVersion ?? '';
  await recorder.say({ about: refOf(put.value), type: 'Normal', reason: 'PutInStep', message }, { of });
  return { ok: true };
}

async function deleteIssuer({ kube, stores, log }: StampPorts, object: Issuer): Promise<Done> {
  const { namespace = '', name, uid, resourceVersion } = object.metadata;
  const only = { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
  const gone = await kube.delete(issuers, { namespace, name }, only);
  if (!gone.ok && gone.problem.kind !== 'notFound') return gone;
  stores.issuers.forget(object);
  log.info({ namespace, name }, 'an account of a namespace’s own is not used any more: its Issuer is deleted');
  return { ok: true };
}

async function readSecret({ kube, settings }: StampPorts, { namespace, template }: Place): Promise<Done> {
  const at = { namespace: settings.clusterResourceNamespace, name: accountSecretName(template, namespace) };
  const read = await kube.get(secrets, at);
  if (!read.ok) return read.problem.kind === 'notFound' ? { ok: true, keySecret: { kind: 'absent' } } : read;
  const { labels: marks, uid = '' } = read.value.metadata;
  const isOurs = marks?.[labels.managedBy] === 'certway' && marks[labels.stampedFrom] !== undefined;
  return { ok: true, keySecret: isOurs ? { kind: 'ours', uid } : { kind: 'foreign' } };
}

/** The account itself stays at the CA, without anybody who has its key; closing it would free nothing there. */
async function deleteSecret({ kube, settings, log }: StampPorts, place: Place, uid: string): Promise<Done> {
  const name = accountSecretName(place.template, place.namespace);
  const gone = await kube.delete(secrets, { namespace: settings.clusterResourceNamespace, name }, { uid });
  if (!gone.ok && gone.problem.kind !== 'notFound') return gone;
  log.info({ namespace: place.namespace, secret: name }, 'the key of an account that is not used any more is deleted');
  return { ok: true, keySecret: { kind: 'absent' } };
}

/** Whoever waits for the Issuer cannot see why it is not made. */
async function refused(ports: StampPorts, place: Place, { kind }: Step, problem: KubeProblem): Promise<Outcome> {
  if (kind === 'create' && (problem.kind === 'forbidden' || problem.kind === 'invalid')) {
    const { namespace, template } = place;
    const name = stampedName(template);
    const message = `Issuer "${name}", for an account of this namespace's own with ClusterIssuer "${template}", is refused by the API server: ${problem.message}`;
    for (const certificate of ports.stores.certificates.by('issuer', `Issuer/${namespace}/${name}`)) {
      await ports.recorder.say({ about: refOf(certificate), type: 'Warning', reason: 'StampRefused', message });
    }
  }
  return afterProblem(problem, ports.now());
}

/** Told on the ClusterIssuer, whose owner wrote the annotation. */
async function judgeTemplate({ stores, recorder }: StampPorts, name: string): Promise<Outcome> {
  const template = stores.clusterIssuers.get(name);
  const trouble = template === undefined ? undefined : templateTrouble(template);
  if (template !== undefined && trouble !== undefined)
    await recorder.say({ about: refOf(template), type: 'Warning', reason: 'BadConfig', message: trouble });
  return { kind: 'settled' };
}

/** Keys whose Issuer went while nobody looked: an earlier process was ended between the two, or the garbage collector was faster. */
async function findLeft(ports: StampPorts, wake: (key: string) => void): Promise<Outcome> {
  const { kube, settings } = ports;
  const labelSelector = `${labels.managedBy}=certway,${labels.stampedFrom}`;
  const left = await kube.list(secrets, { namespace: settings.clusterResourceNamespace, labelSelector });
  if (!left.ok) return afterProblem(left.problem, ports.now());
  for (const { metadata } of left.value) {
    const owner = ownerOfSecret(metadata.name);
    if (owner !== undefined) wake(stampKey(owner.namespace, owner.template));
  }
  return { kind: 'settled' };
}
