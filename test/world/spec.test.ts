// Every field of a Certificate's spec, by each type of issuer: what openssl and our own reader find in the certificate and in the request is what was asked for.

import { createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateKeySpec, SignatureAlgorithm } from '../../src/api/certmanager.ts';
import { annotations } from '../../src/api/names.ts';
import { kindOfKey } from '../../src/pki/keys.ts';
import { certificateSatisfies } from '../../src/pki/satisfies.ts';
import { readUsages } from '../../src/pki/usages.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import {
  atRevision,
  below,
  csrText,
  issuerOf,
  pairOf,
  put,
  requestsOf,
  type SpecWish,
  verified,
} from './spec-scene.ts';
import { acmeIssuer, caIssuer, gateway, makeTeam, type Team } from './team.ts';

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'spec');
  await team.kubectl.apply([
    ...caIssuer(team.namespace),
    acmeIssuer(team.namespace, world.acme),
    gateway(team.namespace),
  ]);
  await team.ready('ca-root');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const subject = {
  organizations: ['Example, Inc.'],
  organizationalUnits: ['More', 'People'],
  countries: ['DE'],
  provinces: ['NRW'],
  localities: ['Köln'],
  streetAddresses: ['1 Main St'],
  postalCodes: ['50667'],
  serialNumber: '42',
} as const;
const usages = ['digital signature', 'key encipherment', 'server auth', 'client auth', 'code signing'];
const secretTemplate = { labels: { team: 'a' }, annotations: { note: 'x' } };

/** A leaf with a name of each kind and every part of a subject. */
const whole: SpecWish = {
  commonName: 'Whole & Söhne',
  dnsNames: ['whole.example.com', '*.whole.example.com'],
  ipAddresses: ['10.0.0.7', '2001:db8::7'],
  uris: ['spiffe://cluster.local/ns/team/sa/web'],
  emailAddresses: ['who@example.com'],
  otherNames: [{ oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'who@corp.example.com' }],
  subject,
  usages,
  secretTemplate,
  duration: '48h',
  renewBefore: '12h',
  privateKey: { algorithm: 'RSA', size: 3072, encoding: 'PKCS8', rotationPolicy: 'Always' },
  signatureAlgorithm: 'SHA384WithRSA',
  revisionHistoryLimit: 3,
};

describe.each(['ca', 'selfsigned'])('issuer %s', (issuer) => {
  it('signs a leaf with everything', async () => {
    const name = `whole-${issuer}`;
    const spec = await put(team, name, { ...whole, issuerRef: { name: issuer, kind: 'Issuer' } });
    const { status } = await atRevision(team, name, 1);
    const { facts, text, keyPem, caPem, chainPem } = await pairOf(team, `${name}-tls`);
    expect(certificateSatisfies(facts, spec)).toEqual([]);
    expect(below(text, 'X509v3 Subject Alternative Name')).toBe(
      'DNS:whole.example.com, DNS:*.whole.example.com, email:who@example.com, IP Address:10.0.0.7, IP Address:2001:DB8:0:0:0:0:0:7, URI:spiffe://cluster.local/ns/team/sa/web, othername: UPN::who@corp.example.com',
    );
    expect(facts.subjectParts).toEqual(subject);
    expect(facts.usages).toEqual(readUsages(usages, false));
    expect(below(text, 'X509v3 Extended Key Usage')).toBe(
      'TLS Web Server Authentication, TLS Web Client Authentication, Code Signing',
    );
    expect(facts.notAfter - facts.notBefore).toBe(48 * 3_600_000);
    expect(Date.parse(status?.notAfter ?? '')).toBe(facts.notAfter);
    const renewal = Date.parse(status?.renewalTime ?? '');
    expect(facts.notAfter - renewal).toBeGreaterThanOrEqual(12 * 3_600_000);
    expect(facts.notAfter - renewal).toBeLessThan(13 * 3_600_000);
    expect(kindOfKey(createPrivateKey(keyPem))).toEqual({ algorithm: 'RSA', size: 3072 });
    expect(keyPem).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(verified(caPem, chainPem)).toMatch(/OK$/);
    const csr = await csrText(team, name);
    expect(csr).toMatch(/verify OK/i);
    expect(csr).toContain('Signature Algorithm: sha384WithRSAEncryption');
    expect(csr).toContain('TLS Web Client Authentication');
  });

  it('signs a CA with constraints and a literal subject, which the spec writes from its end', async () => {
    const name = `authority-${issuer}`;
    const nameConstraints = {
      critical: true,
      permitted: { dnsDomains: ['example.com'], ipRanges: ['10.0.0.0/8'], emailAddresses: ['example.com'] },
      excluded: { dnsDomains: ['secret.example.com'], uriDomains: ['.example.org'] },
    };
    const literalSubject = 'CN=Team CA,OU=Platform\\, and more,O=Example,C=DE';
    const signing = ['cert sign', 'crl sign', 'digital signature'];
    const privateKey = { algorithm: 'ECDSA', size: 384 } as const;
    const wish = {
      literalSubject,
      isCA: true,
      nameConstraints,
      usages: signing,
      privateKey,
      encodeUsagesInRequest: false,
    };
    const spec = await put(team, name, { ...wish, issuerRef: { name: issuer } });
    await atRevision(team, name, 1);
    const { facts, text, caPem, chainPem } = await pairOf(team, `${name}-tls`);
    expect(certificateSatisfies(facts, spec)).toEqual([]);
    expect(text).toContain('Subject: C = DE, O = Example, OU = "Platform, and more", CN = Team CA');
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE/);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign/);
    const constraints = text.slice(text.indexOf('X509v3 Name Constraints: critical'));
    expect(constraints).toMatch(/Permitted:\s+DNS:example.com\s+IP:10.0.0.0\/255.0.0.0\s+email:example.com/);
    expect(constraints).toMatch(/Excluded:\s+DNS:secret.example.com\s+URI:.example.org/);
    expect(verified(caPem, chainPem)).toMatch(/OK$/);
    expect(await csrText(team, name)).not.toContain('X509v3 Key Usage');
    expect((await requestsOf(team, name)).map(({ spec: asked }) => [asked.isCA, asked.usages])).toEqual([
      [true, signing],
    ]);
  });
});

