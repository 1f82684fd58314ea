// What stands above the listeners: the Gateway of a ListenerSet and whether it admits it, or the listener sets of a Gateway. Pure; called by
// status-listeners.ts.

import type { Gateway, ListenerSet } from '../api/gateway.ts';
import { parentKey } from '../resolve/source.ts';
import type { Judgement } from './status-judge.ts';
import type { ViewNode } from './status-node.ts';
import { isSet, itemsOf, type Surroundings } from './status-scene.ts';

interface Upward {
  readonly owner: Gateway | ListenerSet;
  readonly judgement: Judgement;
  readonly around: Surroundings;
}

export function parentNodes({ owner, judgement, around }: Upward): readonly ViewNode[] {
  return isSet(owner) ? [gatewayOf(owner, judgement, around)] : setsOn(owner, judgement, around);
}

function gatewayOf(set: ListenerSet, { told, resolution }: Judgement, { gateway }: Surroundings): ViewNode {
  const { uid, namespace } = set.metadata;
  const node = { what: 'Gateway', name: parentKey(set) };
  if (gateway?.kind === 'hidden') return { ...node, mark: 'hidden', says: gateway.why };
  if (gateway?.kind !== 'seen') return { ...node, mark: 'bad', says: 'does not exist, or is not served' };
  const facts = `class ${gateway.value.spec.gatewayClassName}, ${addressesOf(gateway.value)}`;
  const against = told.find(({ about, reason }) => about.uid === uid && admission.has(reason));
  if (against !== undefined) return { ...node, mark: 'bad', says: `${facts}; refused: ${against.reason}` };
  const isJudged = resolution.subjects.some((subject) => subject.uid === uid);
  return isJudged
    ? { ...node, mark: 'good', says: `${facts}; admits namespace ${namespace}` }
    : { ...node, mark: 'note', says: facts };
}

/** Refusals that concern a whole set and its Gateway. */
const admission: ReadonlySet<string> = new Set([
  'ParentNotFound',
  'ParentDeleting',
  'ParentNotServed',
  'ParentNotAccepted',
  'NotAllowed',
]);

function addressesOf({ status }: Gateway): string {
  const addresses = (status?.addresses ?? []).map(({ value }) => value);
  return addresses.length === 0 ? 'without an address' : `address ${addresses.join(', ')}`;
}

/** Their certificates are their owners': only what is refused is named, and it is no fault of the Gateway's. */
function setsOn(gateway: Gateway, { told }: Judgement, { sets }: Surroundings): readonly ViewNode[] {
  const facts: ViewNode = {
    mark: 'note',
    what: 'class',
    name: gateway.spec.gatewayClassName,
    says: addressesOf(gateway),
  };
  if (sets.kind === 'hidden') return [facts, { mark: 'hidden', what: 'listener sets', says: sets.why }];
  const { namespace, name, uid } = gateway.metadata;
  const attached = itemsOf(sets).filter((set) => parentKey(set) === `${namespace}/${name}`);
  if (attached.length === 0) return [facts];
  const refused = told.filter(({ about }) => about.uid !== uid);
  const under = refused.map(({ about, reason, message }): ViewNode => {
    return { mark: 'note', what: about.kind, name: `${about.namespace}/${about.name}`, says: `${reason}: ${message}` };
  });
  const losers = new Set(refused.map(({ about }) => about.uid)).size;
  const count = `${attached.length} attached${losers === 0 ? '' : `, ${losers} with refusals`}`;
  return [facts, { mark: 'note', what: 'listener sets', says: count, under }];
}
