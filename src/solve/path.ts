// The path by which HTTP-01 proves a name: all the parents that its challenge route attaches to, or the sentence that says what is missing.
// Called by apply/challenge-parent.ts before an order is made, and when its route is put up. Pure.

import type { AcmeSolver } from '../api/certmanager.ts';
import type { Gateway, ListenerSet, ParentRef } from '../api/gateway.ts';
import { annotations as keys } from '../api/names.ts';
import { gateways, listenerSets, xListenerSets } from '../api/resources.ts';
import { parseGoDuration } from '../pki/renewal.ts';
import { parentKey } from '../resolve/source.ts';
import { type PickedListener, pickHttpListener } from './listener.ts';
import { distinctParents, explicitParent, isSameParent, type Parent } from './parents.ts';

/** What is known of the parents that routes can attach to. */
export interface Landscape {
  /** By "namespace/name". */
  readonly gateway: (key: string) => Gateway | undefined;
  /** `unwatched`: a gate is off, or the kind's CRD is gone, and nobody can tell. */
  readonly listenerSet: (kind: string, key: string) => ListenerSet | 'unwatched' | undefined;
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>> | undefined;
}

export interface PathQuestion {
  /** A DNS name or an IP address. */
  readonly host: string;
  /** Of the Certificate, its request and its Order: routes never leave it. */
  readonly namespace: string;
  /** Of any of these three: the parent's annotations are copied from one to the next. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The one chosen for the host. */
  readonly solver: AcmeSolver;
  readonly landscape: Landscape;
}

export type ProofPath =
  | {
      readonly kind: 'open';
      /** At least one, none twice; one route is attached to all of them. */
      readonly parentRefs: readonly Parent[];
      /** The solver's labels for the route. */
      readonly labels: Readonly<Record<string, string>>;
      /** "namespace/name" of the Gateways whose addresses the name should lead to. */
      readonly gateways: readonly string[];
      /** cert-manager 1.21: wait so long after presenting, and look at nothing ourselves. */
      readonly waitMs?: number;
    }
  | { readonly kind: 'closed'; readonly refusal: string };

/** Parents that cannot serve the host are left out where another can. */
export function proofPath(question: PathQuestion): ProofPath {
  const { solver, host } = question;
  const wait = waitOf(solver);
  if (wait === 'malformed')
    return closed('waitInsteadOfSelfCheck of the issuer’s solver is no duration such as 30s; correct it.');
  const wishes = wishedParents(question);
  if ('refusal' in wishes) return closed(wishes.refusal);
  if (wishes.parents.length === 0) {
    const remedy = "set parentRefs in the issuer's gatewayHTTPRoute solver";
    return closed(`No Gateway is known through which ${host} can be proven; ${remedy}.`);
  }
  const found = wishes.parents.map((wish) => locate(question, wish));
  const open = found.filter((each) => 'parentRef' in each);
  const refusals = found.filter((each) => 'refusal' in each);
  // The last one is the listener's own parent, where it has one.
  if (open.length === 0) return closed(refusals.at(-1)?.refusal ?? '');
  return {
    kind: 'open',
    parentRefs: distinctParents(open.map(({ parentRef }) => explicitParent(parentRef, question.namespace))),
    labels: solver.http01?.gatewayHTTPRoute?.labels ?? {},
    gateways: [...new Set(open.flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway])))],
    ...(wait !== undefined && { waitMs: wait }),
  };
}

function closed(refusal: string): ProofPath {
  return { kind: 'closed', refusal };
}

/** ms, if asked for. */
function waitOf({ waitInsteadOfSelfCheck: text }: AcmeSolver): number | 'malformed' | undefined {
  if (text === undefined) return undefined;
  const ms = parseGoDuration(text);
  return ms === undefined || ms < 0 ? 'malformed' : Math.min(ms, longestDelayMs);
}

/** No path takes longer to be there, and an order that waits holds its places in the CA's limits. */
export const longestDelayMs = 3_600_000;

