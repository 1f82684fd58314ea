import { describe, expect, it } from 'vitest';
import type { TenantGateway } from '../../src/api/gateway-tenant.ts';
import { ownGateway } from '../../src/tenancy/own-gateway.ts';
import { project } from '../../src/tenancy/projection.ts';
import { among, tenant } from './tenants.ts';

const base: TenantGateway = {
  className: 'eg',
  certificates: 'http01',
  issuer: 'public',
  hostnames: ['www.alice.test', 'alice.test'],
};
const other = tenant('bob', { namespaces: ['b'], domains: ['bob.test'] }, 2);
const child = tenant('child', { namespaces: ['c'], domains: ['sub.alice.test'] }, 2);

function made(spec: Partial<TenantGateway> = {}, more: Parameters<typeof tenant>[1] = {}) {
  const gateway = { ...base, ...spec };
  const alice = tenant('alice', { namespaces: ['a', 'a-dev'], domains: ['alice.test'], gateway, ...more });
  return ownGateway(alice, gateway, among(alice, other));
}

function listeners(spec: Partial<TenantGateway> = {}) {
  const reply = made(spec);
  if (!reply.ok) throw new Error(reply.problem.message);
  return reply.value.gateway.spec.listeners;
}

describe('the listeners', () => {
  it('of http01 are one for each hostname, with a Secret each', () => {
    const secure = listeners().slice(1);
    expect(secure.map(({ hostname, protocol, port }) => `${protocol} ${port} ${hostname}`)).toEqual([
      'HTTPS 443 www.alice.test',
      'HTTPS 443 alice.test',
    ]);
    expect(new Set(secure.map(({ tls }) => tls?.certificateRefs?.[0]?.name)).size).toBe(2);
    expect(secure.every(({ name }) => /^https-(www|alice)-[0-9a-f]{8}$/.test(name))).toBe(true);
  });

  it('of dns01 are apex and wildcard of each domain, with one Secret', () => {
    const secure = listeners({ certificates: 'dns01' }).slice(1);
    expect(secure.map(({ hostname }) => hostname)).toEqual(['*.alice.test', 'alice.test']);
    expect(new Set(secure.map(({ tls }) => tls?.certificateRefs?.[0]?.name)).size).toBe(1);
  });

  it('of an existing Secret name that one, and no issuer', () => {
    const spec: TenantGateway = { className: 'eg', certificates: 'existingSecret', secretName: 'wild' };
    const alice = tenant('alice', { namespaces: ['a'], domains: ['alice.test'], gateway: spec });
    const reply = ownGateway(alice, spec, among(alice));
    const gateway = reply.ok ? reply.value.gateway : undefined;
    expect(gateway?.metadata.annotations).toBeUndefined();
    const secrets = gateway?.spec.listeners.slice(1).map(({ tls }) => tls?.certificateRefs);
    expect(secrets).toEqual([[{ name: 'wild' }], [{ name: 'wild' }]]);
  });

  it('of services that end TLS themselves take TLSRoutes alone and have no Secret', () => {
    const [, , , tls] = listeners({ passthrough: [{ name: 'api', hostname: 'api.alice.test' }] });
    expect(tls).toMatchObject({ name: 'tls-api', protocol: 'TLS', port: 443, tls: { mode: 'Passthrough' } });
    expect(tls?.allowedRoutes?.kinds).toEqual([{ kind: 'TLSRoute' }]);
    expect(tls?.tls?.certificateRefs).toBeUndefined();
  });

  it('are open to the tenant’s namespaces and the attached ones, by a label that nobody can choose', () => {
    const rule = (values: readonly string[]) => ({
      from: 'Selector',
      selector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] },
    });
    const [http, https] = listeners({ attachedNamespaces: ['shared'] });
    expect(https?.allowedRoutes?.namespaces).toEqual(rule(['a', 'a-dev', 'shared']));
    expect(http?.allowedRoutes?.namespaces).toEqual(rule(['a']));
    expect(listeners({ listenerSets: 'Tenant' })[0]?.allowedRoutes?.namespaces).toEqual(rule(['a', 'a-dev']));
    expect(listeners({ httpListener: 'Open', attachedNamespaces: ['shared'] })[0]?.allowedRoutes?.namespaces).toEqual(
      rule(['a', 'a-dev', 'shared']),
    );
  });
});

describe('the Gateway', () => {
  it('belongs to the tenant, names its issuer, and redirects port 80', () => {
    const reply = made();
    expect(reply).toMatchObject({
      ok: true,
      value: {
        gateway: {
          metadata: {
            name: 'gateway',
            namespace: 'a',
            annotations: { 'cert-manager.io/cluster-issuer': 'public' },
            ownerReferences: [{ kind: 'GatewayTenant', name: 'alice' }],
          },
          spec: { gatewayClassName: 'eg', allowedListeners: { namespaces: { from: 'None' } } },
        },
        redirect: { spec: { parentRefs: [{ name: 'gateway', sectionName: 'http' }] } },
      },
    });
  });

  it('has no redirect, and its tenant’s routes are free, where port 80 is open', () => {
    const reply = made({ httpListener: 'Open' });
    expect(reply.ok && reply.value.redirect).toBeUndefined();
    const free = tenant('alice', {
      namespaces: ['a'],
      domains: ['alice.test'],
      gateway: { ...base, httpListener: 'Open' },
    });
    const held = tenant('alice', { namespaces: ['a'], domains: ['alice.test'], gateway: base });
    const rules = (of: typeof free) => project('a', {}, among(of))?.['certway.dev/tenant-rules'];
    expect([rules(free), rules(held)]).toEqual([undefined, 'https-only']);
  });

  it.each<[Partial<TenantGateway>, Parameters<typeof tenant>[1], string, RegExp]>([
    [{ hostnames: ['www.evil.test'] }, {}, 'ForeignHostname', /www\.evil\.test/],
    [{ hostnames: ['www.sub.alice.test'] }, {}, 'ForeignHostname', /www\.sub\.alice\.test/],
    [{ certificates: 'dns01' }, {}, 'ForeignHostname', /\*\.alice\.test/],
    [{ passthrough: [{ name: 'x', hostname: 'x.bob.test' }] }, {}, 'ForeignHostname', /x\.bob\.test/],
    [{ attachedNamespaces: ['b'] }, {}, 'AttachedTenant', /names b, which belongs to a tenant/],
    [{ namespace: 'b' }, { namespaces: ['a', 'b'] }, 'NamespaceConflict', /Namespace b/],
    [
      { hostnames: Array.from({ length: 64 }, (_, at) => `h${at}.alice.test`) },
      {},
      'TooManyListeners',
      /65 listeners, and 64 is the most/,
    ],
  ])('of %o is refused', (spec, more, reason, words) => {
    const alice = tenant(
      'alice',
      { namespaces: ['a'], domains: ['alice.test'], gateway: { ...base, ...spec }, ...more },
      5,
    );
    const reply = ownGateway(
      alice,
      { ...base, ...spec },
      among(alice, child, { ...other, metadata: { ...other.metadata, creationTimestamp: '2026-01-01T00:00:00Z' } }),
    );
    expect(reply).toMatchObject({ ok: false, problem: { reason, message: expect.stringMatching(words) } });
  });
});
