// Who signs for which listener, edited live on Gateways and sets: entries of certway.dev/issuers, the object's own annotation, the Gateway's
// default and what else it leaves to its sets; and that a claim which is given up leaves no Certificate behind, and the Secret where it is.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuers } from '../../src/api/resources.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import {
  annotate,
  certificateNames,
  clusterIssued,
  door,
  edit,
  eventually,
  fast,
  gone,
  kinds,
  openIssuer,
  put,
  remove,
  resourceOf,
  setOf,
  wanted,
} from './listener-scene.ts';
import { httpsListener, makeTeam, type Team } from './team.ts';

let world: SharedWorld;

beforeAll(async () => {
  world = await sharedWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const entries = 'certway.dev/issuers';
const host = (team: Team, name: string) => `${name}.${team.namespace}.example.com`;
const listener = (team: Team, name: string) => httpsListener(name, host(team, name), { name: `${name}-tls` });
const http = { name: 'http', protocol: 'HTTP', port: 80 };
const signedBy = (kind: string, name: string) => ({ spec: { issuerRef: { kind, name, group: 'cert-manager.io' } } });

/** An Issuer "mine" of the namespace that signs by itself. */
async function issuerOf(team: Team): Promise<void> {
  await put(team, [
    {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Issuer',
      metadata: { name: 'mine', namespace: team.namespace },
      ...{ spec: { selfSigned: {} } },
    },
  ]);
  await until('the issuer to be ready', async () => {
    const [found] = await team.all(issuers);
    return conditionOf(found?.status?.conditions, 'Ready')?.status === 'True';
  });
}

describe.each([...kinds, 'Gateway'] as const)('the listeners of a %s', (kind) => {
  it('have the issuer of their entry, else of the object, through every edit', async () => {
    await using team = await makeTeam(world, 'entries');
    await using self = await openIssuer(world);
    await issuerOf(team);
    const name = kind === 'Gateway' ? 'parent' : 'web';
    const object = { kind, name } as const;
    const annotations = clusterIssued(self.name, { [entries]: 'a=Issuer/mine, ghost=Issuer/mine' });
    const listeners = [listener(team, 'a'), listener(team, 'b')];
    const allowed = { from: 'Same' };
    await put(
      team,
      kind === 'Gateway'
        ? [door(team.namespace, name, { annotations, listeners })]
        : [door(team.namespace, 'parent', { allowed }), setOf(team.namespace, { kind, name, annotations }, listeners)],
    );
    await team.ready('a-tls', eventually.deadlineMs);
    await team.ready('b-tls', eventually.deadlineMs);
    await wanted(team, 'a-tls', signedBy('Issuer', 'mine'));
    await wanted(team, 'b-tls', signedBy('ClusterIssuer', self.name));
    const said = await team.told(name, /^BadConfig: .*certway\.dev\/issuers has "ghost=Issuer\/mine"/);
    expect(said.message).toContain('one entry such as "web=Issuer/x"');

    await annotate(team, object, { [entries]: `b=mine,a=ClusterIssuer/${self.name}` });
    await wanted(team, 'a-tls', signedBy('ClusterIssuer', self.name));
    await wanted(team, 'b-tls', signedBy('Issuer', 'mine'));
    await until(
      'b to be signed by it',
      async () => {
        const secret = await team.secret('b-tls');
        return secret?.metadata.annotations?.['cert-manager.io/issuer-name'] === 'mine';
      },
      eventually,
    );

    // Without an issuer of the object only the listener with an entry is served; without an entry none is.
    await annotate(team, object, { 'cert-manager.io/cluster-issuer': null, [entries]: 'b=mine' });
    await gone(team, 'a-tls');
    expect(await certificateNames(team)).toEqual(['b-tls']);
    await annotate(team, object, { [entries]: null });
    await gone(team, 'b-tls');
    expect(await team.secret('a-tls')).toBeDefined();
    expect(await team.secret('b-tls')).toBeDefined();
    await team.told(name, /^DeleteCertificate: /);
  });

  it('that no longer ask for a certificate lose it, and keep the Secret', async () => {
    await using team = await makeTeam(world, 'given-up');
    await using self = await openIssuer(world);
    const name = kind === 'Gateway' ? 'parent' : 'web';
    const object = { kind, name } as const;
    const annotations = clusterIssued(self.name);
    const cases = ['moved', 'hostless', 'through', 'left', 'ignored', 'stays'] as const;
    const tls = (each: string, more: object = {}) => ({ ...listener(team, each), protocol: 'TLS', ...more });
    const listeners = cases.map((each) => tls(each));
    const allowed = { from: 'Same' };
    await put(
      team,
      kind === 'Gateway'
        ? [door(team.namespace, name, { annotations, listeners })]
        : [door(team.namespace, 'parent', { allowed }), setOf(team.namespace, { kind, name, annotations }, listeners)],
    );
    await Promise.all(cases.map((each) => team.ready(`${each}-tls`, eventually.deadlineMs)));
    const edited = [
      ...(kind === 'Gateway' ? [http] : []),
      tls('moved', { tls: { mode: 'Terminate', certificateRefs: [{ name: 'new-tls' }] } }),
      { ...httpsListener('hostless', undefined, { name: 'hostless-tls' }), protocol: 'TLS' },
      tls('through', { tls: { mode: 'Passthrough', certificateRefs: [{ name: 'through-tls' }] } }),
      tls('ignored'),
      tls('stays'),
    ];
    const metadata = { annotations: { 'cert-manager.io/ignore-tls-listeners': 'ignored' } };
    await edit(team, object, { metadata, spec: { listeners: edited } });
    for (const each of cases.slice(0, -1)) await gone(team, `${each}-tls`);
    await team.ready('new-tls', eventually.deadlineMs);
    for (const each of cases) expect(await team.secret(`${each}-tls`)).toBeDefined();
    expect(await certificateNames(team)).toEqual(['new-tls', 'stays-tls']);
    await remove(team, resourceOf[kind], name);
    await gone(team, 'new-tls');
    await gone(team, 'stays-tls');
    expect(await team.secret('stays-tls')).toBeDefined();
  });
});

describe.each(kinds)('what a Gateway leaves to a %s', (kind) => {
  it('is its issuer, and with certway.dev/inherit what its list names, as long as it says so', async () => {
    await using team = await makeTeam(world, 'inherit');
    await using self = await openIssuer(world);
    const parent = { kind: 'Gateway', name: 'parent' } as const;
    const annotations = clusterIssued(self.name, {
      'cert-manager.io/duration': '48h',
      'cert-manager.io/usages': 'client auth',
      'certway.dev/inherit': 'private-key-algorithm,duration',
    });
    const set = (name: string, own: Readonly<Record<string, string>>) =>
      setOf(team.namespace, { kind, name, annotations: own }, [listener(team, name)]);
    await put(team, [
      door(team.namespace, 'parent', { allowed: { from: 'Same' }, annotations }),
      set('plain', {}),
      set('own', { 'cert-manager.io/duration': '72h', ...fast, 'cert-manager.io/private-key-size': '384' }),
    ]);
    const inherited = {
      duration: '48h0m0s',
      privateKey: { algorithm: 'ECDSA' },
      usages: ['digital signature', 'key encipherment'],
    };
    await wanted(team, 'plain-tls', { spec: inherited });
    await wanted(team, 'own-tls', { spec: { duration: '72h0m0s', privateKey: { algorithm: 'ECDSA', size: 384 } } });

    await annotate(team, parent, {
      'certway.dev/inherit': 'private-key-algorithm,usages',
      'cert-manager.io/usages': 'server auth',
    });
    const changed = await wanted(team, 'plain-tls', { spec: { usages: ['server auth'] } });
    expect(changed.spec).not.toHaveProperty('duration');
    await annotate(team, parent, { 'certway.dev/inherit': 'common-name' });
    const said = await team.told('parent', /^BadConfig: .*certway\.dev\/inherit/, eventually.deadlineMs);
    expect(said.message).toContain('private-key-algorithm');
    await team.told('plain', /^BadConfig: .*its owner can correct it/);
    expect((await team.certificate('plain-tls'))?.spec).toEqual(changed.spec);

    await annotate(team, parent, {
      'certway.dev/inherit': 'private-key-algorithm',
      'cert-manager.io/cluster-issuer': null,
    });
    await gone(team, 'plain-tls');
    await gone(team, 'own-tls');
    await annotate(team, parent, { 'cert-manager.io/cluster-issuer': self.name });
    await team.ready('plain-tls', eventually.deadlineMs);
    await annotate(team, { kind, name: 'plain' }, { 'cert-manager.io/issuer': 'mine' });
    await wanted(team, 'plain-tls', signedBy('Issuer', 'mine'));
  });
});
