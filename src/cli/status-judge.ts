// Runs the controller's own pure code over what the user could see: which Certificates the listeners want, and every refusal in the words of
// its event. Pure; called by status-view.ts. What is hidden is assumed to be in order, and said to be unseen.

import type { Certificate } from '../api/certmanager.ts';
import type { Gateway, ListenerSet } from '../api/gateway.ts';
import type { EventDraft, ObjectRef, OwnerReference } from '../api/meta.ts';
import { apiVersion, gateways, listenerSets, xListenerSets } from '../api/resources.ts';
import { readContract, withheldFrom } from '../apply/infra-sight.ts';
import { missingInherited } from '../plan/inherited.ts';
import { planListeners } from '../plan/listeners.ts';
import { differences } from '../plan/listeners-change.ts';
import { withOwnAccounts } from '../plan/stamp-refs.ts';
import { resolveGateway } from '../resolve/gateway.ts';
import { readBequest } from '../resolve/inherit.ts';
import { readIssuer } from '../resolve/issuer.ts';
import { parentKey, parentOf, sourceOfGateway } from '../resolve/source.ts';
import type { GatewayWorld, Resolution, ResolveOptions } from '../resolve/world.ts';
import { asOne, issuerKey, type Problem, whoMends } from './status-blame.ts';
import { isSet, itemsOf, type Surroundings } from './status-scene.ts';

const setKinds: ReadonlySet<string> = new Set([listenerSets.kind, xListenerSets.kind]);

export interface Told {
  readonly about: ObjectRef;
  readonly reason: string;
  readonly message: string;
  /** Certificates that it suspends or holds, or that it is about. */
  readonly touches: readonly string[];
  readonly problem: Problem;
}

export interface Judgement {
  readonly resolution: Resolution;
  readonly told: readonly Told[];
  /** By name of the Certificate: in what it is not yet as its listeners ask. */
  readonly behind: ReadonlyMap<string, readonly string[]>;
  readonly assumed: readonly string[];
}

export function judge(owner: Gateway | ListenerSet, around: Surroundings, options: ResolveOptions): Judgement {
  const { world, assumed } = worldOf(owner, around, options);
  // Whether its ClusterIssuer gives accounts is not seen from here: a Certificate that names one of the two names the right one.
  const resolution = withOwnAccounts(resolveGateway(world), {
    issuance: 'theirs',
    hasOwnAccount: () => false,
    live: (namespace, name) => certificateNamed(around, namespace, name)?.spec.issuerRef,
  });
  const trouble = gatewayTrouble(world);
  const refusals = resolution.refusals.map(({ about, reason, message, suspends, holds }): Told => {
    const isGateways = about.kind !== gateways.kind && trouble !== undefined && message.includes(trouble);
    const who = whoMends({ reason, owner: reason === 'BadConfig' && isGateways ? gateways.kind : about.kind });
    const problem = { key: `${reason}/${message}`, who, sentence: asOne(message) };
    return { about, reason, message, touches: [...suspends, ...holds], problem };
  });
  const { told, behind } = compare(resolution, around);
  const missing = inherited(resolution, around, owner.metadata.namespace);
  return { resolution, told: [...refusals, ...told, ...missing], behind, assumed };
}

function worldOf(owner: Gateway | ListenerSet, around: Surroundings, options: ResolveOptions) {
  const { gateway: seen, labels, infra } = around;
  const gatewayKey = isSet(owner) ? parentKey(owner) : `${owner.metadata.namespace}/${owner.metadata.name}`;
  const listed = itemsOf(around.sets);
  const isListed = listed.some((set) => set.metadata.uid === owner.metadata.uid);
  const sets = !isSet(owner) || isListed ? listed : [...listed, owner];
  const gateway = seen?.kind === 'hidden' && isSet(owner) ? openGateway(parentOf(owner)) : admitting(seen, labels);
  const world: GatewayWorld = {
    gatewayKey,
    ...(gateway !== undefined && { gateway }),
    listenerSets: sets.filter((set) => parentKey(set) === gatewayKey),
    namespaceLabels: (namespace) => (labels.kind === 'seen' ? labels.value.get(namespace) : {}),
    ...(infra !== undefined && { withheld: withheldFrom(readContract(infra.object), infra.controllerName) }),
    options,
  };
  return { world, assumed: assumptions(around, gatewayKey) };
}

/** Stands for a Gateway that the user may not see: it admits everybody and has nothing to give. */
function openGateway({ namespace, name }: { readonly namespace: string; readonly name: string }): Gateway {
  return {
    apiVersion: apiVersion(gateways),
    kind: gateways.kind,
    metadata: { namespace, name },
    spec: { gatewayClassName: '', listeners: [], allowedListeners: { namespaces: { from: 'All' } } },
  };
}

