// deploy/tenancy/policies.yaml on a real API server: a tenant with every right in its namespace is kept to its own names and issuers. Each attack
// has its lawful twin. All is tried out (dry run) but for what an update must leave alone.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tenantPolicyNames } from '../../src/tenancy/policies.ts';
import { controllerUser } from '../rig/audit.ts';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { actingAs, rightsOf } from './acting.ts';
import { certificate, gateway, type Heard, issuer, listenerSet, route } from './tenant-objects.ts';

const stem = `tenant-${randomBytes(3).toString('hex')}`;
/** What the projection writes on each Namespace. */
const tenants = {
  alice: {
    'certway.dev/tenant': 'alice',
    'certway.dev/domains': 'alice.example,shop.example',
    'certway.dev/allowed-issuers': 'ClusterIssuer/public,Signer.signers.example.test/ours',
  },
  parent: {
    'certway.dev/tenant': 'parent',
    'certway.dev/domains': 'parent.example,!sub.parent.example,deep.sub.parent.example',
    'certway.dev/tenant-rules': 'wildcards,own-issuers,https-only',
  },
  any: { 'certway.dev/domains': 'any.example', 'certway.dev/allowed-issuers': 'ClusterIssuer/*' },
  unknown: {},
} as const satisfies Record<string, Readonly<Record<string, string>>>;
type Tenant = keyof typeof tenants;

const space = (of: Tenant) => `${stem}-${of}`;
const user = `${stem}-user`;
let world: SharedWorld;
let admin: Kubectl;
let tenant: Kubectl;

function bindings(): readonly object[] {
  const values = Object.keys(tenants).map((each) => `${stem}-${each}`);
  return tenantPolicyNames.map((name) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: `${name}-${stem}` },
    spec: {
      policyName: name,
      validationActions: ['Deny'],
      matchResources: {
        namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] },
      },
    },
  }));
}

const everything = [
  {
    apiGroups: ['gateway.networking.k8s.io', 'gateway.networking.x-k8s.io', 'cert-manager.io', 'acme.cert-manager.io'],
    resources: ['*'],
    verbs: ['*'],
  },
  { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'patch', 'update'] },
];

function tryOut(object: object, by: Kubectl = tenant): Promise<string> {
  return by.run(['create', '-f', '-', '--dry-run=server'], JSON.stringify(object));
}

beforeAll(async () => {
  world = await sharedWorld();
  admin = kubectlFor(world);
  tenant = actingAs(admin, user);
  const policies = await readFile(join(import.meta.dirname, '../../deploy/tenancy/policies.yaml'), 'utf8');
  const namespaces = Object.entries(tenants).map(([name, annotations]) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: `${stem}-${name}`, annotations },
  }));
  await admin.apply(policies, '--server-side');
  await admin.apply([...namespaces, ...rightsOf(user, `${stem}-all`, everything), ...bindings()]);
  // A policy is in force a moment after it is written.
  await until('each policy to refuse what it is for', async () => {
    const probes = [
      gateway(space('unknown'), [{ hostname: 'x.test' }]),
      route(space('unknown'), ['x.test'], 'HTTPRoute'),
      certificate(space('unknown'), { dnsNames: ['x.test'] }),
      issuer(space('unknown')),
    ];
    await Promise.all(probes.map((probe) => expect(tryOut(probe)).rejects.toThrow(/ValidatingAdmissionPolicy/)));
    await expect(mark(tenant, 'unknown', 'certway.dev/probe=1')).rejects.toThrow(/ValidatingAdmissionPolicy/);
    return true;
  });
});
afterAll(async () => {
  const named = (kind: string, names: readonly string[]) =>
    admin?.run(['delete', kind, '--ignore-not-found', '--wait=false', ...names]);
  await named(
    'validatingadmissionpolicybindings',
    tenantPolicyNames.map((name) => `${name}-${stem}`),
  );
  await named(
    'namespaces',
    Object.keys(tenants).map((each) => `${stem}-${each}`),
  );
  await named('clusterrolebindings', [`${stem}-all-${user}`]);
  await named('clusterroles', [`${stem}-all`]);
  await world?.[Symbol.asyncDispose]();
});

function mark(by: Kubectl, of: Tenant, ...marks: readonly string[]): Promise<string> {
  return by.run(['annotate', 'namespace', space(of), '--overwrite', '--dry-run=server', ...marks]);
}

