// deploy/infra/policies.yaml on a real API server: what infra may bind, and to whom; what it may make, change and remove among tenants' objects; what
// its account for pull Secrets may write; and what all three may do to a Namespace. First as infra is, then with every right that RBAC can give, so
// that nothing but the policies refuses. Each attack has its lawful twin.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { actingAs, boundTo } from '../world/acting.ts';

const rbac = 'rbac.authorization.k8s.io';
const accountOf = (name: string) => `system:serviceaccount:certway-system:${name}`;
const ours = { 'app.kubernetes.io/managed-by': 'certway-infra' };
const system = 'envoy-gateway-system';
const tenant = 'team-a';

let world: World;
let admin: Kubectl;
let infra: Kubectl;
let copier: Kubectl;

interface Subject {
  readonly namespace: string;
  readonly name: string;
}

const gateway: Subject = { namespace: system, name: 'envoy-gateway' };
const controller: Subject = { namespace: 'certway-system', name: 'certway-controller' };
const pull: Subject = { namespace: 'certway-system', name: 'certway-pull-secrets' };
const itself: Subject = { namespace: 'certway-system', name: 'certway-infra' };
const sidecar: Subject = { namespace: tenant, name: 'waf' };

interface Binding {
  readonly role: string;
  readonly to: Subject;
  /** Absent: the whole cluster. */
  readonly namespace?: string;
  readonly name?: string;
}

function binding({ role, to, namespace, name = role }: Binding): object {
  return {
    apiVersion: `${rbac}/v1`,
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name, labels: ours, ...(namespace !== undefined && { namespace }) },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', ...to }],
  };
}

/** Tried out, as infra applies it. */
function attempt(by: Kubectl, ...objects: readonly object[]): Promise<string> {
  return by.apply(objects, '--server-side', '--force-conflicts', '--field-manager=certway-infra', '--dry-run=server');
}

/** One line for each that was refused; a binding that was not would say so on the other stream, and be missing here. */
async function refusals(by: Kubectl, bindings: readonly Binding[]): Promise<readonly string[]> {
  const said = await attempt(by, ...bindings.map(binding)).catch((error: Error) => error.message);
  return said.split('\n').filter((line) => line.includes('Error from server'));
}

const lawful: readonly Binding[] = [
  { role: 'certway-secret-writer', to: controller, namespace: tenant },
  { role: 'certway-pull-secret-writer', to: pull, namespace: tenant },
  { role: 'certway-gateway-read', to: gateway, namespace: tenant },
  { role: 'certway-gateway-infra', to: gateway, namespace: tenant },
  { role: 'certway-gateway-topology', to: gateway, namespace: tenant },
  { role: 'certway-gateway-read', to: gateway, namespace: system },
  { role: 'certway-gateway-infra', to: gateway, namespace: system },
  { role: 'certway-gateway-leader', to: gateway, namespace: system },
  { role: 'certway-gateway-cluster', to: gateway },
  { role: 'certway-gateway-tokenreview', to: gateway },
  { role: 'certway-gateway-read', to: gateway },
  { role: 'certway-gateway-infra', to: gateway },
];

const roles = [...new Set(lawful.map(({ role }) => role))];

const unlawful: readonly Binding[] = [
  // Any of its roles, to itself, to a default account, or in a namespace of Kubernetes or of Certway.
  ...roles.flatMap((role): readonly Binding[] => [
    { role, to: itself, namespace: tenant },
    { role, to: itself },
    { role, to: { namespace: tenant, name: 'default' }, namespace: tenant },
    { role, to: { namespace: system, name: 'default' }, namespace: system },
    { role, to: gateway, namespace: 'kube-system' },
    { role, to: controller, namespace: 'kube-system' },
    { role, to: gateway, namespace: 'certway-system' },
    { role, to: controller, namespace: 'default' },
  ]),
  // The right role for the wrong one, the wrong place for the right one.
  { role: 'certway-secret-writer', to: gateway, namespace: tenant },
  { role: 'certway-secret-writer', to: controller, namespace: system },
  { role: 'certway-secret-writer', to: controller },
  { role: 'certway-pull-secret-writer', to: controller, namespace: tenant },
  { role: 'certway-pull-secret-writer', to: pull },
  { role: 'certway-gateway-read', to: { namespace: tenant, name: 'envoy-gateway' }, namespace: tenant },
  { role: 'certway-gateway-leader', to: gateway, namespace: tenant },
  { role: 'certway-controller', to: controller, namespace: tenant },
  { role: 'cluster-admin', to: sidecar, namespace: tenant },
  { role: 'cluster-admin', to: sidecar, namespace: tenant, name: 'certway-gateway-extension' },
  { role: 'admin', to: sidecar, name: 'certway-gateway-extension' },
  { role: 'system:node', to: sidecar, name: 'certway-gateway-extension' },
  { role: 'certway-secret-writer', to: sidecar, namespace: tenant, name: 'certway-gateway-extension' },
  { role: 'waf', to: { namespace: tenant, name: 'default' }, namespace: tenant, name: 'certway-gateway-extension' },
  { role: 'waf', to: { ...sidecar, namespace: 'team-b' }, namespace: tenant, name: 'certway-gateway-extension' },
  { role: 'waf', to: { ...sidecar, namespace: 'kube-system' }, name: 'certway-gateway-extension' },
  { role: 'waf', to: itself, name: 'certway-gateway-extension' },
  { role: 'waf', to: sidecar, namespace: tenant, name: 'waf' },
];

