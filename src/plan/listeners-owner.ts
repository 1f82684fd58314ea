// Decides whether a live Certificate is its listener's to write: who controls it, and whether that owner still counts. Called by listeners.ts.

import type { Certificate } from '../api/certmanager.ts';
import type { ObjectRef, OwnerReference } from '../api/meta.ts';
import { apiVersion, gateways, listenerSets, xListenerSets } from '../api/resources.ts';

export type Standing =
  | { readonly kind: 'ours' }
  /** Another owner's until now, and free to take over in one write. */
  | { readonly kind: 'free' }
  /** The newer API's object of the same name has it: nothing to tell. */
  | { readonly kind: 'handedOver' }
  | { readonly kind: 'foreign'; readonly controller?: OwnerReference };

export function controllerOf(certificate: Certificate): OwnerReference | undefined {
  return certificate.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

/** `isGone` answers for an owner that is dead, or alive and without a use for this Certificate. */
export function standingOf(
  certificate: Certificate,
  owner: ObjectRef & { readonly uid: string },
  isGone: (controller: OwnerReference) => boolean,
): Standing {
  const controller = controllerOf(certificate);
  if (controller === undefined) return { kind: 'foreign' };
  if (controller.uid === owner.uid) return { kind: 'ours' };
  if (!isListenerOwner(controller)) return { kind: 'foreign', controller };
  if (isSuccessor(owner, controller) || isGone(controller)) return { kind: 'free' };
  return isSuccessor(controller, owner) ? { kind: 'handedOver' } : { kind: 'foreign', controller };
}

/** Kinds whose Certificates are made from listeners; what an Ingress or a person's own controller owns is never taken. */
function isListenerOwner(owner: OwnerReference): boolean {
  return [gateways, listenerSets, xListenerSets].some(
    ({ group, kind }) => owner.kind === kind && owner.apiVersion.startsWith(`${group}/`),
  );
}

interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/** A ListenerSet takes the place of the XListenerSet of its name. */
function isSuccessor(owner: Named, former: Named): boolean {
  return (
    owner.kind === listenerSets.kind &&
    owner.apiVersion === apiVersion(listenerSets) &&
    former.kind === xListenerSets.kind &&
    owner.name === former.name
  );
}
