// The tree of a Gateway or a ListenerSet: what stands against it, its Gateway, then each listener with the way of its certificates.
// Pure; called by status-view.ts.

import type { Certificate } from '../api/certmanager.ts';
import type { Gateway, Listener, ListenerSet } from '../api/gateway.ts';
import { annotations } from '../api/names.ts';
import { controllerOf } from '../plan/listeners-owner.ts';
import { readShape } from '../resolve/annotations.ts';
import { nothingInherited } from '../resolve/inherit.ts';
import { judgeListener, namedSecrets } from '../resolve/listener.ts';
import { type Source, sourceOfGateway, sourceOfListenerSet } from '../resolve/source.ts';
import { listed } from '../resolve/words.ts';
import type { WantedCertificate } from '../resolve/world.ts';
import { asOne, type Problem, whoMends } from './status-blame.ts';
import { chainOf, type Link } from './status-chain.ts';
import type { Judgement } from './status-judge.ts';
import type { ViewNode } from './status-node.ts';
import { parentNodes } from './status-parent.ts';
import { isSet, itemsOf, type Sight, type Surroundings } from './status-scene.ts';

export interface Walk {
  readonly owner: Gateway | ListenerSet;
  readonly judgement: Judgement;
  readonly around: Surroundings;
  readonly now: number;
}

export function listenerNodes(walk: Walk): readonly ViewNode[] {
  const source = sourceOf(walk.owner);
  const shown = new Map<string, string>();
  const listeners = source.listeners.map((listener, index) => listenerNode(walk, source, listener, index, shown));
  return [...parentNodes(walk), ...refusalNodes(walk), ...listeners, ...leftovers(walk, shown)];
}

function sourceOf(owner: Gateway | ListenerSet): Source {
  return isSet(owner) ? sourceOfListenerSet(owner) : sourceOfGateway(owner);
}

/** What the controller refuses about this object, in the words of its events. */
export function refusalNodes({ owner, judgement }: Pick<Walk, 'owner' | 'judgement'>): readonly ViewNode[] {
  return judgement.told
    .filter(({ about }) => about.uid === owner.metadata.uid)
    .map(({ reason, message, problem }) => ({ mark: 'bad', what: 'refused', name: reason, says: message, problem }));
}

function listenerNode(
  walk: Walk,
  source: Source,
  listener: Listener,
  index: number,
  shown: Map<string, string>,
): ViewNode {
  const { name, hostname = '', protocol, port } = listener;
  const node = { what: 'listener', name };
  const what = [hostname, `${protocol} on port ${port ?? 'of the Gateway'}`].filter((word) => word !== '').join(', ');
  const protocols = new Set(['HTTPS', 'TLS']);
  const ignored = readShape(source, nothingInherited).shape.ignoredListeners ?? [];
  const verdict = judgeListener(source, index, listener, protocols, ignored);
  if (verdict.kind === 'skipped') return { ...node, mark: 'note', says: `${what}; asks for no certificate` };
  const secrets = [...new Set(namedSecrets(source, listener, protocols))];
  if (secrets.length === 0) {
    const isRefused = walk.judgement.told.some(({ about }) => about.uid === source.subject.uid);
    return { ...node, mark: isRefused ? 'bad' : 'note', says: `${what}; gets no certificate` };
  }
  const under = secrets.flatMap((secret) => secretNodes(walk, source, { secret, listener: name }, shown));
  return { ...node, mark: markOf(under), says: what, under };
}

/** A Secret that is hidden says nothing against a listener, a Certificate that is hidden leaves all open. */
function markOf(under: readonly ViewNode[]): ViewNode['mark'] {
  const marks = new Set(under.map(({ mark }) => mark));
  if (marks.has('bad')) return 'bad';
  if (marks.has('busy')) return 'busy';
  const isOpen = under.some(({ what, mark }) => what === 'Certificate' && mark === 'hidden');
  if (marks.has('good') && !isOpen) return 'good';
  return marks.has('hidden') ? 'hidden' : 'note';
}

/** A Secret's way is shown under the first listener that names it. */
function secretNodes(
  walk: Walk,
  source: Source,
  { secret, listener }: { readonly secret: string; readonly listener: string },
  shown: Map<string, string>,
): readonly ViewNode[] {
  const earlier = shown.get(secret);
  if (earlier !== undefined) {
    return [{ mark: 'note', what: 'Certificate', name: secret, says: `shared with listener ${earlier}` }];
  }
  shown.set(secret, listener);
  const wanted = walk.judgement.resolution.wanted.find(
    (each) => each.namespace === source.namespace && each.name === secret && each.owner.uid === source.subject.uid,
  );
  const certificate = certificateNamed(walk, secret);
  const isOurs = certificate.kind === 'seen' && controllerOf(certificate.value)?.uid === source.subject.uid;
  if (wanted !== undefined || isOurs)
    return chainOf(linkOf(walk, source, secret, certificate, wanted), walk.around, walk.now);
  return [unasked(walk, source, secret)];
}