it('what that CA signs carries the chain without the root, and openssl holds it to the constraints', async () => {
  await team.kubectl.apply([issuerOf(team.namespace, 'team-ca', { ca: { secretName: 'authority-ca-tls' } })]);
  await put(team, 'below', { dnsNames: ['below.example.com'], issuerRef: { name: 'team-ca' } });
  await put(team, 'outside', { dnsNames: ['a.secret.example.com'], issuerRef: { name: 'team-ca' } });
  await Promise.all([atRevision(team, 'below', 1), atRevision(team, 'outside', 1)]);
  const [inside, outside] = [await pairOf(team, 'below-tls'), await pairOf(team, 'outside-tls')];
  const root = (await pairOf(team, 'ca-root')).chainPem;
  expect(inside.caPem).toBe(root);
  expect(inside.chainPem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  expect(verified(root, inside.chainPem)).toMatch(/OK$/);
  expect(verified(root, outside.chainPem)).toMatch(/excluded subtree violation/);
});

const keys: readonly (readonly [string, PrivateKeySpec, SignatureAlgorithm | undefined, RegExp])[] = [
  ['rsa', { algorithm: 'RSA' }, undefined, /BEGIN RSA PRIVATE KEY/],
  ['rsa-8', { algorithm: 'RSA', size: 2048, encoding: 'PKCS8' }, 'SHA512WithRSA', /BEGIN PRIVATE KEY/],
  ['p256', { algorithm: 'ECDSA', encoding: 'PKCS1' }, 'ECDSAWithSHA384', /BEGIN EC PRIVATE KEY/],
  ['p384', { algorithm: 'ECDSA', size: 384, encoding: 'PKCS8' }, undefined, /BEGIN PRIVATE KEY/],
  ['p521', { algorithm: 'ECDSA', size: 521 }, 'ECDSAWithSHA512', /BEGIN EC PRIVATE KEY/],
  ['ed', { algorithm: 'Ed25519' }, 'PureEd25519', /BEGIN PRIVATE KEY/],
];

it('keys of every kind are made, written in their encoding and certified', async () => {
  const wishes = keys.map(([name, privateKey, signatureAlgorithm]) => {
    const wish = { dnsNames: [`${name}.example.com`], privateKey };
    return put(team, `key-${name}`, signatureAlgorithm === undefined ? wish : { ...wish, signatureAlgorithm });
  });
  const specs = await Promise.all(wishes);
  for (const [at, [name, , signature, form]] of keys.entries()) {
    const spec = specs[at];
    await atRevision(team, `key-${name}`, 1);
    const { facts, keyPem } = await pairOf(team, `key-${name}-tls`);
    expect(spec === undefined ? 'no spec' : certificateSatisfies(facts, spec)).toEqual([]);
    expect(createPrivateKey(keyPem).asymmetricKeyType).toBe(facts.publicKey.asymmetricKeyType);
    expect(keyPem).toMatch(form);
    const written = signature?.replace('PureEd25519', 'ED25519').replace('WithRSA', 'WithRSAEncryption');
    const openssls = written?.replace(/^ECDSAWith(.*)/, 'ecdsa-with-$1').replace(/^SHA/, 'sha');
    if (openssls !== undefined) expect(await csrText(team, `key-${name}`)).toContain(`Algorithm: ${openssls}`);
  }
});

it('an ACME issuer proves the names, takes the key, and what the CA leaves out is no reason to ask again', async () => {
  const host = `acme.${team.namespace}.example.com`;
  const privateKey = { algorithm: 'ECDSA', size: 384, encoding: 'PKCS8' } as const;
  const names = { commonName: host, dnsNames: [host, `b.${host}`] };
  const noted = { [annotations.parentRefKind]: 'Gateway', [annotations.parentRefName]: 'parent' };
  const wish = { subject, usages, secretTemplate, privateKey, issuerRef: { name: 'acme' } };
  const spec = await put(team, 'acme', { ...wish, ...names }, noted);
  const { status } = await atRevision(team, 'acme', 1, 60_000);
  const { facts, text, keyPem } = await pairOf(team, 'acme-tls');
  expect(certificateSatisfies(facts, spec)).toEqual([]);
  expect(below(text, 'X509v3 Subject Alternative Name').split(', ').toSorted()).toEqual([
    `DNS:${host}`,
    `DNS:b.${host}`,
  ]);
  expect(facts.subjectParts).not.toEqual(subject);
  expect(keyPem).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  expect(Date.parse(status?.notAfter ?? '')).toBe(facts.notAfter);
  expect((await team.secret('acme-tls'))?.metadata.labels).toMatchObject({ team: 'a' });
});