const heard: readonly (readonly [of: Tenant, heard: Heard, refused: RegExp | 'allowed'])[] = [
  ['alice', { hostname: 'alice.example' }, 'allowed'],
  ['alice', { hostname: 'www.alice.example' }, 'allowed'],
  ['alice', { hostname: 'a.b.shop.example', protocol: 'TLS' }, 'allowed'],
  [
    'alice',
    { hostname: 'bob.example' },
    /tenant alice may not use the name bob\.example; it may use alice\.example, shop\.example and names beneath/,
  ],
  ['alice', { hostname: 'evilalice.example', protocol: 'HTTPS' }, /may not use the name evilalice\.example/],
  ['alice', { hostname: 'alice.example.evil.test' }, /may not use the name alice\.example\.evil\.test/],
  ['alice', { hostname: 'example' }, /may not use the name example/],
  ['alice', { protocol: 'HTTPS' }, /listener l0 has no hostname, and would serve every name/],
  ['alice', {}, /listener l0 has no hostname/],
  ['alice', { protocol: 'TCP' }, 'allowed'],
  ['alice', { hostname: '*.alice.example' }, /may not use wildcards, such as \*\.alice\.example/],
  ['parent', { hostname: '*.www.parent.example' }, 'allowed'],
  ['parent', { hostname: '*.parent.example' }, /may not use the name \*\.parent\.example/],
  ['parent', { hostname: 'sub.parent.example' }, /may not use the name sub\.parent\.example/],
  ['parent', { hostname: 'x.sub.parent.example' }, /may not use the name x\.sub\.parent\.example/],
  ['parent', { hostname: 'x.deep.sub.parent.example' }, 'allowed'],
  ['parent', { hostname: 'notsub.parent.example' }, 'allowed'],
  [
    'unknown',
    { hostname: 'alice.example' },
    /namespace tenant-\w+-unknown may not use the name alice\.example; it may use none/,
  ],
];

describe.each([
  ['Gateway', gateway],
  ['ListenerSet', listenerSet],
  ['XListenerSet', (namespace: string, all: readonly Heard[]) => listenerSet(namespace, all, {}, 'X')],
] as const)('a listener of a %s', (_, make) => {
  it.each(heard)('of %s: %o → %s', async (of, each, refused) => {
    const attempt = tryOut(make(space(of), [each]));
    if (refused === 'allowed') await attempt;
    else await expect(attempt).rejects.toThrow(refused);
  });

  it('is looked at wherever it stands among others', async () => {
    const all = [{ hostname: 'a.alice.example' }, { hostname: 'pay.bob.example' }];
    await expect(tryOut(make(space('alice'), all))).rejects.toThrow(/pay\.bob\.example/);
  });
});

describe.each(['HTTPRoute', 'GRPCRoute', 'TLSRoute'] as const)('a %s', (kind) => {
  it('has hostnames, all of the tenant', async () => {
    await tryOut(route(space('alice'), ['www.alice.example'], kind));
    await expect(tryOut(route(space('alice'), ['www.alice.example', 'bob.example'], kind))).rejects.toThrow(
      /bob\.example/,
    );
    // A TLSRoute without hostnames is refused by its schema already.
    await expect(tryOut(route(space('alice'), [], kind))).rejects.toThrow(/hostnames/);
  });
});

it('a route of an older version is no way around', async () => {
  await expect(tryOut(route(space('alice'), ['bob.example'], 'HTTPRoute', 'v1beta1'))).rejects.toThrow(/bob\.example/);
});

