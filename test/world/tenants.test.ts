// GatewayTenants with the controller at work, by the rights of deploy/: what each Namespace is told, who has what two tenants name, and that what a
// tenant may not have is not issued where no admission policy stands in the way.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import type { Gateway, Namespace } from '../../src/api/gateway.ts';
import type { GatewayTenant } from '../../src/api/gateway-tenant.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { controllerUser } from '../rig/audit.ts';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { actingAs } from './acting.ts';
import { caIssuer, makeTeam, type Team } from './team.ts';

let world: SharedWorld;
let admin: Kubectl;
let one: Team;
let two: Team;
const stem = `tenants-${randomBytes(3).toString('hex')}`;
const domain = (name: string) => `${name}.${stem}.test`;

beforeAll(async () => {
  world = await sharedWorld();
  admin = kubectlFor(world);
  const deploy = join(import.meta.dirname, '../../deploy/tenancy');
  await admin.run(['apply', '--server-side', '-f', deploy]);
  [one, two] = await Promise.all([makeTeam(world, 'tenants-one'), makeTeam(world, 'tenants-two')]);
  // Before anything is said of the namespace: the root's name lies beneath no domain.
  await two.kubectl.apply(caIssuer(two.namespace));
  await two.ready('ca-root');
});
afterAll(async () => {
  await admin?.run(['delete', 'gatewaytenants', '-l', `stem=${stem}`, '--ignore-not-found']);
  await Promise.all([one?.[Symbol.asyncDispose](), two?.[Symbol.asyncDispose]()]);
  await world?.[Symbol.asyncDispose]();
});

function tenant(name: string, spec: Partial<GatewayTenant['spec']>): object {
  return {
    apiVersion: 'certway.dev/v1alpha1',
    kind: 'GatewayTenant',
    metadata: { name: `${stem}-${name}`, labels: { stem } },
    spec: { namespaces: [], domains: [], ...spec },
  };
}

async function told(team: Team, wanted: Readonly<Record<string, string | undefined>>): Promise<void> {
  await until(`Namespace ${team.namespace} to be told`, async () => {
    const { metadata } = await admin.get<Namespace>('namespace', team.namespace);
    const ours = Object.fromEntries(
      Object.keys(wanted).map((key) => [key, metadata.annotations?.[`certway.dev/${key}`]]),
    );
    expect(ours).toEqual(wanted);
    return true;
  });
}

async function says(name: string, status: 'True' | 'False', words: RegExp): Promise<void> {
  await until(`GatewayTenant ${name} to say ${words}`, async () => {
    const found = await admin.get<GatewayTenant>('gatewaytenant', `${stem}-${name}`);
    const ready = conditionOf(found.status?.conditions, 'Ready');
    expect(ready).toMatchObject({ status, message: expect.stringMatching(words) });
    return true;
  });
}

