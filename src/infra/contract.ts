// What the certificate half reads from the GatewayInfra: in which namespaces it holds still, whether Gateways are being moved, and what it has to
// acknowledge. Called by apply/infra-*.ts and by the status and check commands; nothing of it is remembered anywhere else.

import { drainedAnnotation, type GatewayInfra, type InfraNamespace, infraName } from '../api/gateway-infra.ts';
import type { Condition } from '../api/meta.ts';
import { conditionOf } from '../plan/conditions.ts';
import type { InfraHold } from '../plan/infra-hold.ts';
import { claimedSecrets } from './space-names.ts';

export interface InfraContract {
  readonly presence: 'absent' | 'present';
  /** Of the Gateways that the infrastructure half answers for; it has no say over others. */
  readonly controllerName?: string;
  /** By name. A namespace that is not listed is as without infra: the first answer to a write decides. */
  readonly namespaces: ReadonlyMap<string, InfraNamespace>;
  /** Names that infra gives to Secrets of its own in the listed namespaces. */
  readonly claimedSecrets: ReadonlySet<string>;
  /** Present while Gateways are moved off an older install: a sentence. */
  readonly move?: string;
  /** What is wrong with the infrastructure, as a sentence; certificates go on. */
  readonly degraded?: string;
}

export const noInfra: InfraContract = { presence: 'absent', namespaces: new Map(), claimedSecrets: new Set() };

/** Its name is the only one that counts, whoever lets another one in. */
export function contractOf(infra: GatewayInfra | undefined): InfraContract {
  if (infra === undefined || infra.metadata.name !== infraName) return noInfra;
  const { conditions, namespaces = [] } = infra.status ?? {};
  const legacy = conditionOf(conditions, 'LegacyCleaned');
  const degraded = conditionOf(conditions, 'Degraded');
  return {
    presence: 'present',
    controllerName: infra.spec.controllerName,
    namespaces: new Map(namespaces.map((each) => [each.name, each])),
    claimedSecrets: claimedSecrets(infra),
    ...(legacy?.status === 'False' && legacy.reason === 'InProgress' && { move: moveMessage }),
    ...(degraded?.status === 'True' && { degraded: told(degraded) }),
  };
}

function told({ reason, message = '' }: Condition): string {
  return reason === undefined ? message : `${reason}: ${message}`;
}

const moveMessage =
  'The Gateways are being moved off an older install of Envoy Gateway (GatewayInfra default, LegacyCleaned: InProgress), so no order is placed and no challenge answered through them; that goes on by itself when the move is over.';

/** What holds in the namespace; undefined where it is provisioned, or not the infrastructure half's. */
export function holdIn({ namespaces }: InfraContract, namespace: string): InfraHold | undefined {
  const listed = namespaces.get(namespace);
  if (listed === undefined) return undefined;
  const { state } = listed;
  switch (state) {
    case 'Provisioned':
      return undefined;
    case 'Pending':
      return { kind: 'pending', message: pending(listed) };
    case 'Draining':
      return { kind: 'draining', message: draining(listed) };
    case 'Reserved':
      return { kind: 'reserved', message: reserved(listed) };
    default:
      state satisfies never;
      return undefined;
  }
}

function pending({ name, blockedBy }: InfraNamespace): string {
  const why = `Namespace "${name}" is not provisioned yet by certway infra (GatewayInfra default), so no Secret is written there.`;
  return blockedBy === undefined ? why : `${why} ${blockedBy}`;
}

function draining({ name }: InfraNamespace): string {
  return `No Gateway or admitted listener set is left in namespace "${name}" (GatewayInfra default: Draining), so nothing is issued or renewed there; issued Secrets stay. Put a listener there again, or wait until certway infra has left the namespace.`;
}

function reserved({ name }: InfraNamespace): string {
  return `Namespace "${name}" is reserved by the platform (GatewayInfra default), so its listeners get no certificates; use another namespace, or have the platform owner look at spec.reservedNamespaces.`;
}

/** Why no certificate may stand in the Secret of that name, though it may not be there yet: infra copies another one to that place. */
export function claimOn(contract: InfraContract, namespace: string, secretName: string): string | undefined {
  const isClaimed = contract.namespaces.has(namespace) && contract.claimedSecrets.has(secretName);
  if (!isClaimed) return undefined;
  return `Secret "${secretName}" is one that certway infra copies to namespace "${namespace}" (GatewayInfra default, namespaceResources.pullSecrets); choose another secretName.`;
}

/** Namespaces about which the two say different things: nobody else need be looked at. */
export function changedNamespaces(before: InfraContract, after: InfraContract): readonly string[] {
  const names = new Set([...before.namespaces.keys(), ...after.namespaces.keys()]);
  return [...names].filter((name) => holdIn(before, name)?.message !== holdIn(after, name)?.message);
}

/**
 * The value of the annotation that acknowledges drained namespaces, or undefined where the one that stands says the same. `isClear`: no solver route
 * of ours is left in the namespace, and no write of ours to it is on its way.
 */
export function acknowledgement(infra: GatewayInfra, isClear: (namespace: string) => boolean): string | undefined {
  const listed = contractOf(infra).namespaces.values();
  const draining = [...listed].filter(({ state }) => state === 'Draining').map(({ name }) => name);
  const wanted = draining.filter(isClear).toSorted().join(',');
  return wanted === (infra.metadata.annotations?.[drainedAnnotation] ?? '') ? undefined : wanted;
}
