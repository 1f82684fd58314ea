// What the infrastructure half's word means for one object right now. Called by both reconcilers of certificates, by listeners.ts and by order steps;
// without a GatewayInfra every answer is: nothing.

import type { Issuer } from '../api/certmanager.ts';
import { type GatewayInfra, infraName } from '../api/gateway-infra.ts';
import { contractOf, holdIn, type InfraContract, noInfra } from '../infra/contract.ts';
import type { Withheld } from '../resolve/world.ts';
import { type Asking, addressesOf } from './challenge-parent.ts';
import type { Ports, Stores } from './ports.ts';
import { wayTo } from './way.ts';

/** Read anew only when the object has changed. */
const read = new WeakMap<GatewayInfra, InfraContract>();

export function contractIn(stores: Pick<Stores, 'gatewayInfras'>): InfraContract {
  return readContract(stores.gatewayInfras.get(infraName));
}

export function readContract(infra: GatewayInfra | undefined): InfraContract {
  if (infra === undefined) return noInfra;
  const known = read.get(infra);
  if (known !== undefined) return known;
  const contract = contractOf(infra);
  read.set(infra, contract);
  return contract;
}

/**
 * Why the listeners of a namespace get nothing, for Gateways of the given controller: the infrastructure half has no say over others. Of a namespace
 * that drains nothing of theirs would live either, as the right to write there goes.
 */
export function withheldFrom(contract: InfraContract, controllerName: string | undefined) {
  return (namespace: string): Withheld | undefined => {
    const hold = holdIn(contract, namespace);
    if (hold === undefined || hold.kind === 'pending') return undefined;
    const { kind, message } = hold;
    if (kind === 'draining') return { reason: 'NamespaceDraining', message };
    return controllerName === contract.controllerName ? { reason: 'NamespaceReserved', message } : undefined;
  };
}

type Sight = Pick<Ports, 'stores'>;

/** Why nothing may be proven through the Gateways of these names now: they are being moved. Undefined for names that others prove. */
export function moveHold(ports: Sight, about: Asking, issuer: Issuer, names: readonly string[]): string | undefined {
  const { move, controllerName } = contractIn(ports.stores);
  if (move === undefined) return undefined;
  const isMoved = names.some((name) => {
    const way = wayTo(ports, about, issuer, name);
    return 'path' in way && way.path.gateways.some((key) => controllerOf(ports, key) === controllerName);
  });
  return isMoved ? move : undefined;
}

function controllerOf({ stores }: Sight, gatewayKey: string): string | undefined {
  const className = stores.gateways.get(gatewayKey)?.spec.gatewayClassName;
  return className === undefined ? undefined : stores.gatewayClasses.get(className)?.spec.controllerName;
}

/** Whether some of the names go through a Gateway at all. */
export function goesThroughGateway(ports: Sight, about: Asking, issuer: Issuer, names: readonly string[]): boolean {
  return names.some((name) => 'path' in wayTo(ports, about, issuer, name));
}

/** Where the Gateways on the way to each host are, as far as they have said so: by host, in one text that changes when they move. */
export type Ground = ReadonlyMap<string, string>;

export function groundOf(ports: Sight, about: Asking, issuer: Issuer, hosts: readonly string[]): Ground {
  return new Map(
    hosts.flatMap((host): readonly [string, string][] => {
      const way = wayTo(ports, about, issuer, host, ['http-01']);
      // Where nothing is looked at, nothing can have been seen.
      if (!('path' in way) || way.path.waitMs !== undefined) return [];
      const addresses = addressesOf(ports, way.path).map(({ type = 'IPAddress', value }) => `${type} ${value}`);
      return [[host, addresses.toSorted().join()]];
    }),
  );
}