describe('a GatewayTenant', () => {
  it('is told to its namespaces, and again after an edit', async () => {
    await admin.apply([
      tenant('first', { namespaces: [one.namespace], domains: [domain('a'), domain('b')], allowWildcard: true }),
    ]);
    const first = { tenant: `${stem}-first`, 'allowed-issuers': 'ClusterIssuer/*' };
    await told(one, { ...first, domains: `${domain('a')},${domain('b')}`, 'tenant-rules': 'wildcards' });
    await says('first', 'True', /may use its domains/);
    await admin.apply([tenant('first', { namespaces: [one.namespace], domains: [domain('a')] })]);
    await told(one, { ...first, domains: domain('a'), 'tenant-rules': undefined });
  });

  it('has what it named first; the younger is told so, and takes over when it may', async () => {
    await admin.apply([
      tenant('later', { namespaces: [two.namespace, one.namespace], domains: [domain('a'), `sub.${domain('a')}`] }),
    ]);
    await told(two, { tenant: `${stem}-later`, domains: `sub.${domain('a')}` });
    await told(one, { tenant: `${stem}-first`, domains: `${domain('a')},!sub.${domain('a')}` });
    await says(
      'later',
      'False',
      new RegExp(`^Namespace ${one.namespace}: Another, older GatewayTenant has this namespace.* And 1 more`),
    );
    await admin.run(['delete', 'gatewaytenant', `${stem}-first`]);
    await told(one, { tenant: `${stem}-later`, domains: `${domain('a')},sub.${domain('a')}` });
    await says('later', 'True', /may use its domains/);
  });

  it('is put back where somebody changed what a Namespace was told', async () => {
    await admin.run(['annotate', 'namespace', two.namespace, '--overwrite', 'certway.dev/domains=evil.test']);
    await told(two, { domains: `${domain('a')},sub.${domain('a')}` });
  });

  it('leaves nothing behind that a namespace may use when it is deleted', async () => {
    await admin.run(['delete', 'gatewaytenant', `${stem}-later`]);
    await told(two, { domains: '', 'allowed-issuers': undefined });
    await admin.apply([tenant('last', { namespaces: [one.namespace, two.namespace], domains: [domain('a')] })]);
    await told(two, { tenant: `${stem}-last`, domains: domain('a') });
  });

  it.each([
    [{ namespaces: ['kube-system'] }, /belong to no tenant/],
    [{ domains: ['*.a.test'] }, /leave the \*\. away/],
    [{ domains: ['A.test'] }, /write it in lower case/],
    [{ domains: ['bücher.test'] }, /xn--/],
    [{ domains: ['test'] }, /two labels at least/],
  ] as const)('%o is refused with a sentence', async (spec, words) => {
    await expect(admin.apply([tenant('wrong', spec)])).rejects.toThrow(words);
  });
});

describe('without admission policies', () => {
  const certificate = (name: string, spec: object) => ({
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name, namespace: two.namespace },
    spec: { secretName: name, privateKey: { algorithm: 'ECDSA' }, issuerRef: { name: 'ca' }, ...spec },
  });

  it('a tenant’s own names are issued, foreign ones never, and those of a domain that was taken from it not any more', async () => {
    const allowed = { allowOwn: true };
    await admin.apply([
      tenant('last', {
        namespaces: [one.namespace, two.namespace],
        domains: [domain('a'), domain('ca')],
        issuer: allowed,
      }),
    ]);
    await told(two, { domains: `${domain('a')},${domain('ca')}` });
    await two.kubectl.apply([
      certificate('mine', { dnsNames: [`www.${domain('a')}`] }),
      certificate('theirs', { dnsNames: [domain('b')] }),
    ]);
    await two.ready('mine');
    await two.says('theirs', 'Ready', /may not have a certificate for/);
    await admin.apply([
      tenant('last', { namespaces: [one.namespace, two.namespace], domains: [domain('ca')], issuer: allowed }),
    ]);
    await two.says('mine', 'Issuing', /may not have a certificate for/);
    await admin.apply([tenant('last', { namespaces: [one.namespace, two.namespace], domains: [domain('a')] })]);
    await two.says('mine', 'Issuing', /may not use Issuer "ca"; it may use ClusterIssuer/);
    expect((await two.secret('mine'))?.data?.['tls.crt']).toBeDefined();
    expect(await two.secret('theirs')).toBeUndefined();
  });
});

