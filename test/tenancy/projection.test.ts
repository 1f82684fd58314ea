import { describe, expect, it } from 'vitest';
import { annotations } from '../../src/api/names.ts';
import { foreignName, readDomains } from '../../src/resolve/domains.ts';
import { domainsAbove } from '../../src/tenancy/ownership.ts';
import { isProjected, project } from '../../src/tenancy/projection.ts';
import { tenantStatus } from '../../src/tenancy/tenant-status.ts';
import { among, tenant } from './tenants.ts';

const alice = tenant('alice', { namespaces: ['team-a'], domains: ['Alice.example', 'shop.test'] });

describe('a namespace of one tenant', () => {
  it('is told its tenant, domains and issuers', () => {
    expect(project('team-a', {}, among(alice))).toEqual({
      [annotations.tenant]: 'alice',
      [annotations.domains]: 'alice.example,shop.test',
      [annotations.allowedIssuers]: 'ClusterIssuer/*',
    });
  });

  it('is told what else it may', () => {
    const allowed = [
      { name: 'z' },
      { kind: 'Signer', group: 'signers.test', name: 'a' },
      { kind: 'ClusterIssuer', group: 'cert-manager.io', name: 'z' },
    ];
    const more = tenant('m', {
      namespaces: ['m'],
      domains: ['m.test'],
      allowWildcard: true,
      issuer: { allowOwn: true, allowed },
    });
    expect(project('m', {}, among(more))).toMatchObject({
      [annotations.tenantRules]: 'wildcards,own-issuers',
      [annotations.allowedIssuers]: 'ClusterIssuer/z,Signer.signers.test/a',
    });
    const none = tenant('n', { namespaces: ['n'], domains: ['n.test'], issuer: { allowed: [] } });
    expect(project('n', {}, among(none))).toMatchObject({ [annotations.allowedIssuers]: '' });
  });

  it('is left alone where no tenant ever had it, whatever the platform wrote there by hand', () => {
    expect(project('other', { [annotations.domains]: 'by-hand.test' }, among(alice))).toBeUndefined();
  });

  it('that has lost its tenant may use nothing', () => {
    const standing = {
      [annotations.tenant]: 'gone',
      [annotations.domains]: 'alice.example',
      [annotations.tenantRules]: 'wildcards',
    };
    const wanted = project('team-b', standing, among(alice));
    expect(wanted).toEqual({ [annotations.tenant]: 'gone', [annotations.domains]: '' });
    expect(isProjected(standing, wanted ?? {})).toBe(false);
    expect(isProjected({ [annotations.tenant]: 'gone', [annotations.domains]: '' }, wanted ?? {})).toBe(true);
  });

  it('is not written again for what others wrote beside it', () => {
    const wanted = project('team-a', {}, among(alice)) ?? {};
    expect(isProjected({ ...wanted, 'example.test/note': 'x' }, wanted)).toBe(true);
    expect(isProjected({ ...wanted, [annotations.tenantRules]: 'wildcards' }, wanted)).toBe(false);
  });
});

describe('what two tenants name', () => {
  const younger = tenant('bob', { namespaces: ['team-a', 'team-b'], domains: ['alice.example', 'bob.test'] }, 2);
  const both = among(alice, younger);

  it('is the older one’s, namespaces as well as domains', () => {
    expect(project('team-a', {}, both)).toMatchObject({ [annotations.tenant]: 'alice' });
    expect(project('team-b', {}, both)).toMatchObject({ [annotations.domains]: 'bob.test' });
  });

  it('goes to the other when the older is deleted', () => {
    const leaving = { ...alice, metadata: { ...alice.metadata, deletionTimestamp: '2026-02-01T00:00:00Z' } };
    expect(project('team-a', {}, among(leaving, younger))).toMatchObject({
      [annotations.domains]: 'alice.example,bob.test',
    });
  });

  it('is decided by name where both are of one second', () => {
    const twin = tenant('aaron', { namespaces: ['team-a'], domains: ['aaron.test'] });
    expect(project('team-a', {}, among(alice, twin))).toMatchObject({ [annotations.tenant]: 'aaron' });
  });

  it('is told to the younger in its own words, and to the older not at all', () => {
    const status = tenantStatus(younger, both);
    expect(status.conflicts?.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'Namespace team-a',
      'Domain alice.example',
    ]);
    expect(status.conditions?.[0]).toMatchObject({
      type: 'Ready',
      status: 'False',
      reason: 'NamespaceConflict',
      observedGeneration: 3,
    });
    expect(JSON.stringify(status)).not.toMatch(/alice"|tenant alice/);
    expect(tenantStatus(alice, both)).toMatchObject({ conditions: [{ status: 'True', reason: 'Projected' }] });
    expect(tenantStatus(alice, both).conflicts).toBeUndefined();
  });
});

describe('a domain beneath another tenant’s', () => {
  const parent = tenant('parent', { namespaces: ['p'], domains: ['parent.test'] });
  const child = tenant('child', { namespaces: ['c'], domains: ['sub.parent.test'] }, 2);
  const grandchild = tenant('grandchild', { namespaces: ['g'], domains: ['deep.sub.parent.test'] }, 3);
  const family = among(parent, child, grandchild);
  const of = (namespace: string) => readDomains(project(namespace, {}, family)?.[annotations.domains]);
  const may = (namespace: string, value: string) =>
    foreignName(namespace, of(namespace), [{ type: 'dns', value }]) === undefined;

  it('has its names, whoever is older', () => {
    expect(of('p')).toEqual(['parent.test', '!deep.sub.parent.test', '!sub.parent.test']);
    expect(of('c')).toEqual(['sub.parent.test', '!deep.sub.parent.test']);
    expect(of('g')).toEqual(['deep.sub.parent.test']);
  });

  it.each([
    ['www.parent.test', 'p'],
    ['sub.parent.test', 'c'],
    ['www.sub.parent.test', 'c'],
    ['deep.sub.parent.test', 'g'],
    ['a.deep.sub.parent.test', 'g'],
  ])('%s is of %s alone', (name, whose) => {
    expect(['p', 'c', 'g'].filter((each) => may(each, name))).toEqual([whose]);
  });

  it('is its parent’s too where that is allowed', () => {
    const sharing = tenant('parent', { namespaces: ['p'], domains: ['parent.test'], allowSubtenants: true });
    expect(project('p', {}, among(sharing, child))).toMatchObject({ [annotations.domains]: 'parent.test' });
  });

  it('of the same tenant takes nothing away', () => {
    const own = tenant('own', { namespaces: ['o'], domains: ['own.test', 'sub.own.test'] });
    expect(project('o', {}, among(own))).toMatchObject({ [annotations.domains]: 'own.test,sub.own.test' });
  });
});

it('lies beneath each domain above it', () => {
  expect(domainsAbove('A.b.example.')).toEqual(['b.example', 'example']);
  expect(domainsAbove('example')).toEqual([]);
});