/** The issuer's parents and the listener's own, which comes last unless the issuer names it itself: then the issuer's section holds. */
function wishedParents({
  solver,
  annotations,
  namespace,
}: PathQuestion): { parents: readonly Parent[] } | { refusal: string } {
  const own = annotatedParent(annotations, namespace);
  if (own !== undefined && 'refusal' in own) return own;
  const named = (solver.http01?.gatewayHTTPRoute?.parentRefs ?? []).map((ref) => explicitParent(ref, namespace));
  if (own === undefined) return { parents: named };
  const others = named.filter((ref) => !isSameParent(ref, own));
  const same = named.filter((ref) => isSameParent(ref, own));
  return { parents: [...others, ...(same.length > 0 ? same : [own])] };
}

/** What the listener's object left on the Certificate. Of kind and name both are given or neither, as in cert-manager. */
function annotatedParent(
  annotations: Readonly<Record<string, string>>,
  namespace: string,
): Parent | { readonly refusal: string } | undefined {
  const { [keys.parentRefKind]: kind, [keys.parentRefName]: name, [keys.parentRefNamespace]: home } = annotations;
  if (kind === undefined && name === undefined) return undefined;
  if (kind === undefined || name === undefined) {
    const [given, lacking] =
      kind === undefined ? [keys.parentRefName, keys.parentRefKind] : [keys.parentRefKind, keys.parentRefName];
    return { refusal: `The annotation ${given} stands without ${lacking}; set both, or neither.` };
  }
  const group = kind === xListenerSets.kind ? xListenerSets.group : gateways.group;
  return explicitParent(
    { group, kind, name, ...(home !== undefined && home !== '' && { namespace: home }) },
    namespace,
  );
}

type Located = { readonly parentRef: ParentRef; readonly gateway?: string } | { readonly refusal: string };

function locate(question: PathQuestion, wish: Parent): Located {
  const { landscape, annotations } = question;
  const key = `${wish.namespace}/${wish.name}`;
  if (isGateway(wish)) {
    const gateway = landscape.gateway(key);
    return gateway === undefined ? missing(wish) : picked(question, wish, { gateway }, key);
  }
  // A parent of another kind, such as a mesh's: whether it serves the host is for its controller to say.
  if (!isListenerSet(wish)) return { parentRef: wish };
  const set = landscape.listenerSet(wish.kind, key);
  if (set === undefined) return missing(wish);
  // A Certificate whose set is not watched any more still renews, through the Gateway that was noted on it.
  const gatewayKey = set === 'unwatched' ? annotations[keys.gateway] : parentKey(set);
  const gateway = gatewayKey === undefined ? undefined : landscape.gateway(gatewayKey);
  if (set === 'unwatched')
    return gateway === undefined ? { parentRef: wish } : picked(question, {}, { gateway }, gatewayKey);
  return picked(question, wish, { set, ...(gateway && { gateway }) }, gatewayKey);
}

function picked(
  { host, namespace: routeNamespace, landscape: { namespaceLabels } }: PathQuestion,
  { sectionName, port }: Pick<ParentRef, 'sectionName' | 'port'>,
  at: { readonly set?: ListenerSet; readonly gateway?: Gateway },
  gateway: string | undefined,
): Located {
  const narrowed = { ...(sectionName !== undefined && { sectionName }), ...(port !== undefined && { port }) };
  const found: PickedListener = pickHttpListener({ host, routeNamespace, namespaceLabels, ...at, ...narrowed });
  if ('refusal' in found) return found;
  const parentRef = port === undefined ? found.parentRef : { ...found.parentRef, port };
  return { parentRef, ...(gateway !== undefined && { gateway }) };
}

function isGateway({ group, kind }: Parent): boolean {
  return group === gateways.group && kind === gateways.kind;
}

function isListenerSet({ group, kind }: Parent): boolean {
  return [listenerSets, xListenerSets].some((each) => group === each.group && kind === each.kind);
}

function missing({ kind, namespace, name }: Parent): Located {
  return { refusal: `${kind} ${namespace}/${name} does not exist.` };
}