function secret(name: string, labels: object, type = 'kubernetes.io/dockerconfigjson', namespace = tenant): object {
  const data = type.endsWith('json') ? { '.dockerconfigjson': Buffer.from('{"auths":{}}').toString('base64') } : {};
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace, labels }, type, data };
}

beforeAll(async () => {
  world = await startWorld();
  admin = kubectlFor(world);
  infra = actingAs(admin, accountOf('certway-infra'), 'system:serviceaccounts:certway-system');
  copier = actingAs(admin, accountOf('certway-pull-secrets'), 'system:serviceaccounts:certway-system');
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const namespaces = [tenant, 'team-b'].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels },
  }));
  await admin.apply([
    ...namespaces,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'theirs', namespace: tenant }, data: { a: 'b' } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'ours', namespace: tenant, labels: ours },
      data: { a: 'b' },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'theirs', namespace: tenant } },
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name: 'waf' }, rules: [] },
    secret('theirs', {}),
    secret('ours', ours),
  ]);
  await until('the policy to hold', () =>
    attempt(infra, binding({ role: 'certway-secret-writer', to: itself, namespace: tenant })).then(
      () => false,
      () => true,
    ),
  );
});
afterAll(() => world?.[Symbol.asyncDispose]());

describe('infra with the rights of deploy/infra/rbac.yaml', () => {
  it('may bind each of its roles to whom it is for', () => attempt(infra, ...lawful.map(binding)));

  it('may bind none of them to anybody else, and nothing in a reserved namespace', async () => {
    expect(await refusals(infra, unlawful)).toEqual(unlawful.map(() => expect.stringContaining('orbidden')));
  });

  it('has no right on Secrets of tenants, by itself', async () => {
    const asked = (verb: string) => infra.run(['auth', 'can-i', verb, 'secrets', '-n', tenant]).catch(() => 'no');
    for (const verb of ['get', 'list', 'create', 'patch', 'delete']) expect(await asked(verb)).toBe('no');
  });
});

