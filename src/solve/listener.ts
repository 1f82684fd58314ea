// Through which listener of one Gateway or ListenerSet a hostname is proven: the one that the issuer names, else the set's own HTTP listener on the
// CA's port, else its Gateway's; or the sentence that says what to change and for whom. Called by path.ts. Pure; reads spec, and status of XListenerSets.

import type { Gateway, Listener, ListenerSet, NamespaceRule, ParentRef } from '../api/gateway.ts';
import type { KubeObject } from '../api/meta.ts';
import { gateways, httpRoutes } from '../api/resources.ts';
import { selects } from '../resolve/selector.ts';
import { parentKey } from '../resolve/source.ts';
import { matchHost } from './host.ts';

export interface ListenerQuestion {
  readonly host: string;
  readonly set?: ListenerSet;
  /** The set's parent, or the Gateway that the certificate is for; absent if it does not exist. */
  readonly gateway?: Gateway;
  readonly routeNamespace: string;
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>> | undefined;
  /** The listener that the issuer's parentRef names: taken whatever its protocol and port, as the way from port 80 to it is the owner's. */
  readonly sectionName?: string;
  /** Where the CA connects, 80, unless the issuer's parentRef names another port of the Gateway. */
  readonly port?: number;
}

export type PickedListener = { readonly parentRef: ParentRef } | { readonly refusal: string };

/** The closest match wins among the listeners that let the route in; a data plane without listener isolation serves the wider ones too. */
export function pickHttpListener(question: ListenerQuestion): PickedListener {
  const { host, set, gateway, sectionName } = question;
  if (host.startsWith('*.')) return { refusal: `HTTP-01 cannot prove the wildcard ${host}; use a DNS-01 issuer.` };
  if (sectionName !== undefined) return named(question, sectionName);
  const own = set === undefined || !hasDataPlane(set) ? [] : admitting(set, question);
  const [chosen] = own;
  if (set !== undefined && chosen !== undefined) return { parentRef: refTo(set, chosen) };
  if (gateway === undefined) return { refusal: missingGateway(set) };
  const [onGateway] = admitting(gateway, question);
  return onGateway === undefined ? { refusal: refusal(gateway, question) } : { parentRef: refTo(gateway, onGateway) };
}

type Parent = KubeObject & { readonly spec: { readonly listeners: readonly Listener[] } };

function named(question: ListenerQuestion, sectionName: string): PickedListener {
  const { set, gateway, host } = question;
  const parent: Parent | undefined = set ?? gateway;
  if (parent === undefined) return { refusal: missingGateway(set) };
  const listener = parent.spec.listeners.find(({ name }) => name === sectionName);
  const where = placeOf(parent);
  if (listener === undefined) {
    return {
      refusal: `${where} has no listener ${sectionName}, which the issuer’s solver names; correct its parentRefs.`,
    };
  }
  if (matchHost(listener.hostname, host) === undefined) {
    const why = `Listener ${sectionName} of ${where}, which the issuer’s solver names, takes no requests for ${host}`;
    return { refusal: `${why}; name another in its parentRefs, or use a DNS-01 issuer.` };
  }
  return admits(parent, listener, question)
    ? { parentRef: refTo(parent, listener) }
    : { refusal: shutOut(parent, listener, question) };
}

/** Envoy Gateway 1.9 gives XListenerSets no data plane: their own listener counts only once it was accepted as it stands now. */
function hasDataPlane(set: ListenerSet): boolean {
  if (set.kind !== 'XListenerSet') return true;
  const accepted = set.status?.conditions?.find((condition) => condition.type === 'Accepted');
  return accepted?.status === 'True' && accepted.observedGeneration === set.metadata.generation;
}

/** Closest first. A Gateway without any listener is foreseen (gateway-api #4425). */
function matching({ spec }: Parent, { host, port = 80 }: ListenerQuestion): readonly Listener[] {
  return (spec.listeners ?? [])
    .filter((listener) => listener.protocol === 'HTTP' && listener.port === port)
    .map((listener) => ({ listener, closeness: matchHost(listener.hostname, host) ?? -1 }))
    .filter(({ closeness }) => closeness >= 0)
    .toSorted((a, b) => b.closeness - a.closeness)
    .map(({ listener }) => listener);
}

function admitting(parent: Parent, question: ListenerQuestion): readonly Listener[] {
  return matching(parent, question).filter((listener) => admits(parent, listener, question));
}

function admits({ metadata }: Parent, listener: Listener, question: ListenerQuestion): boolean {
  const home = metadata.namespace ?? '';
  return allowsHttpRoutes(listener) && allowsNamespace(listener.allowedRoutes?.namespaces, home, question);
}

function allowsHttpRoutes(listener: Listener): boolean {
  const kinds = listener.allowedRoutes?.kinds ?? [];
  return (
    kinds.length === 0 ||
    kinds.some((k) => k.kind === httpRoutes.kind && (k.group ?? httpRoutes.group) === httpRoutes.group)
  );
}

/** `Same`, the default, is the namespace of the object that the listener stands in. */
function allowsNamespace(rule: NamespaceRule | undefined, home: string, question: ListenerQuestion): boolean {
  const from = rule?.from ?? 'Same';
  switch (from) {
    case 'All':
      return true;
    case 'Same':
      return question.routeNamespace === home;
    case 'Selector': {
      const labels = question.namespaceLabels(question.routeNamespace);
      return labels !== undefined && rule?.selector !== undefined && selects(rule.selector, labels);
    }
    case 'None':
      return false;
    default:
      return from satisfies never;
  }
}

function refTo(parent: Parent, listener: Listener): ParentRef {
  const [group = ''] = parent.apiVersion.split('/');
  const { namespace, name } = parent.metadata;
  return { group, kind: parent.kind, ...(namespace !== undefined && { namespace }), name, sectionName: listener.name };
}

function missingGateway(set: ListenerSet | undefined): string {
  return set === undefined ? 'The Gateway does not exist.' : `${gateways.kind} ${parentKey(set)} does not exist.`;
}

function refusal(gateway: Gateway, question: ListenerQuestion): string {
  const [closest] = matching(gateway, question);
  if (closest !== undefined) return shutOut(gateway, closest, question);
  const { host, port = 80 } = question;
  const isBare = !gateway.spec.listeners?.some((each) => each.protocol === 'HTTP' && each.port === port);
  const lack = isBare ? ' at all, and a CA begins there' : ` that matches ${host}`;
  return `${placeOf(gateway)} has no HTTP listener on port ${port}${lack}; add one, or use a DNS-01 issuer (for the Gateway’s owner).`;
}

function shutOut(parent: Parent, listener: Listener, { routeNamespace }: ListenerQuestion): string {
  const who = `(for the ${parent.kind}’s owner)`;
  const what = `Listener ${listener.name} of ${placeOf(parent)} does not allow`;
  return allowsHttpRoutes(listener)
    ? `${what} routes from namespace ${routeNamespace}; allow it in allowedRoutes.namespaces ${who}.`
    : `${what} HTTPRoutes; add the kind to allowedRoutes.kinds ${who}.`;
}

function placeOf({ kind, metadata }: Parent): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}