it('a route attaches to port 80 with redirects alone, where the tenant is held to HTTPS', async () => {
  const attached = (parentRefs: readonly object[], rules: readonly object[]) => ({
    ...route(space('parent'), ['www.parent.example'], 'HTTPRoute'),
    spec: { parentRefs, hostnames: ['www.parent.example'], rules },
  });
  const serves = [{ backendRefs: [{ name: 'web', port: 80 }] }];
  const redirects = [{ filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https' } }] }];
  await tryOut(attached([{ name: 'own', sectionName: 'https-www' }], serves));
  await tryOut(attached([{ name: 'own', sectionName: 'http' }], redirects));
  await tryOut(attached([{ name: 'set', kind: 'ListenerSet' }], serves));
  for (const parent of [{ name: 'own', sectionName: 'http' }, { name: 'own' }, { name: 'own', port: 80 }]) {
    await expect(tryOut(attached([{ name: 'another', sectionName: 'https-www' }, parent], serves))).rejects.toThrow(
      /on port 80 tenant parent may only redirect/,
    );
    await expect(tryOut(attached([parent], [...redirects, ...serves]))).rejects.toThrow(/only redirect/);
  }
});

const specs: readonly (readonly [of: Tenant, spec: object, refused: RegExp | 'allowed'])[] = [
  ['alice', { dnsNames: ['alice.example', 'www.shop.example'] }, 'allowed'],
  ['alice', { dnsNames: ['WWW.Alice.Example'] }, 'allowed'],
  [
    'alice',
    { commonName: 'alice.example', emailAddresses: ['me@alice.example'], uris: ['spiffe://alice.example/web'] },
    'allowed',
  ],
  ['alice', { dnsNames: ['alice.example', 'bob.example'] }, /bob\.example/],
  ['alice', { commonName: 'bob.example', dnsNames: ['alice.example'] }, /bob\.example/],
  ['alice', { emailAddresses: ['me@bob.example'] }, /bob\.example/],
  ['alice', { uris: ['spiffe://bob.example/web'] }, /bob\.example/],
  ['alice', { ipAddresses: ['192.0.2.1'] }, /spec\.ipAddresses says names that lie beneath no domain/],
  ['alice', { literalSubject: 'CN=bob.example', dnsNames: ['alice.example'] }, /spec\.literalSubject/],
  ['alice', { dnsNames: ['*.alice.example'] }, /may not use wildcards/],
  ['alice', { dnsNames: ['alice.example'], isCA: true }, /spec\.isCA would make a CA that signs any name/],
  [
    'alice',
    { dnsNames: ['alice.example'], issuerRef: { name: 'public' } },
    /may not use the issuer Issuer\/public; it may use ClusterIssuer\/public/,
  ],
  [
    'alice',
    { dnsNames: ['alice.example'], issuerRef: { name: 'ours', kind: 'Signer', group: 'signers.example.test' } },
    'allowed',
  ],
  [
    'alice',
    { dnsNames: ['alice.example'], issuerRef: { name: 'other', kind: 'ClusterIssuer', group: 'cert-manager.io' } },
    /ClusterIssuer\/other/,
  ],
  ['parent', { dnsNames: ['parent.example'], issuerRef: { name: 'own' }, isCA: true }, 'allowed'],
  ['parent', { dnsNames: ['*.www.parent.example'], issuerRef: { name: 'own' } }, 'allowed'],
  ['parent', { dnsNames: ['parent.example'] }, /may not use the issuer ClusterIssuer\/public; it may use none/],
  [
    'parent',
    { dnsNames: ['parent.example'], issuerRef: { name: 'own', kind: 'Issuer', group: 'evil.test' } },
    /Issuer\.evil\.test\/own/,
  ],
  ['any', { dnsNames: ['any.example'] }, 'allowed'],
  [
    'any',
    { dnsNames: ['any.example'], issuerRef: { name: 'own' } },
    /may not use the issuer Issuer\/own; it may use ClusterIssuer\/\*/,
  ],
  [
    'any',
    { dnsNames: ['any.example'], issuerRef: { name: 'x', kind: 'ClusterIssuer', group: 'evil.test' } },
    /ClusterIssuer\.evil\.test\/x/,
  ],
  ['unknown', { dnsNames: ['alice.example'] }, /may not use the name alice\.example/],
];

describe('a Certificate', () => {
  it.each(specs)('of %s: %o → %s', async (of, spec, refused) => {
    const attempt = tryOut(certificate(space(of), spec));
    if (refused === 'allowed') await attempt;
    else await expect(attempt).rejects.toThrow(refused);
  });
});

const chosen: readonly (readonly [annotations: Readonly<Record<string, string>>, refused: RegExp | 'allowed'])[] = [
  [{ 'cert-manager.io/cluster-issuer': 'public' }, 'allowed'],
  [{ 'cert-manager.io/cluster-issuer': 'private' }, /may not use the issuer ClusterIssuer\/private/],
  [{ 'cert-manager.io/issuer': 'mine' }, /Issuer\/mine/],
  [
    {
      'cert-manager.io/issuer': 'ours',
      'cert-manager.io/issuer-kind': 'Signer',
      'cert-manager.io/issuer-group': 'signers.example.test',
    },
    'allowed',
  ],
  [{ 'cert-manager.io/issuer': 'private', 'cert-manager.io/issuer-kind': 'ClusterIssuer' }, /ClusterIssuer\/private/],
  [{ 'certway.dev/issuers': 'l0=ClusterIssuer/public' }, 'allowed'],
  [{ 'certway.dev/issuers': 'l0=ClusterIssuer.cert-manager.io/public' }, 'allowed'],
  [{ 'certway.dev/issuers': 'l0=ClusterIssuer/public, l1=ClusterIssuer/private' }, /ClusterIssuer\/private/],
  [{ 'certway.dev/issuers': 'l0=mine' }, /Issuer\/mine/],
];

describe('an issuer that an annotation names', () => {
  it.each(chosen)('%o → %s', async (annotations, refused) => {
    for (const make of [gateway, listenerSet]) {
      const attempt = tryOut(make(space('alice'), [{ hostname: 'alice.example' }], { annotations }));
      if (refused === 'allowed') await attempt;
      else await expect(attempt).rejects.toThrow(refused);
    }
  });
});

describe('an update', () => {
  const lawful = { name: 'kept', annotations: { 'cert-manager.io/cluster-issuer': 'public' } };

  it('of annotations alone to a foreign issuer is refused', async () => {
    await tenant.apply([gateway(space('alice'), [{ hostname: 'alice.example' }], lawful)]);
    const annotate = (value: string) =>
      tenant.run(['annotate', 'gateway', 'kept', '-n', space('alice'), '--overwrite', value, '--dry-run=server']);
    await expect(annotate('cert-manager.io/cluster-issuer=private')).rejects.toThrow(/ClusterIssuer\/private/);
    await annotate('example.test/note=private');
  });

  it('that changes neither spec nor issuers passes for what a later rule forbids, so that finalizers go', async () => {
    const forbidden = gateway(space('alice'), [{ hostname: 'bob.example' }], { name: 'older' });
    await admin.apply([forbidden]);
    const patch = (body: object) =>
      tenant.run(['patch', 'gateway', 'older', '-n', space('alice'), '--type=merge', '-p', JSON.stringify(body)]);
    await patch({ metadata: { finalizers: ['example.test/held'] } });
    await patch({ metadata: { finalizers: [] } });
    await expect(patch({ spec: { gatewayClassName: 'other' } })).rejects.toThrow(/bob\.example/);
  });
});

describe('of Certway’s own kinds, a tenant', () => {
  it('makes Issuers where that is allowed', async () => {
    await expect(tryOut(issuer(space('alice')))).rejects.toThrow(/tenant alice may not make Issuers/);
    await tryOut(issuer(space('parent')));
  });

  it('writes no Challenge, and the controller may', async () => {
    const challenge = {
      apiVersion: 'acme.cert-manager.io/v1',
      kind: 'Challenge',
      metadata: { name: 'forged', namespace: space('alice') },
      spec: {
        authorizationURL: 'https://ca.test/authz/1',
        dnsName: 'alice.example',
        issuerRef: { kind: 'ClusterIssuer', name: 'public' },
        key: 'k',
        solver: {},
        token: 't',
        type: 'DNS-01',
        url: 'https://ca.test/chall/1',
      },
    };
    await expect(tryOut(challenge)).rejects.toThrow(/the controller makes and changes it/);
    await tryOut(challenge, actingAs(admin, controllerUser));
  });
});

describe('what a Namespace may use', () => {
  it.each([
    'certway.dev/domains=bob.example',
    'certway.dev/tenant-rules=wildcards',
    'certway.dev/allowed-issuers=ClusterIssuer/*',
    'certway.dev/domains-',
  ])('is not written by a tenant: %s', async (text) => {
    await expect(mark(tenant, 'alice', text)).rejects.toThrow(
      /is written by Certway; ask your platform owner to change the GatewayTenant/,
    );
  });

  it('leaves the other annotations to the tenant', async () => {
    await mark(tenant, 'alice', 'example.test/note=mine');
  });

  it('is written by whoever may change GatewayTenants', async () => {
    const platform = actingAs(admin, `${stem}-platform`);
    const rights = [...everything, { apiGroups: ['certway.dev'], resources: ['gatewaytenants'], verbs: ['update'] }];
    await admin.apply(rightsOf(`${stem}-platform`, `${stem}-platform`, rights));
    try {
      await until('the right to be known', () => mark(platform, 'alice', 'certway.dev/domains=carol.example'));
      await tryOut(gateway(space('alice'), [{ hostname: 'bob.example' }]), platform);
    } finally {
      await admin.run(['delete', 'clusterrolebinding', `${stem}-platform-${stem}-platform`]);
      await admin.run(['delete', 'clusterrole', `${stem}-platform`]);
    }
  });
});
