// What an edit of the spec sets off, by each type of issuer: one new certificate for what a certificate or its request says, none for anything else; and
// nothing at all where nothing was edited.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations } from '../../src/api/names.ts';
import { requestName } from '../../src/apply/names.ts';
import { certificateSatisfies } from '../../src/pki/satisfies.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { askedSince, atRevision, issuerOf, pairOf, put, requestsOf, type SpecWish } from './spec-scene.ts';
import { acmeIssuer, caIssuer, gateway, makeTeam, type Team } from './team.ts';
import { openTrail, type Trail } from './trail.ts';

let world: SharedWorld;
let team: Team;
let trail: Trail;

beforeAll(async () => {
  world = await sharedWorld();
  trail = await openTrail(world.auditLog);
  team = await makeTeam(world, 'edits');
  await team.kubectl.apply([
    ...caIssuer(team.namespace),
    issuerOf(team.namespace, 'ca2', { ca: { secretName: 'ca-root' } }),
    issuerOf(team.namespace, 'selfsigned2', { selfSigned: {} }),
    acmeIssuer(team.namespace, world.acme),
    gateway(team.namespace),
  ]);
  await team.ready('ca-root');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

interface Edit {
  readonly edits: string;
  readonly by: (host: string, issuer: string) => SpecWish;
  /** In the event with which the new certificate is told. */
  readonly why: RegExp;
}

/** Each on top of those before it. */
const edits: readonly Edit[] = [
  {
    edits: 'a DNS name',
    by: (host) => ({ dnsNames: [host, `b.${host}`] }),
    why: /\(RequestChanged: The spec differs from what was asked for in dnsNames\.\)/,
  },
  {
    edits: 'the subject',
    by: () => ({ subject: { organizations: ['Example'] } }),
    why: /\(RequestChanged: .* in subject\.\)/,
  },
  {
    edits: 'the usages',
    by: () => ({ usages: ['digital signature', 'server auth'] }),
    why: /\(RequestChanged: .* in usages\.\)/,
  },
  { edits: 'the duration', by: () => ({ duration: '72h' }), why: /\(RequestChanged: .* in duration\.\)/ },
  {
    edits: 'the kind of key',
    by: () => ({ privateKey: { algorithm: 'ECDSA', size: 384 } }),
    why: /\(SecretMismatch: .*keySize/,
  },
  {
    edits: 'the issuer',
    by: (_, issuer) => ({ issuerRef: { name: `${issuer}2`, kind: 'Issuer' } }),
    why: /\(IncorrectIssuer: .*2" is asked for\.\)/,
  },
  {
    edits: 'whether it is a CA',
    by: () => ({ isCA: true, commonName: 'Now a CA' }),
    why: /\(RequestChanged: .* in isCA, .*commonName/,
  },
];

describe.each(['ca', 'selfsigned'])('with issuer %s', (issuer) => {
  const name = `web-${issuer}`;
  const host = `${name}.example.com`;
  let wish: SpecWish = { dnsNames: [host], duration: '48h', renewBefore: '12h', issuerRef: { name: issuer } };

  it.each(edits)('an edit of $edits is issued once, and the reason told', async ({ by, why }) => {
    await put(team, name, wish);
    const before = (await team.ready(name)).status?.revision ?? 0;
    wish = { ...wish, ...by(host, issuer) };
    const spec = await put(team, name, wish);
    await atRevision(team, name, before + 1);
    await team.told(name, why);
    const { facts } = await pairOf(team, `${name}-tls`);
    expect(certificateSatisfies(facts, spec)).toEqual([]);
    expect(await askedSince(team, trail, name)).toEqual([]);
    expect((await requestsOf(team, name)).map(({ metadata }) => metadata.name)).toEqual([
      requestName(name, before + 1),
    ]);
  });

  it('an edit of what no certificate says leaves it', async () => {
    const { fingerprint256 } = (await pairOf(team, `${name}-tls`)).facts;
    const { revision, renewalTime = '' } = (await team.ready(name)).status ?? {};
    wish = { ...wish, renewBefore: '24h', revisionHistoryLimit: 5, secretTemplate: { labels: { team: 'b' } } };
    await put(team, name, wish);
    await until('the earlier renewal and the label', async () => {
      const renewal = (await team.certificate(name))?.status?.renewalTime ?? '';
      const labels = (await team.secret(`${name}-tls`))?.metadata.labels;
      return Date.parse(renewal) < Date.parse(renewalTime) - 10 * 3_600_000 && labels?.team === 'b';
    });
    expect(await askedSince(team, trail, name)).toEqual([]);
    expect((await team.certificate(name))?.status?.revision).toBe(revision);
    expect((await pairOf(team, `${name}-tls`)).facts.fingerprint256).toBe(fingerprint256);
  });
});

it('an ACME certificate follows the spec in what its CA drops as well, once, and then rests', async () => {
  const host = `acme.${team.namespace}.example.com`;
  const noted = { [annotations.parentRefKind]: 'Gateway', [annotations.parentRefName]: 'parent' };
  const wish: SpecWish = { dnsNames: [host], issuerRef: { name: 'acme' } };
  await put(team, 'acme', wish, noted);
  await atRevision(team, 'acme', 1, 60_000);
  await put(team, 'acme', { ...wish, subject: { organizations: ['Example'] } }, noted);
  await atRevision(team, 'acme', 2, 60_000);
  const spec = await put(team, 'acme', { ...wish, dnsNames: [host, `b.${host}`] }, noted);
  await atRevision(team, 'acme', 3, 60_000);
  expect(certificateSatisfies((await pairOf(team, 'acme-tls')).facts, spec)).toEqual([]);
  expect(await askedSince(team, trail, 'acme')).toEqual([]);
});

it('a Certificate that is replaced by another of its name begins anew', async () => {
  await put(team, 'reborn', { dnsNames: ['first.example.com'], secretName: 'first' });
  await atRevision(team, 'reborn', 1);
  const other = await put(team, 'other', { dnsNames: ['second.example.com'], secretName: 'second' });
  const body = { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', spec: other };
  const metadata = { name: 'reborn', namespace: team.namespace };
  const spec = { ...other, secretName: 'reborn-tls', subject: { organizations: ['Second'] } };
  await team.kubectl.run(['replace', '--force', '-f', '-'], JSON.stringify({ ...body, metadata, spec }));
  await atRevision(team, 'reborn', 1);
  const { facts } = await pairOf(team, 'reborn-tls');
  expect(facts.names.dnsNames).toEqual(['second.example.com']);
  expect(facts.subjectParts).toEqual({ organizations: ['Second'] });
});
