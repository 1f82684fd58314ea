// Every annotation of cert-manager's table on real sets: what it asks for reaches the Certificate, so does every edit, so does its removal;
// a bad value is told once, with what is accepted, and nothing is tried again until it changes.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { type Body, type Row, rows } from './listener-annotations.ts';
import {
  annotate,
  certificateNames,
  clusterIssued,
  edit,
  eventually,
  gone,
  kinds,
  listenerSet,
  openIssuer,
  put,
  remove,
  resourceOf,
  type SetKind,
  wanted,
} from './listener-scene.ts';
import { gateway, httpsListener, makeTeam, type Team } from './team.ts';
import { openTrail, sentences } from './trail.ts';

const cm = 'cert-manager.io/';
const acme = 'acme.cert-manager.io/';
// Of an issuer that does not exist: the table is about what is asked for, and nothing need be signed for it.
const issuer = { [`${cm}cluster-issuer`]: 'nobody' };

let world: SharedWorld;

beforeAll(async () => {
  world = await sharedWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const nameOf = (row: Row) => `s${rows.indexOf(row)}`;
const hostOf = (team: Team, name: string) => `${name}.${team.namespace}.example.com`;

/** One set per annotation, so that none hides behind another. */
function setsWith(
  team: Team,
  kind: SetKind,
  some: readonly Row[],
  value: (row: Row) => string | undefined,
): KubeObject[] {
  return some.map((row) => {
    const name = nameOf(row);
    const own = value(row);
    const annotations = { ...issuer, ...row.with, ...(own !== undefined && { [row.key]: own }) };
    return listenerSet(team.namespace, { kind, name, hostname: hostOf(team, name), annotations });
  });
}

/** The whole of what a listener can put on the Certificate, with what the row gives. */
function asked(team: Team, kind: SetKind, row: Row, gives: Body) {
  const name = nameOf(row);
  const text = JSON.stringify(gives)
    .replaceAll('"HOST"', JSON.stringify(hostOf(team, name)))
    .replaceAll('"NAME"', JSON.stringify(name))
    .replaceAll('"NAMESPACE"', JSON.stringify(team.namespace));
  const { annotations = {}, ...spec }: { annotations?: Readonly<Record<string, string>> } = JSON.parse(text);
  const parent = {
    [`${acme}http01-parentrefkind`]: kind,
    [`${acme}http01-parentrefname`]: name,
    'certway.dev/gateway': `${team.namespace}/parent`,
  };
  const algorithm = row.with?.[`${cm}private-key-algorithm`];
  return {
    annotations: `${acme}http01-parentrefname` in annotations ? annotations : { ...parent, ...annotations },
    spec: {
      secretName: `${name}-tls`,
      issuerRef: { name: 'nobody', kind: 'ClusterIssuer', group: 'cert-manager.io' },
      dnsNames: [hostOf(team, name)],
      usages: ['digital signature', 'key encipherment'],
      ...(algorithm !== undefined && { privateKey: { algorithm } }),
      ...spec,
    },
  };
}

async function expectAsked(team: Team, kind: SetKind, gives: (row: Row) => Body): Promise<void> {
  for (const row of rows) {
    await until(
      `${row.key} to reach the Certificate of ${nameOf(row)}`,
      async () => {
        const found = await team.certificate(`${nameOf(row)}-tls`);
        expect({ annotations: found?.metadata.annotations, spec: found?.spec }).toEqual(
          asked(team, kind, row, gives(row)),
        );
        return true;
      },
      eventually,
    );
  }
}

describe.each(kinds)('the annotations of a %s', (kind) => {
  it(`reach the Certificate, so does every edit, so does their removal: ${rows.length} annotations`, async () => {
    await using team = await makeTeam(world, 'table');
    await put(team, [gateway(team.namespace), ...setsWith(team, kind, rows, ({ first }) => first[0])]);
    await expectAsked(team, kind, ({ first }) => first[1]);
    await put(
      team,
      setsWith(team, kind, rows, ({ next }) => next[0]),
    );
    await expectAsked(team, kind, ({ next }) => next[1]);
    await put(
      team,
      setsWith(team, kind, rows, () => undefined),
    );
    await expectAsked(team, kind, () => ({}));
  });

  it('with a bad value are told once, hold up nobody, are not tried again, and go on when mended', async () => {
    await using team = await makeTeam(world, 'bad-value');
    const told = rows.filter((row) => row.bad !== undefined);
    const marker = (name: string) =>
      listenerSet(team.namespace, { kind, name, hostname: hostOf(team, name), annotations: issuer });
    await put(team, [gateway(team.namespace), ...setsWith(team, kind, told, ({ bad }) => bad?.[0]), marker('good')]);
    await wanted(team, 'good-tls', {});
    for (const row of told) {
      const [value, accepted] = row.bad ?? ['', /^/];
      const said = await team.told(nameOf(row), accepted, eventually.deadlineMs);
      expect(said).toMatchObject({ type: 'Warning', reason: 'BadConfig', involvedObject: { kind } });
      expect(said.message).toContain(row.key);
      expect(said.message).toContain(JSON.stringify(value));
    }
    expect(await certificateNames(team)).toEqual(['good-tls']);
    const trail = await openTrail(world.auditLog);
    await put(team, [marker('later')]);
    // The Certificate's last word: whoever waits behind it has been looked at as well.
    await team.says('later-tls', 'Issuing', /IssuerNotFound/, eventually.deadlineMs);
    const after = (await trail.requests()).filter(({ namespace, name }) => namespace === team.namespace && name !== '');
    expect(sentences(after).filter((sentence) => !sentence.includes(' later'))).toEqual([]);
    for (const row of told) expect(await team.events(nameOf(row))).toHaveLength(1);
    await put(
      team,
      setsWith(team, kind, told, ({ first }) => first[0]),
    );
    await until('all Certificates', async () => (await certificateNames(team)).length === told.length + 2, eventually);
  });

  it('of another sort, and everything else that shapes a Certificate, reach it when edited too', async () => {
    await using team = await makeTeam(world, 'edits');
    await using self = await openIssuer(world);
    const set = { kind, name: 'web' } as const;
    const host = (name: string) => hostOf(team, name);
    const tls = (secret: string, mode = 'Terminate') => ({ mode, certificateRefs: [{ name: secret }] });
    const listener = (name: string, hostname: string, secret: string, mode?: string) => ({
      name,
      hostname,
      protocol: 'TLS',
      port: 443,
      tls: tls(secret, mode),
    });
    const listeners = (...some: readonly object[]) => edit(team, set, { spec: { listeners: some } });
    await put(team, [
      gateway(team.namespace),
      listenerSet(team.namespace, {
        ...set,
        hostname: host('a'),
        annotations: clusterIssued(self.name),
        labels: { team: 'one', 'applyset.kubernetes.io/part-of': 'some-set' },
      }),
    ]);
    const first = await team.ready('web-tls');
    expect(first.metadata.labels).toEqual({ team: 'one' });

    await edit(team, set, { metadata: { labels: { team: null, tier: 'two' } } });
    await until('the labels', async () => {
      expect((await team.certificate('web-tls'))?.metadata.labels).toEqual({ tier: 'two' });
      return true;
    });
    await annotate(team, set, {
      [`${cm}cluster-issuer`]: null,
      [`${cm}issuer`]: 'x',
      [`${cm}issuer-kind`]: 'ClusterIssuer',
    });
    await wanted(team, 'web-tls', {
      spec: { issuerRef: { name: 'x', kind: 'ClusterIssuer', group: 'cert-manager.io' } },
    });
    await annotate(team, set, { [`${cm}issuer-group`]: 'example.org', [`${cm}issuer-kind`]: 'Signer' });
    await wanted(team, 'web-tls', { spec: { issuerRef: { name: 'x', kind: 'Signer', group: 'example.org' } } });
    await annotate(team, set, {
      [`${cm}issuer`]: null,
      [`${cm}issuer-group`]: null,
      [`${cm}issuer-kind`]: null,
      [`${cm}cluster-issuer`]: self.name,
    });
    await wanted(team, 'web-tls', { spec: { issuerRef: { name: self.name, kind: 'ClusterIssuer' } } });

    await listeners(listener('b', host('b'), 'web-tls'), listener('a', host('a'), 'web-tls'));
    await wanted(team, 'web-tls', { spec: { dnsNames: [host('b'), host('a')] } });
    await annotate(team, set, { [`${cm}ignore-tls-listeners`]: 'b' });
    await wanted(team, 'web-tls', { spec: { dnsNames: [host('a')] } });
    await annotate(team, set, { [`${cm}ignore-tls-listeners`]: null });
    await wanted(team, 'web-tls', { spec: { dnsNames: [host('b'), host('a')] } });
    await listeners(listener('b', host('b'), 'web-tls'), listener('a', host('a'), 'web-tls', 'Passthrough'));
    await wanted(team, 'web-tls', { spec: { dnsNames: [host('b')] } });

    // The Secret follows the spec: this hostname was not in the first certificate.
    await until(
      'the Secret to be for b',
      async () => {
        const secret = await team.secret('web-tls');
        return secret?.metadata.annotations?.[`${cm}alt-names`] === host('b');
      },
      eventually,
    );
    await listeners(listener('b', host('b'), 'other-tls'));
    await wanted(team, 'other-tls', { spec: { secretName: 'other-tls', dnsNames: [host('b')] } });
    await gone(team, 'web-tls');
    expect(await team.secret('web-tls')).toBeDefined();
    const said = (await team.events('web')).map(({ reason }) => reason);
    expect(new Set(said)).toEqual(new Set(['CreateCertificate', 'UpdateCertificate', 'DeleteCertificate']));
    await remove(team, resourceOf[kind], 'web');
    await gone(team, 'other-tls');
  });
});

describe('an annotation that was good once and is bad now', () => {
  it('leaves the Certificate as it is, renewing, until it is mended', async () => {
    await using team = await makeTeam(world, 'turned-bad');
    await using self = await openIssuer(world);
    const set = { kind: 'Gateway', name: 'parent' } as const;
    const listener = httpsListener('web', hostOf(team, 'web'), { name: 'web-tls' });
    await put(team, [gateway(team.namespace, { annotations: clusterIssued(self.name), listeners: [listener] })]);
    const before = await team.ready('web-tls');
    await annotate(team, set, { [`${cm}duration`]: 'long' });
    await team.told('parent', /duration.*"long"/, eventually.deadlineMs);
    const secret = await team.secret('web-tls');
    await remove(team, 'secret', 'web-tls');
    await until(
      'it to be issued again',
      async () => {
        const uid = (await team.secret('web-tls'))?.metadata.uid;
        return uid !== undefined && uid !== secret?.metadata.uid;
      },
      eventually,
    );
    expect((await team.certificate('web-tls'))?.spec).toEqual(before.spec);
    await annotate(team, set, { [`${cm}duration`]: '48h' });
    await wanted(team, 'web-tls', { metadata: { uid: before.metadata.uid }, spec: { duration: '48h0m0s' } });
  });
});

describe('a value that only the API server knows to refuse', () => {
  it('is told in its words, sent once, and holds up nobody', async () => {
    await using team = await makeTeam(world, 'refused');
    const entries = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`k${index}`, 'v']));
    const set = (name: string, more: Readonly<Record<string, string>> = {}) =>
      listenerSet(team.namespace, { name, hostname: hostOf(team, name), annotations: { ...issuer, ...more } });
    const trail = await openTrail(world.auditLog);
    await put(team, [
      gateway(team.namespace),
      set('web', { [`${cm}secret-template`]: JSON.stringify({ labels: entries }) }),
      set('good'),
    ]);
    await team.told('web', /^BadConfig: Certificate "web-tls" is refused by the API server: .*secretTemplate/, 30_000);
    await wanted(team, 'good-tls', {});
    const sent = async () =>
      (await trail.requests()).filter(({ namespace, code }) => namespace === team.namespace && code === 422);
    const before = (await sent()).length;
    // One attempt for each of the changes that came, and none besides.
    expect(before).toBeLessThanOrEqual(3);
    await edit(team, { kind: 'ListenerSet', name: 'good' }, { metadata: { labels: { a: 'b' } } });
    await wanted(team, 'good-tls', { metadata: { labels: { a: 'b' } } });
    await annotate(team, { kind: 'ListenerSet', name: 'web' }, { [`${cm}secret-template`]: '{"labels":{"a":"b"}}' });
    await wanted(team, 'web-tls', { spec: { secretTemplate: { labels: { a: 'b' } } } });
  });
});
