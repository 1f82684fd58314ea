// What the data planes say of a challenge route, in a sentence for people. Called by apply/ when a path does not answer: a self-check decides whether
// a name goes before the CA, this says why it does not. Pure. Their own messages are not repeated: they may name other tenants.

import type { HttpRoute, ParentRef } from '../api/gateway.ts';
import type { Condition } from '../api/meta.ts';
import { explicitParent, isSameParent, type Parent } from './parents.ts';

export type RouteVerdict =
  | { readonly kind: 'accepted' }
  /** Nobody has spoken about the route as it stands, at least for one of its parents. `message` once that has lasted too long. */
  | { readonly kind: 'pending'; readonly message?: string }
  | { readonly kind: 'refused'; readonly reason: string; readonly message: string };

/** Controllers answer within seconds of a route's creation. */
const patienceMs = 10_000;

/** `parentRefs` are the ones wanted; one that accepts is enough. `now` in epoch ms. */
export function routeVerdict(route: HttpRoute, parentRefs: readonly ParentRef[], now: number): RouteVerdict {
  const home = route.metadata.namespace ?? '';
  const opinions = parentRefs.map((ref) => opinionOf(route, explicitParent(ref, home)));
  if (opinions.some(({ kind }) => kind === 'accepted')) return { kind: 'accepted' };
  const waiting = opinions.some(({ kind }) => kind === 'pending');
  const refused = opinions.find((opinion) => opinion.kind === 'refused');
  if (refused !== undefined && !waiting) return refused;
  const since = Date.parse(route.metadata.creationTimestamp ?? '');
  if (Number.isNaN(since) || now - since < patienceMs) return { kind: 'pending' };
  const { name, namespace } = route.metadata;
  const silent = parentRefs.map((ref) => placeOf(explicitParent(ref, home))).join(', ');
  return {
    kind: 'pending',
    message: `No controller has answered for HTTPRoute ${namespace}/${name}; is one running that serves ${silent}?`,
  };
}

type Opinion = Exclude<RouteVerdict, { readonly kind: 'pending' }> | { readonly kind: 'pending' };

/** Several controllers may speak of one parent: each data plane serves for itself, so one that accepts is enough. */
function opinionOf(route: HttpRoute, parent: Parent): Opinion {
  const home = route.metadata.namespace ?? '';
  const said = (route.status?.parents ?? []).filter(({ parentRef }) => {
    const about = explicitParent(parentRef, home);
    return isSameParent(about, parent) && about.sectionName === parent.sectionName;
  });
  const opinions = said.map(({ controllerName, conditions }): Opinion => {
    const [accepted, resolved] = ['Accepted', 'ResolvedRefs'].map((type) => current(route, conditions, type));
    const refusal = [accepted, resolved].find((condition) => condition?.status === 'False');
    if (refusal !== undefined) {
      const reason = /^[A-Za-z0-9_]{1,64}$/.test(refusal.reason ?? '') ? (refusal.reason ?? '') : 'no reason';
      return { kind: 'refused', reason, message: sentenceFor(reason, route, parent, controllerName) };
    }
    return { kind: accepted?.status === 'True' ? 'accepted' : 'pending' };
  });
  return (
    opinions.find(({ kind }) => kind === 'accepted') ??
    opinions.find(({ kind }) => kind === 'refused') ?? { kind: 'pending' }
  );
}

/** A condition about an older spec says nothing of this one. */
function current(route: HttpRoute, conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  const found = conditions?.find((condition) => condition.type === type);
  const { generation } = route.metadata;
  const isOld = generation !== undefined && (found?.observedGeneration ?? generation) < generation;
  return isOld ? undefined : found;
}

function sentenceFor(reason: string, route: HttpRoute, parent: Parent, controller: string): string {
  const namespace = route.metadata.namespace ?? '';
  const host = route.spec.hostnames?.[0] ?? 'an IP address';
  const listener = `The ${parent.kind}’s listener ${parent.sectionName ?? ''}`.trimEnd();
  const where = `(${placeOf(parent)})`;
  const [backend] = route.spec.rules?.[0]?.backendRefs ?? [];
  const service = `Service ${backend?.namespace ?? namespace}/${backend?.name ?? ''}`;
  switch (reason) {
    case 'NotAllowedByListeners':
      return `${listener} does not allow routes from ${namespace} ${where}; its owner can allow them in allowedRoutes.`;
    case 'NoMatchingParent':
      return `${listener} does not exist for the data plane ${where}.`;
    case 'NoMatchingListenerHostname':
      return `${listener} takes no requests for ${host} ${where}: its hostname is another, or another listener has this one.`;
    case 'NoReadyListeners':
      return `${listener} is not ready ${where}.`;
    case 'RefNotPermitted':
      return `The data plane sees no ReferenceGrant that lets HTTPRoutes of ${namespace} reach ${service}.`;
    case 'BackendNotFound':
      return `The data plane finds no ${service}, which answers challenges; deploy it, or correct --acme-http01-solver-service.`;
    default:
      return `${controller} refuses HTTPRoute ${namespace}/${route.metadata.name} (${reason}) at ${placeOf(parent)}.`;
  }
}

function placeOf({ kind, namespace, name }: Parent): string {
  return `${kind} ${namespace}/${name}`;
}
