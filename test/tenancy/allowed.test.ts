import { describe, expect, it } from 'vitest';
import type { IssuerRef } from '../../src/api/certmanager.ts';
import { notAllowed } from '../../src/tenancy/allowed.ts';

const marks = {
  'certway.dev/tenant': 'alice',
  'certway.dev/domains': 'alice.example,!bob.alice.example',
  'certway.dev/allowed-issuers': 'ClusterIssuer/public, Signer.signers.test/*',
};
const publicIssuer: IssuerRef = { kind: 'ClusterIssuer', name: 'public' };
const dns = (value: string) => [{ type: 'dns' as const, value }];

function said(given: Readonly<Record<string, string>>, name = 'www.alice.example', issuer = publicIssuer): string {
  const found = notAllowed('team', given, dns(name), issuer);
  return found === undefined ? 'allowed' : `${found.reason}: ${found.message}`;
}

it('a namespace of which nothing is said may have everything', () => {
  expect(said({}, '*.anything.test', { name: 'own' })).toBe('allowed');
});

describe('names', () => {
  it.each([
    [marks, 'www.alice.example', /^allowed$/],
    [
      marks,
      'www.bob.alice.example',
      /^NamesNotAllowed: .*"www\.bob\.alice\.example"; it may use alice\.example and names beneath/,
    ],
    [marks, '*.alice.example', /^NamesNotAllowed/],
    [marks, '*.www.alice.example', /^NamesNotAllowed: .*may not use wildcards.*allowWildcard/],
    [{ ...marks, 'certway.dev/tenant-rules': 'wildcards' }, '*.www.alice.example', /^allowed$/],
    // By hand, without a tenant: nobody has said anything of wildcards.
    [{ 'certway.dev/domains': 'alice.example' }, '*.alice.example', /^allowed$/],
    [{ 'certway.dev/tenant': 'gone', 'certway.dev/domains': '' }, 'www.alice.example', /it may use none/],
  ])('by %o, %s: %s', (given, name, words) => {
    expect(said(given, name)).toMatch(words);
  });
});

describe('issuers', () => {
  it.each<[IssuerRef, RegExp]>([
    [publicIssuer, /^allowed$/],
    [{ kind: 'ClusterIssuer', name: 'public', group: 'cert-manager.io' }, /^allowed$/],
    [{ kind: 'Issuer', name: 'public.tenant-account' }, /^allowed$/],
    [{ kind: 'Issuer', name: 'private.tenant-account' }, /^IssuerNotAllowed: .*ClusterIssuer "private"/],
    [{ kind: 'Signer', group: 'signers.test', name: 'any' }, /^allowed$/],
    [
      { kind: 'Signer', group: 'other.test', name: 'any' },
      /Signer\.other\.test "any"; it may use ClusterIssuer\/public, Signer\.signers\.test\/\*/,
    ],
    [{ name: 'public' }, /^IssuerNotAllowed: Namespace "team" may not use Issuer "public"/],
  ])('%o: %s', (issuer, words) => {
    expect(said(marks, undefined, issuer)).toMatch(words);
  });

  it('of its own are a tenant’s where it may make them', () => {
    expect(said({ ...marks, 'certway.dev/tenant-rules': 'own-issuers' }, undefined, { name: 'mine' })).toBe('allowed');
  });

  it('are none where none is named', () => {
    expect(said({ ...marks, 'certway.dev/allowed-issuers': '' })).toMatch(/it may use none/);
  });
});
