// What `certway check` says of the admission policies that stand in for cert-manager's webhook. Pure; called by check-view.ts.

import type { CheckScene, PolicySight } from './check-scene.ts';
import type { ViewNode } from './status-node.ts';

const purposes: Readonly<Record<string, string>> = {
  'certway-approval': 'whoever may write the status of requests may approve them',
  'certway-requester': 'a request may claim to be from anybody',
  'certway-request-annotations': 'a request may be turned to another Certificate',
};

export function guardNodes({ policies, stamp }: CheckScene): readonly ViewNode[] {
  return [...policies.map(policyNode), stampNode(stamp)];
}

function policyNode({ name, policy, binding }: PolicySight): ViewNode {
  const node = { what: 'ValidatingAdmissionPolicy', name };
  if (policy.kind === 'hidden') return { ...node, mark: 'hidden', says: policy.why };
  if (policy.kind === 'absent' || binding.kind === 'absent') {
    const what = policy.kind === 'absent' ? 'missing' : 'not bound';
    const says = `${what}, so ${purposes[name] ?? 'what it forbids is open'}`;
    const sentence = `${node.what} ${name} is ${says}; apply deploy/policies.yaml`;
    return { ...node, mark: 'bad', says, problem: { key: 'policies', who: 'platform owner', sentence } };
  }
  if (binding.kind === 'hidden') return { ...node, mark: 'hidden', says: binding.why };
  if (binding.value.spec.validationActions?.includes('Deny') !== true) {
    const says = 'bound, but its binding denies nothing';
    const sentence = `the binding of ${node.what} ${name} denies nothing; apply deploy/policies.yaml`;
    return { ...node, mark: 'bad', says, problem: { key: 'policies', who: 'platform owner', sentence } };
  }
  const [warning] = policy.value.status?.typeChecking?.expressionWarnings ?? [];
  if (warning === undefined) return { ...node, mark: 'good', says: 'bound' };
  const says = `bound, but the API server does not understand ${warning.fieldRef}`;
  const sentence = `${node.what} ${name} is ${says}; apply deploy/policies.yaml of this release`;
  return { ...node, mark: 'bad', says, problem: { key: 'policies', who: 'platform owner', sentence } };
}

/** Its absence is told, but is no fault: approvers then go without the name of the requester. */
function stampNode(stamp: PolicySight | undefined): ViewNode {
  const node = { what: 'MutatingAdmissionPolicy', name: 'certway-requester' };
  const unstamped = 'username, uid, groups and extra are not written into requests';
  if (stamp === undefined) {
    return { ...node, mark: 'note', says: `not known to this API server (before Kubernetes 1.36): ${unstamped}` };
  }
  const { policy, binding } = stamp;
  if (policy.kind === 'hidden') return { ...node, mark: 'hidden', says: policy.why };
  if (binding.kind === 'hidden') return { ...node, mark: 'hidden', says: binding.why };
  if (policy.kind === 'seen' && binding.kind === 'seen') return { ...node, mark: 'good', says: 'bound' };
  const what = policy.kind === 'absent' ? 'missing' : 'not bound';
  return { ...node, mark: 'note', says: `${what}: ${unstamped}; apply deploy/policies-mutating.yaml` };
}