describe('a Gateway of a tenant’s own', () => {
  const spec = {
    className: 'own-of-a-test',
    certificates: 'http01',
    issuer: 'nobody',
    hostnames: [`www.${domain('g')}`],
  } as const;
  const apply = (more: Partial<GatewayTenant['spec']['gateway']> = {}, rest: Partial<GatewayTenant['spec']> = {}) =>
    admin.apply([
      tenant('owner', { namespaces: [one.namespace], domains: [domain('g')], gateway: { ...spec, ...more }, ...rest }),
    ]);
  const says = (status: 'True' | 'False', words: RegExp) =>
    until(`GatewayReady to say ${words}`, async () => {
      const found = await admin.get<GatewayTenant>('gatewaytenant', `${stem}-owner`);
      const ready = conditionOf(found.status?.conditions, 'GatewayReady');
      expect(ready).toMatchObject({ status, message: expect.stringMatching(words) });
      return true;
    });
  const hostnames = async () =>
    (await admin.get<Gateway>('gateway', 'gateway', '-n', one.namespace)).spec.listeners.map(
      ({ hostname }) => hostname,
    );

  it('is made, kept, and followed by the Certificates of its listeners', async () => {
    await admin.run(['delete', 'gatewaytenant', `${stem}-last`, '--ignore-not-found']);
    await admin.apply([
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'GatewayClass',
        metadata: { name: spec.className },
        spec: { controllerName: 'example.test/none' },
      },
    ]);
    await apply();
    await says('True', /stands as it is described/);
    expect(await hostnames()).toEqual([undefined, `www.${domain('g')}`]);
    await until('the Certificate of its listener', async () => {
      const [found] = (await one.list<Certificate>('certificates')).filter(({ spec: { dnsNames } }) =>
        dnsNames?.includes(`www.${domain('g')}`),
      );
      expect(found?.spec.issuerRef).toMatchObject({ kind: 'ClusterIssuer', name: 'nobody' });
      return found;
    });
  });

  it('is put right after an edit, and its redirect comes back', async () => {
    await admin.run([
      'patch',
      'gateway',
      'gateway',
      '-n',
      one.namespace,
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/spec/listeners/1"}]',
    ]);
    await admin.run(['delete', 'httproute', 'gateway-redirect', '-n', one.namespace]);
    await until('both to be put right', async () => {
      expect(await hostnames()).toEqual([undefined, `www.${domain('g')}`]);
      return admin.run(['get', 'httproute', 'gateway-redirect', '-n', one.namespace]);
    });
  });

  it('follows its description, and what is foreign is refused while the rest goes on to stand', async () => {
    await apply({ hostnames: [`www.${domain('g')}`, `api.${domain('g')}`], httpListener: 'Open' });
    await until('the new listener, without the redirect', async () => {
      expect(await hostnames()).toEqual([undefined, `www.${domain('g')}`, `api.${domain('g')}`]);
      await expect(admin.run(['get', 'httproute', 'gateway-redirect', '-n', one.namespace])).rejects.toThrow(
        /not found/,
      );
      return true;
    });
    await apply({ hostnames: [domain('b')] });
    await says('False', /may not have a certificate for/);
    expect(await hostnames()).toContain(`api.${domain('g')}`);
  });

  it('never takes over what is there already', async () => {
    const foreign = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'theirs', namespace: one.namespace },
      spec: { gatewayClassName: spec.className, listeners: [{ name: 'x', port: 80, protocol: 'HTTP' }] },
    };
    await admin.apply([foreign]);
    await apply({ name: 'theirs' });
    await says('False', /is there already and was not made for this tenant/);
    expect((await admin.get<Gateway>('gateway', 'theirs', '-n', one.namespace)).spec.listeners).toHaveLength(1);
  });

  it('goes with the tenant', async () => {
    await apply();
    await says('True', /stands as it is described/);
    await admin.run(['delete', 'gatewaytenant', `${stem}-owner`]);
    await until('the Gateway to be gone', async () => {
      await expect(admin.run(['get', 'gateway', 'gateway', '-n', one.namespace])).rejects.toThrow(/not found/);
      return true;
    });
    await admin.run(['delete', 'gatewayclass', spec.className]);
  });
});

describe('the controller’s account', () => {
  // deploy/infra has a policy to the same end; where both stand either may speak first.
  it('changes nothing of a Namespace but its own annotations', async () => {
    const controller = actingAs(admin, controllerUser);
    const patch = (metadata: object) =>
      controller.run([
        'patch',
        'namespace',
        one.namespace,
        '--type=merge',
        '--dry-run=server',
        '-p',
        JSON.stringify({ metadata }),
      ]);
    await patch({ annotations: { 'certway.dev/domains': 'x.test' } });
    await expect(patch({ annotations: { 'example.test/x': 'y' } })).rejects.toThrow(/example\.test\/x/);
    await expect(patch({ labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } })).rejects.toThrow(
      /pod-security/,
    );
    await expect(patch({ labels: { 'certway.dev/x': 'y' } })).rejects.toThrow(/certway-own-marks/);
  });
});
