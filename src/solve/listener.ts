// Through which HTTP listener a hostname is proven: the ListenerSet's own on the CA's port, else its Gateway's; or the sentence that says
// what to change. Called by apply/ before a challenge route is made. Pure; reads spec, and status only for XListenerSets.

import type { Gateway, Listener, ListenerSet, NamespaceRule, ParentRef } from '../api/gateway.ts';
import type { KubeObject } from '../api/meta.ts';
import { gateways, httpRoutes } from '../api/resources.ts';
import { selects } from '../resolve/selector.ts';
import { matchHost } from './host.ts';

export interface ListenerQuestion {
  readonly host: string;
  readonly set?: ListenerSet;
  /** The set's parent, or the Gateway that the certificate is for; absent if it does not exist. */
  readonly gateway?: Gateway;
  readonly routeNamespace: string;
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>> | undefined;
  /** Where the CA connects: 80, except in test worlds. */
  readonly port?: number;
}

/** The closest match wins among the listeners that let the route in; a data plane without listener isolation serves the wider ones too. */
export function pickHttpListener(
  question: ListenerQuestion,
): { readonly parentRef: ParentRef } | { readonly refusal: string } {
  const { host, set, gateway } = question;
  if (host.startsWith('*.')) return { refusal: `HTTP-01 cannot prove the wildcard ${host}; use a DNS-01 issuer.` };
  const own = set === undefined || !hasDataPlane(set) ? [] : admitting(set, question);
  const [chosen] = own;
  if (set !== undefined && chosen !== undefined) return { parentRef: refTo(set, chosen) };
  if (gateway === undefined) return { refusal: missingGateway(set) };
  const [onGateway] = admitting(gateway, question);
  return onGateway === undefined ? { refusal: refusal(gateway, question) } : { parentRef: refTo(gateway, onGateway) };
}

type Parent = KubeObject & { readonly spec: { readonly listeners: readonly Listener[] } };

/** Envoy Gateway 1.9 gives XListenerSets no data plane: their own listener counts only once it was accepted as it stands now. */
function hasDataPlane(set: ListenerSet): boolean {
  if (set.kind !== 'XListenerSet') return true;
  const accepted = set.status?.conditions?.find((condition) => condition.type === 'Accepted');
  return accepted?.status === 'True' && accepted.observedGeneration === set.metadata.generation;
}

/** Closest first. */
function matching(parent: Parent, { host, port = 80 }: ListenerQuestion): readonly Listener[] {
  return parent.spec.listeners
    .filter((listener) => listener.protocol === 'HTTP' && listener.port === port)
    .map((listener) => ({ listener, closeness: matchHost(listener.hostname, host) ?? -1 }))
    .filter(({ closeness }) => closeness >= 0)
    .toSorted((a, b) => b.closeness - a.closeness)
    .map(({ listener }) => listener);
}

function admitting(parent: Parent, question: ListenerQuestion): readonly Listener[] {
  const home = parent.metadata.namespace ?? '';
  return matching(parent, question).filter(
    (listener) => allowsHttpRoutes(listener) && allowsNamespace(listener.allowedRoutes?.namespaces, home, question),
  );
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
  if (set === undefined) return 'The Gateway does not exist.';
  const { namespace, name } = set.spec.parentRef;
  return `${gateways.kind} ${namespace ?? set.metadata.namespace}/${name} does not exist.`;
}

function refusal(gateway: Gateway, question: ListenerQuestion): string {
  const where = `${gateways.kind} ${gateway.metadata.namespace}/${gateway.metadata.name}`;
  const [closest] = matching(gateway, question);
  if (closest === undefined) {
    const { host, port = 80 } = question;
    return `${where} has no HTTP listener on port ${port} that matches ${host}; add one, or use a DNS-01 issuer.`;
  }
  return allowsHttpRoutes(closest)
    ? `Listener ${closest.name} of ${where} does not allow routes from namespace ${question.routeNamespace}; allow it in allowedRoutes.namespaces.`
    : `Listener ${closest.name} of ${where} does not allow HTTPRoutes; add the kind to allowedRoutes.kinds.`;
}
