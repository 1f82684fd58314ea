// kubectl as somebody else: the administrator impersonates a user with exactly the rights that RBAC gives that user.

import type { Kubectl } from '../rig/kubectl.ts';

/** Without groups the user is in system:authenticated alone; a ServiceAccount is in its own. */
export function actingAs(kubectl: Kubectl, user: string, ...groups: readonly string[]): Kubectl {
  const flags = [`--as=${user}`, ...groups.map((group) => `--as-group=${group}`)];
  const run = (args: readonly string[], input?: string) => kubectl.run([...args, ...flags], input);
  return {
    run,
    apply: (manifest, ...more) => kubectl.apply(manifest, ...more, ...flags),
    get: async <T>(...args: readonly string[]) => {
      const object: T = JSON.parse(await run(['get', ...args, '-o', 'json']));
      return object;
    },
  };
}

const rbac = 'rbac.authorization.k8s.io';

/** A ClusterRole with these rules, bound to the user in the namespace, or everywhere where none is given. */
export function rightsOf(user: string, name: string, rules: readonly object[], namespace?: string): readonly object[] {
  const scope = namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding';
  return [
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
    boundTo(user, name, scope === 'RoleBinding' ? namespace : undefined),
  ];
}

/** The binding of a user to a ClusterRole that is there. */
export function boundTo(user: string, role: string, namespace?: string): object {
  return {
    apiVersion: `${rbac}/v1`,
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name: `${role}-${user.replaceAll(':', '-')}`, ...(namespace !== undefined && { namespace }) },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: rbac, kind: 'User', name: user }],
  };
}
