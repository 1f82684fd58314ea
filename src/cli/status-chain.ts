// The way of one Certificate as nodes: issuer and where it came from, Certificate, request, order, challenge routes, Secret, life.
// Pure; called by status-view.ts for each Secret that a listener names, and for a Certificate that was asked for by name.

import type { Certificate, CertificateRequest, IssuerRef } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import type { KubeObject } from '../api/meta.ts';
import { annotations, certManagerGroup } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { isUnfinished } from '../apply/order-object.ts';
import { hostOf } from '../order/rehearsal.ts';
import { conditionOf } from '../plan/conditions.ts';
import { notedRehearsal } from '../plan/rehearsal.ts';
import { asOne, issuerKey, type Problem, whoMends } from './status-blame.ts';
import { type Finding, findingOf, nextAttempt, waitOf } from './status-certificate.ts';
import { moment, type ViewNode } from './status-node.ts';
import { routeNodes } from './status-route.ts';
import { itemsOf, type Sight, type Surroundings } from './status-scene.ts';

export interface Link {
  readonly name: string;
  readonly namespace: string;
  /** Kind of the object that has the listener; "Certificate" where there is none. */
  readonly owner: string;
  readonly certificate: Sight<Certificate>;
  /** What the listener asks for now; absent where that is refused, or not to be seen. */
  readonly issuer?: IssuerRef;
  /** Where the issuer is named. */
  readonly from: string;
  readonly suspendedBy: Problem | undefined;
  /** In what the Certificate is not as the listener asks. */
  readonly behind: readonly string[];
  /** What the controller has said of a Certificate that it did not make. */
  readonly warned: Problem | undefined;
}

export function chainOf(link: Link, around: Surroundings, now: number): readonly ViewNode[] {
  const certificate = link.certificate.kind === 'seen' ? link.certificate.value : undefined;
  const request = certificate === undefined ? undefined : newest(ownedBy(certificate, itemsOf(around.requests)));
  const order = request === undefined ? undefined : newest(ownedBy(request, itemsOf(around.orders)));
  const routes = order === undefined || !isUnfinished(order) ? [] : routeNodes(order, itemsOf(around.routes));
  const ref = link.issuer ?? certificate?.spec.issuerRef;
  return [
    ...(ref === undefined ? [] : [issuerNode(ref, link, around)]),
    certificateNode(link, order, routes, now),
    ...(request === undefined ? [] : [requestNode(request)]),
    ...(order === undefined ? [] : [orderNode(order, now)]),
    ...routes,
    secretNode(certificate?.spec.secretName ?? link.name, certificate, around),
    ...(certificate === undefined ? [] : lifeNodes(certificate, now)),
  ];
}

function ownedBy<T extends KubeObject>(owner: KubeObject, all: readonly T[]): readonly T[] {
  const { uid } = owner.metadata;
  return all.filter((each) => each.metadata.ownerReferences?.some((ref) => ref.uid === uid) === true);
}

function newest<T extends KubeObject>(all: readonly T[]): T | undefined {
  const revision = ({ metadata }: T) => Number(metadata.annotations?.[annotations.certificateRevision] ?? 0);
  return all.toSorted((a, b) => revision(b) - revision(a))[0];
}

function issuerNode(ref: IssuerRef, { namespace, owner, from }: Link, around: Surroundings): ViewNode {
  const { kind, group, name } = fullRef(ref);
  const node = { what: kind, name };
  if (group !== certManagerGroup) return { ...node, mark: 'note', says: `${from}; the controller of ${group} signs` };
  const many = kind === 'ClusterIssuer' ? around.clusterIssuers : around.issuers;
  if (many.kind === 'hidden') return { ...node, mark: 'hidden', says: `${from}; ${many.why}` };
  const blamed = (reason: string) => whoMends({ reason, owner, issuerKind: kind });
  const found = itemsOf(many).find((each) => each.metadata.name === name);
  if (found === undefined) {
    const sentence = `${kind} "${name}" does not exist; create it, or correct the reference`;
    const where = kind === 'ClusterIssuer' ? '' : ` in namespace ${namespace}`;
    const problem = { key: issuerKey(ref), who: blamed('IssuerNotFound'), sentence };
    return { ...node, mark: 'bad', says: `${from}; does not exist${where}`, problem };
  }
  const ready = conditionOf(found.status?.conditions, 'Ready');
  if (ready?.status === 'True') return { ...node, mark: 'good', says: `${from}; ready` };
  const why = asOne(ready?.message ?? 'it has not been looked at yet');
  const sentence = `${kind} "${name}" is not ready: ${why}`;
  const problem = { key: issuerKey(ref), who: blamed('IssuerNotReady'), sentence };
  return { ...node, mark: 'bad', says: `${from}; not ready: ${why}`, problem };
}

function certificateNode(link: Link, order: Order | undefined, routes: readonly ViewNode[], now: number): ViewNode {
  const { certificate: sight, suspendedBy, owner, name, behind } = link;
  const node = { what: 'Certificate', name: sight.kind === 'seen' ? sight.value.metadata.name : name };
  switch (sight.kind) {
    case 'seen': {
      const routeProblem = routes.find((route) => route.problem !== undefined)?.problem;
      return {
        ...node,
        ...findingOf({ certificate: sight.value, owner, order, suspendedBy, routeProblem, behind }, now),
      };
    }
    case 'hidden': {
      const sentence = `${sight.why}, and without that it cannot be told whether it is issued`;
      const problem: Problem = { key: `hidden/${sight.why}`, who: 'platform owner', sentence };
      return { ...node, mark: 'hidden', says: sight.why, problem };
    }
    case 'absent':
      return { ...node, ...unmade(link, sight.what) };
    default:
      return sight satisfies never;
  }
}

