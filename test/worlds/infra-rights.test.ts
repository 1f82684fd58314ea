// What ServiceAccount certway-infra may do with exactly the manifests of deploy/infra: what the promise says it may not is asked of the API server.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountKubeconfig } from '../rig/infra.ts';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { startWorld, type World } from '../rig/world.ts';

let world: World;
let admin: Kubectl;
let infra: Kubectl;

beforeAll(async () => {
  world = await startWorld();
  admin = kubectlFor(world);
  infra = kubectlFor({ kubectl: world.kubectl, kubeconfig: await accountKubeconfig(world, 'certway-infra') });
  await admin.run(['create', 'namespace', 'team-a']);
  await admin.run(['create', 'namespace', 'platform']);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

async function can(...args: readonly string[]): Promise<boolean> {
  return (await infra.run(['auth', 'can-i', ...args]).catch((error: Error) => error.message)).trim() === 'yes';
}

describe('Secrets', () => {
  it.each(['get', 'list', 'watch', 'create', 'patch', 'update', 'delete'])(
    'cannot be reached in the whole cluster: %s',
    async (verb) => {
      expect(await can(verb, 'secrets', '--all-namespaces')).toBe(false);
      expect(await can(verb, 'secrets', '-n', 'team-a')).toBe(false);
      expect(await can(verb, 'secrets', '-n', 'certway-system')).toBe(false);
      expect(await can(verb, 'secrets', '-n', 'kube-system')).toBe(false);
    },
  );

  it('are read where Envoy Gateway runs, and written by name alone', async () => {
    expect(await can('list', 'secrets', '-n', 'envoy-gateway-system')).toBe(true);
    expect(await can('patch', 'secrets/envoy', '-n', 'envoy-gateway-system')).toBe(true);
    expect(await can('patch', 'secrets/other', '-n', 'envoy-gateway-system')).toBe(false);
  });
});

describe('rights', () => {
  it.each(['escalate', 'create', 'patch', 'update'])('cannot be made: %s on roles', async (verb) => {
    expect(await can(verb, 'clusterroles')).toBe(false);
    expect(await can(verb, 'roles', '-n', 'team-a')).toBe(false);
  });

  it('cannot be borrowed: nobody is impersonated, and one account alone gives a token', async () => {
    expect(await can('impersonate', 'users')).toBe(false);
    expect(await can('impersonate', 'serviceaccounts', '-n', 'certway-system')).toBe(false);
    expect(
      await can('create', 'serviceaccounts/certway-controller', '--subresource=token', '-n', 'certway-system'),
    ).toBe(false);
    expect(
      await can('create', 'serviceaccounts/certway-pull-secrets', '--subresource=token', '-n', 'certway-system'),
    ).toBe(true);
  });

  it('are bound by the names of deploy/ alone', async () => {
    for (const role of [
      'certway-gateway-read',
      'certway-gateway-infra',
      'certway-secret-writer',
      'certway-pull-secret-writer',
    ]) {
      expect(await can('bind', `clusterroles/${role}`)).toBe(true);
    }
    for (const role of ['cluster-admin', 'admin', 'edit', 'view', 'certway-infra', 'certway-controller']) {
      expect(await can('bind', `clusterroles/${role}`)).toBe(false);
    }
  });
});

describe('the machine', () => {
  it('runs nothing: no Pods, no exec, no Jobs; Deployments of one name in one namespace', async () => {
    expect(await can('create', 'pods', '-n', 'envoy-gateway-system')).toBe(false);
    expect(await can('create', 'pods', '--subresource=exec', '-n', 'envoy-gateway-system')).toBe(false);
    expect(await can('create', 'jobs', '-n', 'envoy-gateway-system')).toBe(false);
    expect(await can('create', 'deployments/envoy-gateway', '-n', 'envoy-gateway-system')).toBe(true);
    expect(await can('create', 'deployments/other', '-n', 'envoy-gateway-system')).toBe(false);
    expect(await can('create', 'deployments/envoy-gateway', '-n', 'team-a')).toBe(false);
  });

  it('deletes no CRD and no Namespace, and changes no CRD but those of its list', async () => {
    expect(await can('delete', 'customresourcedefinitions')).toBe(false);
    expect(await can('delete', 'namespaces')).toBe(false);
    expect(await can('patch', 'namespaces')).toBe(false);
    expect(await can('patch', 'customresourcedefinitions/gateways.gateway.networking.k8s.io')).toBe(true);
    expect(await can('patch', 'customresourcedefinitions/certificates.cert-manager.io')).toBe(false);
  });

  it('writes no Gateway, no route, no Certificate, and no ConfigMap of others', async () => {
    for (const kind of [
      'gateways.gateway.networking.k8s.io',
      'httproutes.gateway.networking.k8s.io',
      'certificates.cert-manager.io',
    ]) {
      expect(await can('create', kind, '-n', 'team-a')).toBe(false);
      expect(await can('patch', kind, '-n', 'team-a')).toBe(false);
    }
    expect(await can('patch', 'configmaps/settings', '-n', 'team-a')).toBe(false);
    expect(await can('patch', 'configmaps/certway-trust-bundle', '-n', 'team-a')).toBe(true);
  });
});

/** As the API server answers it, admission included. */
function bind(namespace: string, role: string, subject: string, subjectNamespace: string): Promise<string> {
  const object = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: role, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name: subject, namespace: subjectNamespace }],
  };
  return infra.run(['create', '-f', '-', '--validate=false'], JSON.stringify(object)).then(
    () => 'allowed',
    (error: Error) => error.message,
  );
}

describe('binding what it may bind', () => {
  it('is denied to itself, to default, and in kube-system', async () => {
    expect(await bind('team-a', 'certway-secret-writer', 'certway-infra', 'certway-system')).toMatch(/denied/);
    expect(await bind('team-a', 'certway-gateway-read', 'certway-infra', 'certway-system')).toMatch(/denied/);
    expect(await bind('team-a', 'certway-secret-writer', 'default', 'team-a')).toMatch(/denied/);
    expect(await bind('kube-system', 'certway-secret-writer', 'certway-controller', 'certway-system')).toMatch(
      /denied/,
    );
    expect(await bind('kube-system', 'certway-gateway-read', 'envoy-gateway', 'envoy-gateway-system')).toMatch(
      /denied/,
    );
  });

  it('is refused by RBAC for any other role', async () => {
    expect(await bind('team-a', 'cluster-admin', 'certway-controller', 'certway-system')).toMatch(/forbidden|denied/i);
  });
});
