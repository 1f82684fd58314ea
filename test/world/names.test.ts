// The names that a namespace may use, by the annotation certway.dev/domains on it: nothing else is asked for, approved or signed, wherever in a request the
// name stands; a domain that is withdrawn is not renewed, and one that is given back goes on by itself.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations } from '../../src/api/names.ts';
import { certificateRequests } from '../../src/api/resources.ts';
import { createCsr, derToPem } from '../../src/pki/csr.ts';
import { generateKey } from '../../src/pki/keys.ts';
import type { Names } from '../../src/pki/names.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { shortCa } from './short-ca.ts';
import { askedSince, askToRenew, atRevision, pairOf, put, requestsOf, type SpecWish } from './spec-scene.ts';
import { caIssuer, makeTeam, type Team } from './team.ts';
import { openTrail, type Trail } from './trail.ts';

const domain = 'team.example.com';

let world: SharedWorld;
let team: Team;
let trail: Trail;

beforeAll(async () => {
  world = await sharedWorld();
  trail = await openTrail(world.auditLog);
  team = await makeTeam(world, 'names');
  await team.kubectl.apply(caIssuer(team.namespace));
  await team.ready('ca-root');
  await allow(`${domain}, marker.example.com`);
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function allow(domains: string): Promise<void> {
  await team.kubectl.run(['annotate', 'namespace', team.namespace, '--overwrite', `${annotations.domains}=${domains}`]);
}

const foreign: readonly (readonly [string, SpecWish, RegExp])[] = [
  ['a DNS name', { dnsNames: [`a.${domain}`, 'shop.example.com'] }, /"shop\.example\.com"/],
  ['a wildcard above the domain', { dnsNames: ['*.example.com'] }, /"\*\.example\.com"/],
  ['a common name alone', { commonName: 'shop.example.com' }, /the commonName "shop\.example\.com"/],
  ['a literal subject', { literalSubject: 'CN=shop.example.com,O=Shop' }, /the commonName "shop\.example\.com"/],
  [
    'the second common name of a literal subject',
    { literalSubject: `CN=a.${domain},CN=shop.example.com`, dnsNames: [`a.${domain}`] },
    /the commonName "shop\.example\.com"/,
  ],
  [
    'an email address in a literal subject',
    { literalSubject: `1.2.840.113549.1.9.1=me@shop.example.com,CN=a.${domain}` },
    /the email "me@shop\.example\.com"/,
  ],
  ['an email address', { emailAddresses: ['me@shop.example.com'] }, /the email "me@shop\.example\.com"/],
  ['a URI', { uris: ['spiffe://shop.example.com/x'] }, /the uri "spiffe:\/\/shop\.example\.com\/x"/],
  ['an IP address', { dnsNames: [`a.${domain}`], ipAddresses: ['10.0.0.1'] }, /the ip "10\.0\.0\.1"/],
  [
    'another name',
    { dnsNames: [`a.${domain}`], otherNames: [{ oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'me@x' }] },
    /the otherName "1\.3\.6\.1\.4\.1\.311\.20\.2\.3:me@x"/,
  ],
];

describe.each(foreign)('%s outside the domains', (what, wish, words) => {
  const name = what.replaceAll(/\W+/g, '-').toLowerCase();

  it('is told and not signed, and over when the spec keeps to them', async () => {
    await put(team, name, wish);
    const said = await team.says(name, 'Issuing', /^NamesNotAllowed: /);
    expect(said.message).toMatch(words);
    expect(said.message).toContain(`it may use ${domain}, marker.example.com and names beneath`);
    await team.told(name, /^NamesNotAllowed: /);
    expect(await team.secret(`${name}-tls`)).toBeUndefined();
    for (const { status } of await requestsOf(team, name)) expect(status?.certificate).toBeUndefined();
    await put(team, name, { dnsNames: [`*.${domain}`, domain], commonName: `A.${domain.toUpperCase()}` });
    await atRevision(team, name, 1);
  });
});

describe('a CertificateRequest that somebody made', () => {
  const none: Names = { dnsNames: [], ipAddresses: [], uris: [], emailAddresses: [] };
  const make = async (name: string, names: Partial<Names>) => {
    const csr = await createCsr({ key: await generateKey({ algorithm: 'ECDSA' }), names: { ...none, ...names } });
    const request = Buffer.from(derToPem('CERTIFICATE REQUEST', csr)).toString('base64');
    const metadata = { name, namespace: team.namespace };
    const spec = { issuerRef: { name: 'ca' }, request };
    await team.kubectl.apply([{ apiVersion: 'cert-manager.io/v1', kind: 'CertificateRequest', metadata, spec }]);
  };
  const ended = (name: string) =>
    until(`CertificateRequest ${name} to be over`, async () => {
      const found = (await team.all(certificateRequests)).find((each) => each.metadata.name === name);
      const ready = conditionOf(found?.status?.conditions, 'Ready');
      return ready?.status === 'True' || ready?.reason === 'Denied' || ready?.reason === 'Failed' ? found : undefined;
    });

  it.each<[string, Partial<Names>]>([
    ['raw-dns', { dnsNames: [`a.${domain}`, 'shop.example.com'] }],
    ['raw-cn', { commonName: 'shop.example.com' }],
    ['raw-wildcard', { dnsNames: ['*.example.com'] }],
  ])('%s outside the domains is denied for good', async (name, names) => {
    await make(name, names);
    const { status } = await ended(name);
    expect(conditionOf(status?.conditions, 'Denied')).toMatchObject({ status: 'True', reason: 'NamesNotAllowed' });
    expect(conditionOf(status?.conditions, 'Ready')).toMatchObject({ status: 'False', reason: 'Denied' });
    expect(conditionOf(status?.conditions, 'Approved')).toBeUndefined();
    expect(status?.certificate).toBeUndefined();
    expect(status?.failureTime).toBeDefined();
  });

  it('within the domains is signed', async () => {
    await make('raw-good', { dnsNames: [`*.${domain}`] });
    expect((await ended('raw-good')).status?.certificate).toBeDefined();
  });
});

describe('a domain that is withdrawn', () => {
  it('is told while the certificate is good, keeps it from its renewal, and goes on when it is given back', async () => {
    const short = await shortCa(team, 'short', 25_000);
    const dnsNames = ['lent.example.com'];
    await allow(`${domain}, marker.example.com, lent.example.com`);
    await put(team, 'lent', { dnsNames, issuerRef: { name: 'short' } });
    await atRevision(team, 'lent', 1);
    const before = await pairOf(team, 'lent-tls');
    await short.prolong();
    await allow(`${domain}, marker.example.com`);
    await team.says('lent', 'Issuing', /^NamesNotAllowed: .*"lent\.example\.com"/);
    await team.says('lent', 'Ready', /^Ready: /);
    const expired = await team.says('lent', 'Ready', /^Expired: /, 45_000);
    expect(expired.message).toContain('may not have a certificate for "lent.example.com"');
    expect(await askedSince(team, trail, 'lent')).toEqual([]);
    expect((await pairOf(team, 'lent-tls')).leafPem).toBe(before.leafPem);
    await allow(`${domain}, marker.example.com, lent.example.com`);
    await atRevision(team, 'lent', 2);
  });

  it('is not renewed for a person either', async () => {
    await put(team, 'asked', { dnsNames: ['asked.lent.example.com'] });
    await atRevision(team, 'asked', 1);
    await allow(`${domain}, marker.example.com`);
    await team.says('asked', 'Issuing', /^NamesNotAllowed: /);
    await askToRenew(team, 'asked');
    await team.says('asked', 'Issuing', /^NamesNotAllowed: /);
    expect(await askedSince(team, trail, 'asked')).toEqual([]);
    expect(await requestsOf(team, 'asked')).toHaveLength(1);
  });
});