/** Where labels are hidden nobody is refused for them. */
function admitting(seen: Surroundings['gateway'], labels: Surroundings['labels']): Gateway | undefined {
  if (seen?.kind !== 'seen') return undefined;
  const { spec } = seen.value;
  const isBlind = spec.allowedListeners?.namespaces?.from === 'Selector' && labels.kind !== 'seen';
  return isBlind ? { ...seen.value, spec: { ...spec, allowedListeners: { namespaces: { from: 'All' } } } } : seen.value;
}

function assumptions({ gateway, labels, sets, setsFrom }: Surroundings, gatewayKey: string): readonly string[] {
  return [
    ...(gateway?.kind === 'hidden' ? [`whether Gateway ${gatewayKey} admits this namespace and names an issuer`] : []),
    ...(labels.kind === 'seen'
      ? []
      : [`whether the labels of this namespace are those that Gateway ${gatewayKey} admits`]),
    ...(sets.kind === 'seen' && setsFrom === 'everywhere'
      ? []
      : ['whether listener sets of other namespaces hold one of these hostnames']),
  ];
}

/** The name of a Gateway whose own annotations are at fault where its listener sets are refused. */
function gatewayTrouble({ gateway, options }: GatewayWorld): string | undefined {
  if (gateway === undefined) return undefined;
  const source = sourceOfGateway(gateway);
  const isAtFault = readIssuer(source, options).kind === 'unusable' || readBequest(source).problem !== undefined;
  return isAtFault ? `Gateway ${source.namespace}/${source.name}` : undefined;
}

/** What the controller would do now to the Certificates that stand under a wanted name: leave another's alone and say so, or change its own. */
function certificateNamed({ certificates }: Surroundings, namespace: string, name: string): Certificate | undefined {
  return itemsOf(certificates).find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
}

function compare(resolution: Resolution, around: Surroundings): Pick<Judgement, 'told' | 'behind'> {
  const names = new Set(resolution.wanted.map(({ namespace, name }) => `${namespace}/${name}`));
  const standing = itemsOf(around.certificates).filter(({ metadata }) =>
    names.has(`${metadata.namespace}/${metadata.name}`),
  );
  const told: Told[] = [];
  const behind = new Map<string, readonly string[]>();
  for (const action of planListeners(resolution, { certificates: standing, liveUids: liveOwners(standing, around) })) {
    if (action.kind === 'say') told.push(bystander(action.event, resolution));
    const live = standing.find(
      ({ metadata }) => action.kind !== 'say' && metadata.name === action.object.metadata.name,
    );
    // What comes from a Gateway that is hidden cannot be compared.
    if (action.kind !== 'replaceCertificate' || live === undefined || around.gateway?.kind !== 'seen') continue;
    behind.set(live.metadata.name, differences(live, action.object));
  }
  return { told, behind };
}

/** A Certificate under a wanted name that somebody else has. */
function bystander(event: EventDraft, { wanted }: Resolution): Told {
  const { about, reason, message } = event;
  const names = wanted.filter(({ owner, name }) => owner.uid === about.uid && message.includes(`"${name}"`));
  return toldBy(
    event,
    names.map(({ name }) => name),
    `${reason}/${message}`,
  );
}

/** Owners that were not looked at count as alive, as they do for the controller. */
function liveOwners(certificates: readonly Certificate[], { sets }: Surroundings): ReadonlySet<string> {
  const listed = new Set(itemsOf(sets).map(({ metadata }) => metadata.uid));
  const owners = certificates.flatMap(({ metadata }) => metadata.ownerReferences ?? []);
  const isGone = ({ kind, uid }: OwnerReference) => sets.kind === 'seen' && setKinds.has(kind) && !listed.has(uid);
  return new Set(owners.filter((owner) => !isGone(owner)).map(({ uid }) => uid));
}

/** Issuers that the Gateway names and the namespace of the listeners does not have. */
function inherited(resolution: Resolution, around: Surroundings, namespace: string | undefined): readonly Told[] {
  if (around.issuers.kind !== 'seen') return [];
  const known = new Set(around.issuers.value.map(({ metadata }) => metadata.name));
  return resolution.wanted
    .filter((wanted) => wanted.namespace === namespace)
    .flatMap((wanted) =>
      missingInherited([wanted], (_, name) => known.has(name)).map(({ event }) =>
        toldBy(event, [wanted.name], issuerKey(wanted.spec.issuerRef)),
      ),
    );
}

function toldBy({ about, reason, message }: EventDraft, touches: readonly string[], key: string): Told {
  const problem = { key, who: whoMends({ reason, owner: about.kind }), sentence: asOne(message) };
  return { about, reason, message, touches, problem };
}