function unmade({ namespace, name, owner, issuer, warned }: Link, what: 'object' | 'kind'): Finding {
  const key = `certificate/${namespace}/${name}`;
  if (what === 'kind') {
    const sentence = 'this cluster does not know the kind Certificate of cert-manager.io; apply crds/';
    return { mark: 'bad', says: sentence, problem: { key: 'kind/Certificate', who: 'platform owner', sentence } };
  }
  if (issuer === undefined) return { mark: 'bad', says: 'is not made' };
  if (warned !== undefined) return { mark: 'bad', says: `is not made: ${warned.sentence}`, problem: warned };
  const flag = owner === 'XListenerSet' ? '--feature-gates XGatewayAPI=true' : '--enable-gateway-api';
  const sentence = `Certificate ${name} is asked for and not made yet; if that lasts, Certway is not running here, or without ${flag}`;
  return { mark: 'busy', says: 'is not made yet', problem: { key, who: 'nobody', sentence } };
}

function requestNode(request: CertificateRequest): ViewNode {
  const ready = conditionOf(request.status?.conditions, 'Ready');
  const isRefused = ready?.reason === 'Failed' || ready?.reason === 'Denied';
  const approved = conditionOf(request.status?.conditions, 'Approved')?.status === 'True';
  const open = approved ? 'approved, and not signed yet' : 'not signed yet';
  return {
    what: 'CertificateRequest',
    name: request.metadata.name,
    mark: ready?.status === 'True' ? 'good' : isRefused ? 'bad' : 'busy',
    says: ready?.status === 'True' ? 'issued' : isRefused ? asOne(ready?.message ?? ready?.reason ?? '') : open,
  };
}

function orderNode(order: Order, now: number): ViewNode {
  const { state = standingOf(order), reason } = order.status ?? {};
  const wait = waitOf(order);
  const node = { what: 'Order', name: order.metadata.name };
  if (wait !== undefined) {
    const next = `; ${nextAttempt(wait, now)}`;
    const says = `${state}; waits for ${wait.reason}: ${asOne(wait.message)} (attempt ${wait.attempts})${next}`;
    return { ...node, mark: 'busy', says, times: { nextAttempt: new Date(wait.until).toISOString() } };
  }
  const isOpen = isUnfinished(order);
  const mark = state === 'valid' ? 'good' : isOpen ? 'busy' : 'bad';
  return { ...node, mark, says: reason === undefined || reason === '' ? state : `${state}: ${asOne(reason)}` };
}

function standingOf(order: Order): string {
  const note = notedRehearsal(order);
  if (note === undefined) return 'not placed at the CA yet';
  const where = `at ${hostOf(note.directory)}`;
  switch (note.state) {
    case 'open':
      return `rehearsing ${where}, not placed at the issuer's own CA yet`;
    case 'failed':
      return `rehearsing ${where}, where it has failed, and not placed at the issuer's own CA`;
    case 'passed':
      return `rehearsed ${where}, not placed at the issuer's own CA yet`;
    default:
      return note.state satisfies never;
  }
}

function secretNode(name: string, certificate: Certificate | undefined, around: Surroundings): ViewNode {
  const sight = around.secrets.get(name) ?? { kind: 'absent', what: 'object' };
  const node = { what: 'Secret', name };
  if (sight.kind === 'hidden') return { ...node, mark: 'hidden', says: sight.why };
  if (sight.kind === 'absent') {
    const isReady = conditionOf(certificate?.status?.conditions, 'Ready')?.status === 'True';
    return { ...node, mark: isReady ? 'busy' : 'bad', says: 'does not exist' };
  }
  const noted = sight.value.annotations ?? {};
  const of = noted[annotations.certificateName];
  if (of === undefined) return { ...node, mark: 'note', says: 'exists, and was not made for a Certificate' };
  const by = `issued by ${noted[annotations.issuerKind] || 'Issuer'} ${noted[annotations.issuerName] ?? ''}`;
  const isOther = certificate !== undefined && certificate.metadata.name !== of;
  return {
    ...node,
    mark: isOther ? 'bad' : 'good',
    says: isOther ? `was made for Certificate ${of}` : `exists, ${by}`,
  };
}

function lifeNodes({ status }: Certificate, now: number): readonly ViewNode[] {
  const { notAfter, renewalTime } = status ?? {};
  if (notAfter === undefined) return [];
  const [end, renewal] = [Date.parse(notAfter), Date.parse(renewalTime ?? '')];
  const renews = Number.isNaN(renewal) ? '' : `, renews on ${moment(renewal, now)}`;
  const verb = end <= now ? 'expired' : 'expires';
  const times = { notAfter, ...(renewalTime !== undefined && { renewalTime }) };
  return [{ what: 'life', mark: end <= now ? 'bad' : 'good', says: `${verb} on ${moment(end, now)}${renews}`, times }];
}
