// What `certway check` says of the controller: whether one leads, who issues, and where it may write Secrets. Pure; called by check-view.ts.

import { decidingCrd, oursLabel } from '../plan/ownership.ts';
import { listed } from '../resolve/words.ts';
import { ownerOfCrds } from './check-api.ts';
import type { Binding, CheckScene, LeaseSight } from './check-scene.ts';
import type { ViewNode } from './status-node.ts';
import { itemsOf } from './status-scene.ts';

const controller = 'certway-controller';
const writer = 'certway-secret-writer';

export function leaseNode({ lease, namespace }: CheckScene): ViewNode {
  const node = { what: 'Lease', name: `${namespace}/${controller}` };
  const nobody = (says: string): ViewNode => {
    const sentence = `no Certway controller leads in ${namespace}: its Lease ${says}; start it, or look at the log of its Pods`;
    return { ...node, mark: 'bad', says, problem: { key: 'lease', who: 'platform owner', sentence } };
  };
  if (lease.kind === 'hidden') return { ...node, mark: 'hidden', says: lease.why };
  if (lease.kind === 'absent') return nobody('does not exist');
  const { holderIdentity = '', renewTime = '' } = lease.value.lease.spec ?? {};
  if (holderIdentity === '') return nobody('is held by nobody');
  if (!lease.value.isAlive) return nobody(`was last renewed at ${renewTime}, by ${holderIdentity}`);
  return { ...node, mark: 'good', says: `held and renewed by ${holderIdentity}` };
}

/** Two controllers that issue would undo each other's work: cert-manager's Lease and the label of the CRDs say which one does. */
export function issuanceNode(scene: CheckScene): ViewNode {
  const node = { what: 'issuance' };
  const owner = ownerOfCrds(scene);
  const other = itemsOf(scene.otherLeases).find((each) => each.isAlive && !isHeldByUs(each, scene.namespace));
  const isOurs = itemsOf(scene.otherLeases).some((each) => each.isAlive && isHeldByUs(each, scene.namespace));
  const at = other === undefined ? '' : `${other.lease.metadata.namespace}/${other.lease.metadata.name}`;
  if (other !== undefined && owner === 'ours') {
    const says = `a cert-manager is at work: ${other.lease.spec?.holderIdentity} holds Lease ${at}`;
    const sentence = `${says}, so Certway issues nothing; scale that cert-manager to zero`;
    return { ...node, mark: 'bad', says, problem: { key: 'issuance', who: 'platform owner', sentence } };
  }
  if (other !== undefined) return { ...node, mark: 'note', says: `left to the cert-manager that holds Lease ${at}` };
  if (scene.otherLeases.kind === 'hidden') return { ...node, mark: 'hidden', says: scene.otherLeases.why };
  if (isOurs || owner === 'ours') return { ...node, mark: 'good', says: "Certway's" };
  if (owner === undefined) return { ...node, mark: 'hidden', says: `whose ${decidingCrd} is cannot be seen` };
  const says = `nobody's: CustomResourceDefinition ${decidingCrd} is not Certway's, and no cert-manager is at work`;
  const sentence = `${says}; label it ${oursLabel.name}=${oursLabel.value}, or start Certway with --issuance=builtin`;
  return { ...node, mark: 'bad', says, problem: { key: 'issuance', who: 'platform owner', sentence } };
}

/** On cert-manager's Lease we go by the name of our own. */
function isHeldByUs({ lease }: LeaseSight, namespace: string): boolean {
  return lease.spec?.holderIdentity === `${namespace}/${controller}`;
}

export function rightsNode(scene: CheckScene): ViewNode {
  const { account, clusterBinding, namespace } = scene;
  const node = { what: 'ServiceAccount', name: `${namespace}/${controller}` };
  const missing = (says: string): ViewNode => {
    const sentence = `ServiceAccount ${namespace}/${controller} ${says}; apply deploy/rbac.yaml`;
    return { ...node, mark: 'bad', says, problem: { key: 'rights', who: 'platform owner', sentence } };
  };
  if (account.kind === 'absent') return missing('does not exist');
  const isBound = clusterBinding.kind === 'seen' && isFor(clusterBinding.value, controller, namespace);
  if (clusterBinding.kind === 'absent' || (clusterBinding.kind === 'seen' && !isBound)) {
    return missing(`is not bound to ClusterRole ${controller}`);
  }
  const under = [grantsNode(scene)];
  if (account.kind === 'hidden') return { ...node, mark: 'hidden', says: account.why, under };
  if (clusterBinding.kind === 'hidden') return { ...node, mark: 'hidden', says: clusterBinding.why, under };
  return { ...node, mark: 'good', says: `bound to ClusterRole ${controller}`, under };
}

function isFor({ roleRef, subjects = [] }: Binding, role: string, namespace: string): boolean {
  const isSubject = subjects.some(
    (each) => each.kind === 'ServiceAccount' && each.name === controller && each.namespace === namespace,
  );
  return roleRef.kind === 'ClusterRole' && roleRef.name === role && isSubject;
}

/** The namespace of Certway itself has its Role in deploy/rbac.yaml. */
function grantsNode({ grants, used, namespace }: CheckScene): ViewNode {
  const node = { what: 'Secrets' };
  if (grants.kind === 'hidden') return { ...node, mark: 'hidden', says: grants.why };
  const bound = itemsOf(grants).filter((each) => isFor(each, writer, namespace));
  const granted = new Set([namespace, ...bound.map(({ metadata }) => metadata.namespace ?? '')]);
  const where = `may be written in ${counted(granted)}`;
  if (used.kind !== 'seen') return { ...node, mark: 'good', says: where };
  const lacking = [...used.value].filter((each) => !granted.has(each)).sort();
  if (lacking.length === 0) return { ...node, mark: 'good', says: `${where}: every namespace with a Certificate` };
  const says = `${where}, not in ${counted(new Set(lacking))}, which ${lacking.length === 1 ? 'has' : 'have'} Certificates`;
  const sentence = `Certway may not write Secrets in ${counted(new Set(lacking))}; certway grant ${lacking.slice(0, most).join(' ')}${lacking.length > most ? ' …' : ''} prints the RoleBindings that let it`;
  return { ...node, mark: 'bad', says, problem: { key: 'grants', who: 'platform owner', sentence } };
}

const most = 5;

function counted(names: ReadonlySet<string>): string {
  const sorted = [...names].sort();
  return sorted.length <= most ? listed(sorted) : `${sorted.length} namespaces (${listed(sorted.slice(0, most))} …)`;
}
