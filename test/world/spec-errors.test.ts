// What keeps a Certificate from being issued: told once in condition and event, in words that name what to change, then left in peace; and issued by itself as
// soon as it is mended. Listeners, external issuers, keystores and names have files of their own.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { shortCa } from './short-ca.ts';
import { askedSince, atRevision, issuerOf, pairOf, put, type SpecWish } from './spec-scene.ts';
import { caIssuer, makeTeam, type Team } from './team.ts';
import { openTrail, type Trail } from './trail.ts';

let world: SharedWorld;
let team: Team;
let trail: Trail;

beforeAll(async () => {
  world = await sharedWorld();
  trail = await openTrail(world.auditLog);
  team = await makeTeam(world, 'errors');
  await team.kubectl.apply(caIssuer(team.namespace));
  await team.ready('ca-root');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

interface Row {
  readonly says: string;
  readonly name: string;
  readonly wish?: SpecWish;
  readonly spoil?: () => Promise<unknown>;
  readonly words: RegExp;
  readonly mend: () => Promise<unknown>;
}

const apply = (...objects: readonly KubeObject[]) => team.kubectl.apply(objects);
const byIssuer = (name: string): SpecWish => ({ issuerRef: { name, kind: 'Issuer' } });
const dnsNames = ['who.example.com'];

/** What stands in Secret ca-root, under another name and without a part. */
async function copyOf(name: string, ...keys: readonly string[]): Promise<KubeObject> {
  const { data = {} } = (await team.secret('ca-root')) ?? {};
  const kept = Object.fromEntries(Object.entries(data).filter(([key]) => keys.includes(key)));
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: team.namespace }, ...{ data: kept } };
}

const rows: readonly Row[] = [
  {
    says: 'an issuer that does not exist',
    name: 'no-issuer',
    wish: byIssuer('later'),
    words: /^IssuerNotFound: Issuer "later" does not exist; create it, or correct the reference\./,
    mend: () => apply(issuerOf(team.namespace, 'later', { selfSigned: {} })),
  },
  {
    says: 'a ClusterIssuer that does not exist',
    name: 'no-cluster-issuer',
    wish: { issuerRef: { name: `none-there`, kind: 'ClusterIssuer' } },
    words: /^IssuerNotFound: ClusterIssuer "none-there" does not exist/,
    mend: () => put(team, 'no-cluster-issuer', { dnsNames }),
  },
  {
    says: 'an issuer without its Secret',
    name: 'not-ready',
    wish: byIssuer('empty'),
    spoil: () => apply(issuerOf(team.namespace, 'empty', { ca: { secretName: 'empty-root' } })),
    words:
      /^IssuerNotReady: Issuer "empty" is not ready: Secret ".*\/empty-root" with the CA's tls\.crt and tls\.key does not/,
    mend: async () => apply(await copyOf('empty-root', 'tls.crt', 'tls.key')),
  },
  {
    says: 'an issuer with half a CA',
    name: 'half-a-ca',
    wish: byIssuer('half'),
    spoil: async () =>
      apply(
        await copyOf('half-root', 'tls.crt'),
        issuerOf(team.namespace, 'half', { ca: { secretName: 'half-root' } }),
      ),
    words: /^IssuerNotReady: Issuer "half" is not ready: Secret ".*\/half-root": The private key is not/,
    mend: async () => apply(await copyOf('half-root', 'tls.crt', 'tls.key')),
  },
  {
    says: 'a name that no certificate can have',
    name: 'no-name',
    wish: { dnsNames: ['not a name.example.com'] },
    words: /^InvalidSpec: .*not a name\.example\.com/,
    mend: () => put(team, 'no-name', { dnsNames }),
  },
  {
    says: 'a control character in the subject',
    name: 'no-organization',
    wish: { subject: { organizations: ['a\u0001b'] } },
    words: /^InvalidSpec: spec\.subject\.organizations: /,
    mend: () => put(team, 'no-organization', { dnsNames, subject: { organizations: ['ab'] } }),
  },
  {
    says: 'a literal subject that cannot be read',
    name: 'no-subject',
    wish: { literalSubject: 'CN=x,NOSUCHKEY=y' },
    words: /^InvalidSpec: .*NOSUCHKEY/,
    mend: () => put(team, 'no-subject', { dnsNames, literalSubject: 'CN=x,O=y' }),
  },
  {
    says: 'a Secret that another Certificate writes',
    name: 'second',
    wish: { secretName: 'shared' },
    spoil: async () => {
      await put(team, 'first', { dnsNames, secretName: 'shared' });
      await team.ready('first');
    },
    words: /^DuplicateSecretName: Certificate "first" already writes Secret "shared"; choose another secretName\./,
    mend: () => put(team, 'second', { dnsNames, secretName: 'second-tls' }),
  },
];

describe.each(rows)('$says', ({ name, wish = {}, spoil, words, mend }) => {
  it('is told, left in peace, and forgotten when it is mended', async () => {
    await spoil?.();
    await put(team, name, { dnsNames, ...wish });
    const said = await team.says(name, 'Issuing', words);
    expect(said.status).toBe('True');
    expect((await team.says(name, 'Ready', /./)).message).toContain(said.message);
    await team.told(name, words);
    expect(await askedSince(team, trail, name)).toEqual([]);
    await mend();
    await atRevision(team, name, 1);
  });
});

it('a CA that has expired is told, and what it signs is served once it has been prolonged', async () => {
  const short = await shortCa(team, 'expired', -1_000);
  await put(team, 'by-expired', { dnsNames, ...byIssuer('expired') });
  await team.says('by-expired', 'Issuing', /^IssuerNotReady: .*has expired, at /);
  await short.prolong();
  await atRevision(team, 'by-expired', 1);
  expect((await pairOf(team, 'by-expired-tls')).facts.notAfter).toBeGreaterThan(Date.now());
});
