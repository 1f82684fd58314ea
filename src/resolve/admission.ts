// Decides from spec whether a ListenerSet may have certificates through its Gateway: the Gateway exists, stays, is of a class that is served,
// and allows the namespace. Called by gateway.ts on every change of any of these. Whoever is refused learns which it was and who can help.

import type { Gateway, ListenerSet } from '../api/gateway.ts';
import { gateways } from '../api/resources.ts';
import { matchesPattern, selects } from './selector.ts';
import { isLeaving, parentOf } from './source.ts';
import type { Objection } from './veto.ts';
import { quoted } from './words.ts';
import type { GatewayWorld } from './world.ts';

/** Patterns name classes or controllers; none means all. */
export function servesClass(gateway: Gateway, world: GatewayWorld): boolean {
  const { gatewayClasses } = world.options;
  const names = [gateway.spec.gatewayClassName, world.controllerName ?? ''].filter((name) => name !== '');
  return gatewayClasses.length === 0 || gatewayClasses.some((p) => names.some((name) => matchesPattern(p, name)));
}

export function pointsAtGateway(set: ListenerSet): boolean {
  const { group = gateways.group, kind = gateways.kind } = set.spec.parentRef;
  return group === gateways.group && kind === gateways.kind;
}

/** Undefined: admitted. */
export function objectionBySpec(set: ListenerSet, world: GatewayWorld): Objection | undefined {
  const { namespace, name } = parentOf(set);
  const gateway = `Gateway ${namespace}/${name}`;
  if (!pointsAtGateway(set)) {
    const { group = gateways.group, kind = gateways.kind } = set.spec.parentRef;
    const message = `spec.parentRef names kind ${quoted(kind)} of group ${quoted(group)}; only a Gateway of ${gateways.group} is served.`;
    return { reason: 'ParentNotServed', message };
  }
  if (world.gateway === undefined) {
    const message = `${gateway} does not exist; correct spec.parentRef, or have the Gateway created.`;
    return { reason: 'ParentNotFound', message };
  }
  if (isLeaving(world.gateway)) {
    return { reason: 'ParentDeleting', message: `${gateway} is being deleted; name another one in spec.parentRef.` };
  }
  if (!servesClass(world.gateway, world)) {
    const served = `its class ${quoted(world.gateway.spec.gatewayClassName)} is not served here`;
    const message = `${gateway} is left alone: ${served}; whoever runs Certway can add it to --gateway-classes.`;
    return { reason: 'ParentNotServed', message };
  }
  return objectionToNamespace(set, world.gateway, world, gateway);
}

/** spec.allowedListeners; unset anywhere, or a Selector without a selector, allows nobody. */
function objectionToNamespace(
  set: ListenerSet,
  gateway: Gateway,
  world: GatewayWorld,
  named: string,
): Objection | undefined {
  const { from = 'None', selector } = gateway.spec.allowedListeners?.namespaces ?? {};
  const namespace = set.metadata.namespace ?? '';
  const owner = `the owner of the Gateway can change spec.allowedListeners`;
  const refuse = (why: string): Objection => ({ reason: 'NotAllowed', message: `${named} ${why}.` });
  switch (from) {
    case 'All':
      return undefined;
    case 'Same':
      return namespace === gateway.metadata.namespace
        ? undefined
        : refuse(`allows listener sets of its own namespace only, and this one is in ${namespace}; ${owner}`);
    case 'Selector': {
      const labels = world.namespaceLabels(namespace);
      if (selector !== undefined && labels !== undefined && selects(selector, labels)) return undefined;
      const help = `whoever labels namespaces can add the label, or ${owner}`;
      return refuse(`allows namespaces by a label that namespace ${namespace} does not have; ${help}`);
    }
    case 'None':
      return refuse(`allows no listener sets; ${owner}`);
    default:
      from satisfies never;
      return refuse(`allows no listener sets; ${owner}`);
  }
}