function certificateNamed({ around }: Walk, name: string): Sight<Certificate> {
  if (around.certificates.kind !== 'seen') return around.certificates;
  const value = around.certificates.value.find(({ metadata }) => metadata.name === name);
  return value === undefined ? { kind: 'absent', what: 'object' } : { kind: 'seen', value };
}

export function linkOf(
  { judgement, around }: Pick<Walk, 'judgement' | 'around'>,
  source: Source,
  name: string,
  certificate: Sight<Certificate>,
  wanted: WantedCertificate | undefined,
): Link {
  const { kind, uid } = source.subject;
  const told = judgement.told.find(({ about, touches }) => about.uid === uid && touches.includes(name))?.problem;
  const warnings = warningsOf(source, around);
  const suspended =
    certificate.kind === 'seen' ? certificate.value.metadata.annotations?.[annotations.suspended] : undefined;
  return {
    name,
    namespace: source.namespace,
    owner: kind,
    certificate,
    ...(wanted !== undefined && { issuer: wanted.spec.issuerRef }),
    from: wanted === undefined ? 'as the Certificate says' : originOf(wanted, source),
    suspendedBy: told ?? warnings.find(({ key }) => suspended !== undefined && key.endsWith(`/${suspended}`)),
    warned: warnings[0],
    behind: judgement.behind.get(name) ?? [],
  };
}

function originOf({ issuerFrom, listeners }: WantedCertificate, source: Source): string {
  const { subject } = source;
  if (
    issuerFrom.kind !== subject.kind ||
    issuerFrom.name !== subject.name ||
    issuerFrom.namespace !== subject.namespace
  ) {
    return `inherited from ${issuerFrom.kind} ${issuerFrom.namespace}/${issuerFrom.name}`;
  }
  const entries = source.annotations[annotations.listenerIssuers]?.split(',') ?? [];
  const isEntry = entries.some((entry) => listeners.includes(entry.split('=')[0]?.trim() ?? ''));
  return isEntry ? `named for ${listed(listeners)} in ${annotations.listenerIssuers}` : `named on this ${subject.kind}`;
}

/** The controller runs with flags that are not known here: what it has said of the object counts where nothing else explains it. Newest first. */
function warningsOf({ subject }: Source, { warnings }: Surroundings): readonly Problem[] {
  return itemsOf(warnings)
    .toSorted((a, b) => Date.parse(b.lastTimestamp) - Date.parse(a.lastTimestamp))
    .map(({ reason, message }) => ({
      key: `${reason}/${message}`,
      who: whoMends({ reason, owner: subject.kind }),
      sentence: asOne(message),
    }));
}

/** A Secret for which no Certificate is wanted: refused above, or nobody has named an issuer. */
function unasked({ judgement, around, owner }: Walk, source: Source, secret: string): ViewNode {
  const { subject, namespace } = source;
  const node = { what: 'Secret', name: secret };
  const sight = around.secrets.get(secret);
  const isThere = sight?.kind === 'seen';
  const state = isThere ? 'exists' : sight?.kind === 'hidden' ? sight.why : 'does not exist';
  const isRefused = judgement.told.some(
    ({ about, touches }) => about.uid === owner.metadata.uid && (touches.length === 0 || touches.includes(secret)),
  );
  if (isRefused) return { ...node, mark: 'bad', says: `gets no certificate, as said above; the Secret: ${state}` };
  const isBlind = around.gateway?.kind === 'hidden';
  const unknown = 'whether its Gateway names an issuer and admits it cannot be seen';
  const none = isSet(owner) ? 'neither this object nor its Gateway names an issuer' : 'this Gateway names no issuer';
  const why = isBlind ? `this object names no issuer, and ${unknown}` : none;
  if (isThere) return { ...node, mark: 'note', says: `exists; ${why}` };
  const remedy = `annotate it with ${annotations.issuer} or ${annotations.clusterIssuer}, or create the Secret yourself`;
  const sentence = `Secret ${secret} is named, and ${why}; ${remedy}`;
  const who = whoMends({ reason: 'NoIssuer', owner: subject.kind });
  const [warned] = isBlind ? warningsOf(source, around) : [];
  const problem = warned ?? { key: `unasked/${namespace}/${subject.name}`, who, sentence };
  return {
    ...node,
    mark: isBlind ? 'hidden' : 'bad',
    says: `no certificate is asked for: ${why}; the Secret: ${state}`,
    problem,
  };
}

/** Certificates of this object that no listener names any more: on their way out. */
function leftovers({ owner, around }: Walk, shown: ReadonlyMap<string, string>): readonly ViewNode[] {
  return itemsOf(around.certificates)
    .filter((each) => controllerOf(each)?.uid === owner.metadata.uid && !shown.has(each.metadata.name))
    .map(({ metadata }) => ({
      mark: 'note',
      what: 'Certificate',
      name: metadata.name,
      says: 'no listener names it any more; its Secret stays',
    }));
}
