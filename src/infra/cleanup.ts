// The order in which infra leaves a namespace, or takes back what is no longer asked for there: copied Secrets, then what proxies read, then their
// account, then rights, and last the right to write Secrets. Each look begins anew from what stands, so a stop in between loses nothing.

import { configMaps, serviceAccounts, wholeRoleBindings } from '../api/resources.ts';
import { gatewayRoles } from './eg-names.ts';
import { extensionBinding, pullSecretWriter, writerRole } from './space-names.ts';
import type { Wanted } from './wanted.ts';

export type CleanupStep =
  /** A right that somebody took away, and without which what it made could not be found any more. */
  | { readonly kind: 'regain'; readonly object: Wanted }
  /** The copies of pull Secrets, by the account that made them: done when none is left. */
  | { readonly kind: 'copies' }
  | { readonly kind: 'remove'; readonly object: Wanted }
  /** Nothing after it is done before that is so. */
  | { readonly kind: 'wait'; readonly why: string };

export interface CleanupScene {
  /** "namespace/name" of the accounts that the shared ClusterRoleBinding names now. */
  readonly subjects: ReadonlySet<string>;
  /** A sentence while Envoy Gateway still reads the namespace, by what stands of its configuration and its Pods. */
  readonly watchedStill?: string;
}

const gatewayBindings: readonly string[] = [gatewayRoles.topology, gatewayRoles.infra, gatewayRoles.read];

/** `stale`: objects of ours in one namespace that nothing asks for any more. */
export function cleanupSteps(stale: readonly Wanted[], scene: CleanupScene): readonly CleanupStep[] {
  const ordered = stale.toSorted((a, b) => place(a) - place(b));
  // As long as that right stands, copies may stand; and it is what takes them away.
  const copies: readonly CleanupStep[] = stale.some(grantsCopies) ? [{ kind: 'copies' }] : [];
  return [...copies, ...ordered.flatMap((object) => [...waits(object, scene), { kind: 'remove', object } as const])];
}

function waits({ of, object }: Wanted, { subjects, watchedStill }: CleanupScene): readonly CleanupStep[] {
  const { namespace, name } = object.metadata;
  // Whoever made an account of that name anew would have its cluster-wide rights.
  if (of.kind === serviceAccounts.kind && subjects.has(`${namespace}/${name}`)) {
    const why = `Waits until ClusterRoleBinding ${extensionBinding} no longer names ServiceAccount ${namespace}/${name}.`;
    return [{ kind: 'wait', why }];
  }
  const isGateways = of.kind === wholeRoleBindings.kind && gatewayBindings.includes(name);
  return isGateways && watchedStill !== undefined ? [{ kind: 'wait', why: watchedStill }] : [];
}

/** The right of the account that copies pull Secrets. */
export function grantsCopies({ of, object }: Wanted): boolean {
  return of.kind === wholeRoleBindings.kind && object.metadata.name === pullSecretWriter.role;
}

/** Something stands that goes before that right does: if the right is missing, somebody else took it away. */
export function isEarlier(object: Wanted): boolean {
  return place(object) < order.indexOf(pullSecretWriter.role);
}

const order: readonly string[] = [
  configMaps.kind,
  serviceAccounts.kind,
  extensionBinding,
  ...gatewayBindings,
  pullSecretWriter.role,
  writerRole,
];

function place({ of, object }: Wanted): number {
  return order.indexOf(of.kind === wholeRoleBindings.kind ? object.metadata.name : of.kind);
}