describe('infra with every right that RBAC has', () => {
  beforeAll(async () => {
    await admin.apply(
      ['certway-infra', 'certway-pull-secrets', 'certway-controller'].map((name) =>
        boundTo(accountOf(name), 'cluster-admin'),
      ),
    );
    await until('the rights to be known', async () => (await copier.run(['auth', 'can-i', '*', '*'])).includes('yes'));
  });

  it('may bind each of its roles to whom it is for', () => attempt(infra, ...lawful.map(binding)));

  it('may bind none of them to anybody else, nothing in a reserved namespace, and hears what it tried', async () => {
    const says =
      /certway-infra may (not bind ClusterRole|bind nothing in namespace|make or change nothing in namespace)/;
    expect(await refusals(infra, unlawful)).toEqual(unlawful.map(() => expect.stringMatching(says)));
  });

  it('may bind what an administrator lets it, to a sidecar’s own account', async () => {
    const name = 'certway-gateway-extension';
    await attempt(infra, binding({ role: 'waf', to: sidecar, namespace: tenant, name }));
    await attempt(infra, binding({ role: 'waf', to: sidecar, name }));
  });

  it('may not add a second subject to a lawful one', async () => {
    const lawfully = { role: 'certway-secret-writer', to: controller, namespace: tenant };
    const both = {
      ...binding(lawfully),
      subjects: [controller, itself].map((each) => ({ kind: 'ServiceAccount', ...each })),
    };
    await expect(attempt(infra, both)).rejects.toThrow(
      'to ServiceAccount certway-system/certway-controller, ServiceAccount certway-system/certway-infra',
    );
    await expect(
      attempt(infra, { ...both, subjects: [{ kind: 'Group', name: 'system:authenticated', apiGroup: rbac }] }),
    ).rejects.toThrow('to Group system:authenticated');
    await expect(attempt(infra, { ...both, subjects: [] })).rejects.toThrow('to nobody');
  });

  it('makes, changes and removes among tenants’ objects only what bears its label', async () => {
    const map = (name: string, labels: object, namespace = tenant) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, labels },
      data: { a: 'c' },
    });
    await attempt(infra, map('new', ours));
    await attempt(infra, map('ours', ours));
    await expect(attempt(infra, map('new', {}))).rejects.toThrow('may make only what bears its label');
    await expect(attempt(infra, map('theirs', ours))).rejects.toThrow('this object is not of certway-infra');
    await expect(attempt(infra, map('new', ours, 'kube-system'))).rejects.toThrow(
      'may make or change nothing in namespace kube-system',
    );
    const remove = (kind: string, name: string) => infra.run(['delete', kind, name, '-n', tenant, '--dry-run=server']);
    await remove('cm', 'ours');
    await expect(remove('cm', 'theirs')).rejects.toThrow('so it may not delete it');
    await expect(remove('sa', 'theirs')).rejects.toThrow('so it may not delete it');
    // Where Envoy Gateway stood before, things go on under other marks.
    await attempt(infra, map('envoy-gateway-config', {}, system));
  });

  it('copies pull Secrets, and touches no other', async () => {
    await attempt(copier, secret('new', ours));
    await attempt(copier, secret('ours', ours));
    await copier.run(['delete', 'secret', 'ours', '-n', tenant, '--dry-run=server']);
    await expect(attempt(copier, secret('new', {}))).rejects.toThrow('only Secrets that bear the label');
    await expect(attempt(copier, secret('theirs', ours))).rejects.toThrow('only Secrets that bear the label');
    await expect(attempt(copier, secret('new', ours, 'Opaque'))).rejects.toThrow('only Secrets of the types');
    await expect(attempt(copier, secret('new', ours, undefined, 'certway-system'))).rejects.toThrow(
      'which is reserved',
    );
    const theirs = copier.run(['delete', 'secret', 'theirs', '-n', tenant, '--dry-run=server']);
    await expect(theirs).rejects.toThrow('only Secrets that bear the label');
  });

  it.each(['certway-infra', 'certway-controller', 'certway-pull-secrets'])(
    '%s changes of a Namespace what is Certway’s, and nothing else',
    async (account) => {
      const by = actingAs(admin, accountOf(account));
      const edit = (verb: string, what: string) =>
        by.run([verb, 'ns', tenant, what, '--overwrite', '--dry-run=server']);
      await edit('label', 'certway.dev/tenant=a');
      await edit('annotate', 'certway.dev/domains=a.example.com');
      const level = 'pod-security.kubernetes.io/enforce';
      await expect(edit('label', `${level}-`)).rejects.toThrow(`Certway may not change ${level} of a Namespace`);
      await expect(edit('label', `${level}=privileged`)).rejects.toThrow(`Certway may not change ${level}`);
      await expect(edit('label', 'team=b')).rejects.toThrow('Certway may not change team');
      await expect(edit('annotate', 'scheduler.alpha.kubernetes.io/node-selector=a=b')).rejects.toThrow(
        'Certway may not change',
      );
      const finalizer = JSON.stringify({ metadata: { finalizers: ['example.com/stay'] } });
      const stay = by.run(['patch', 'ns', tenant, '--type=merge', '-p', finalizer, '--dry-run=server']);
      await expect(stay).rejects.toThrow('may change only labels and annotations');
      await expect(by.run(['create', 'ns', 'made', '--dry-run=server'])).rejects.toThrow('Certway makes, deletes');
      await expect(by.run(['delete', 'ns', 'team-b', '--dry-run=server'])).rejects.toThrow('Certway makes, deletes');
    },
  );

  it('says nothing to anybody else', async () => {
    await attempt(admin, binding({ role: 'admin', to: { namespace: tenant, name: 'default' }, namespace: tenant }));
    await admin.run(['label', 'ns', tenant, 'team=b', '--dry-run=server']);
    await admin.run(['delete', 'cm', 'theirs', '-n', tenant, '--dry-run=server']);
  });
});
