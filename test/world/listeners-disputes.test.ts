// Who gets what two ask for, on a real API server: a hostname of one Gateway, a Secret of one namespace. The older has it, the loser is told
// without learning of the winner, and takes over when the winner lets go.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import {
  annotate,
  clusterIssued,
  door,
  edit,
  eventually,
  gone,
  kinds,
  openIssuer,
  put,
  remove,
  resourceOf,
  setOf,
  suspendedBecause,
  wanted,
} from './listener-scene.ts';
import { httpsListener, makeTeam, type Team } from './team.ts';

let world: SharedWorld;

beforeAll(async () => {
  world = await sharedWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** Creation times have whole seconds: what comes after this is younger than the set. */
async function ageOf(team: Team, kind: keyof typeof resourceOf, name: string): Promise<void> {
  const object = await team.kubectl.get<KubeObject>(resourceOf[kind], name, '-n', team.namespace);
  const created = Date.parse(object.metadata.creationTimestamp ?? '');
  await until('a second to pass', () => Date.now() >= created + 1_000);
}

describe.each(kinds)('one hostname on two of %s', (kind) => {
  it('is the older one’s; the younger takes over when it goes, and loses it again to the Gateway', async () => {
    await using infra = await makeTeam(world, 'shared');
    // The later name first, so that age and not the name decides.
    await using older = await makeTeam(world, 'zz-older');
    await using younger = await makeTeam(world, 'aa-younger');
    await using self = await openIssuer(world);
    const host = `shop.${infra.namespace}.example.com`;
    const parent = { name: 'g', namespace: infra.namespace };
    const set = ({ namespace }: Team, name: string, listeners: readonly object[]) =>
      setOf(namespace, { kind, name, parent, annotations: clusterIssued(self.name) }, listeners);
    const first = set(older, 'first-secret-name', [httpsListener('web', host, { name: 'older-tls' })]);
    await put(infra, [door(infra.namespace, 'g', { allowed: { from: 'All' } }), first]);
    await older.ready('older-tls', eventually.deadlineMs);
    await ageOf(older, kind, 'first-secret-name');
    const own = httpsListener('own', `own.${infra.namespace}.example.com`, { name: 'own-tls' });
    await put(infra, [set(younger, 'second', [httpsListener('web', host, { name: 'younger-tls' }), own])]);
    await younger.ready('own-tls', eventually.deadlineMs);
    const said = await younger.told('second', /^HostnameConflict: /);
    expect(said.message).toContain(host);
    for (const secret of [older.namespace, 'first-secret-name', 'older-tls']) {
      expect(JSON.stringify(await younger.events('second'))).not.toContain(secret);
    }
    expect(await younger.certificate('younger-tls')).toBeUndefined();

    await remove(older, resourceOf[kind], 'first-secret-name');
    await younger.ready('younger-tls', eventually.deadlineMs);
    await ageOf(younger, kind, 'second');
    await put(infra, [first]);
    await older.told('first-secret-name', /^HostnameConflict: /, eventually.deadlineMs);
    await wanted(younger, 'younger-tls', {
      metadata: { annotations: { 'acme.cert-manager.io/http01-parentrefname': 'second' } },
    });
    expect((await younger.certificate('younger-tls'))?.metadata.annotations).not.toHaveProperty([
      'certway.dev/suspended',
    ]);

    // The Gateway's own listener comes before all sets; what had the name keeps its Secret and is not renewed.
    const listeners = [
      { name: 'http', protocol: 'HTTP', port: 80 },
      httpsListener('taken', host, { name: 'gateway-tls' }),
    ];
    await edit(infra, { kind: 'Gateway', name: 'g' }, { spec: { listeners } });
    await suspendedBecause(younger, 'younger-tls', /is already taken on Gateway/);
    expect(await younger.secret('younger-tls')).toBeDefined();
    await edit(infra, { kind: 'Gateway', name: 'g' }, { spec: { listeners: listeners.slice(0, 1) } });
    await until('the younger set to have it again', async () => {
      const annotations = (await younger.certificate('younger-tls'))?.metadata.annotations;
      return annotations !== undefined && !('certway.dev/suspended' in annotations);
    });
  });
});

describe.each(kinds)('one Secret that is named', (kind) => {
  it(`by two listeners of a ${kind} with different issuers is nobody's, until they agree`, async () => {
    await using team = await makeTeam(world, 'split');
    await using self = await openIssuer(world);
    const host = (name: string) => `${name}.${team.namespace}.example.com`;
    const listeners = ['a', 'b'].map((name) => httpsListener(name, host(name), { name: 'one-tls' }));
    const good = httpsListener('good', host('good'), { name: 'good-tls' });
    const annotations = clusterIssued(self.name, { 'certway.dev/issuers': 'b=Issuer/other' });
    await put(team, [
      door(team.namespace, 'parent', { allowed: { from: 'Same' } }),
      setOf(team.namespace, { kind, name: 'web', annotations }, [...listeners, good]),
    ]);
    await team.ready('good-tls', eventually.deadlineMs);
    const said = await team.told('web', /^BadConfig: .*"one-tls", with different issuers/);
    expect(said.message).toContain(`ClusterIssuer/${self.name}`);
    expect(said.message).toContain('Issuer/other');
    expect(await team.certificate('one-tls')).toBeUndefined();
    await annotate(team, { kind, name: 'web' }, { 'certway.dev/issuers': `b=ClusterIssuer/${self.name}` });
    await wanted(team, 'one-tls', { spec: { dnsNames: [host('a'), host('b')] } });
    // Once made, a new disagreement changes nothing of it.
    await annotate(team, { kind, name: 'web' }, { 'certway.dev/issuers': 'b=Issuer/another' });
    await team.told('web', /Issuer\/another/);
    await wanted(team, 'one-tls', { spec: { dnsNames: [host('a'), host('b')], issuerRef: { name: self.name } } });
  });

  it(`by two of ${kind}, on one Gateway and on two, is the older one's, and free again when it goes`, async () => {
    await using team = await makeTeam(world, 'rivals');
    await using self = await openIssuer(world);
    const host = (name: string) => `${name}.${team.namespace}.example.com`;
    const set = (name: string, parent: string, annotations: Readonly<Record<string, string>>) =>
      setOf(team.namespace, { kind, name, parent: { name: parent }, annotations }, [
        httpsListener('web', host(name), { name: 'one-tls' }),
      ]);
    const allowed = { from: 'Same' };
    await put(team, [
      door(team.namespace, 'g', { allowed }),
      door(team.namespace, 'h', { allowed }),
      set('z-first', 'g', clusterIssued(self.name)),
    ]);
    const before = await team.ready('one-tls', eventually.deadlineMs);
    await ageOf(team, kind, 'z-first');
    await put(team, [
      set('a-same', 'g', { 'cert-manager.io/issuer': 'x' }),
      set('b-other', 'h', clusterIssued(self.name)),
    ]);
    await team.told('a-same', /^BadConfig: .*already named by .*"z-first", which is older/, eventually.deadlineMs);
    await team.told('b-other', /^BadConfig: .*made for .*"z-first"; it is left alone/, eventually.deadlineMs);
    expect((await team.certificate('one-tls'))?.spec).toEqual(before.spec);

    await remove(team, resourceOf[kind], 'z-first', 'a-same');
    await wanted(team, 'one-tls', {
      metadata: { ownerReferences: [{ name: 'b-other' }] },
      spec: { dnsNames: [host('b-other')] },
    });
    await remove(team, resourceOf[kind], 'b-other');
    await gone(team, 'one-tls');
  });
});
