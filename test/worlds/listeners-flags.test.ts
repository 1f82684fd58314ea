// What the operator's flags and gates change for listeners, in a world of its own: which classes are served, whether wildcards pass, and
// that a kind whose gate is off loses nothing and is taken up again.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import {
  annotate,
  certificateNames,
  clusterIssued,
  door,
  eventually,
  gone,
  issuedAnew,
  kinds,
  openIssuer,
  put,
  remove,
  resourceOf,
  type SetKind,
  setOf,
  suspendedBecause,
  wanted,
} from '../world/listener-scene.ts';
import { acmeIssuer, httpsListener, makeTeam, type Team } from '../world/team.ts';

const selective = ['--gateway-classes=served-*,example.com/served', '--gateway-hostname-policy=strict'];
const closed = '--feature-gates=XGatewayAPI=false';

let world: World;
let controller: Controller;
let issuer: string;

beforeAll(async () => {
  world = await startWorld();
  controller = await startController(world, { flags: selective });
  issuer = (await openIssuer(world)).name;
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function restart(...flags: readonly string[]): Promise<void> {
  await controller[Symbol.asyncDispose]();
  controller = await startController(world, { flags });
}

const allowed = { from: 'Same' };
const hostOf = (team: Team, name: string) => `${name}.${team.namespace}.example.com`;

function set(
  team: Team,
  kind: SetKind,
  name: string,
  more: { parent?: string; host?: string; secret?: string } = {},
): KubeObject {
  const { parent = 'parent', host = name, secret = `${name}-tls` } = more;
  const listener = httpsListener('web', hostOf(team, host), { name: secret });
  return setOf(team.namespace, { kind, name, parent: { name: parent }, annotations: clusterIssued(issuer) }, [
    listener,
  ]);
}

function gatewayClass(name: string, controllerName: string): KubeObject {
  const spec = { controllerName };
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GatewayClass', metadata: { name }, ...{ spec } };
}

describe.each(kinds)('--gateway-classes, for a %s,', (kind) => {
  it('serves Gateways of the named classes and controllers, and leaves the others alone', async () => {
    await using team = await makeTeam(world, 'classes');
    const name = (stem: string) => `${stem}-${team.namespace}`;
    const classes = { pattern: name('served'), known: name('known'), foreign: name('foreign'), later: name('later') };
    await put(team, [
      gatewayClass(classes.known, 'example.com/served'),
      gatewayClass(classes.foreign, 'example.com/other'),
      ...Object.entries(classes).flatMap(([of, className]) => [
        door(team.namespace, of, {
          className,
          allowed,
          annotations: clusterIssued(issuer),
          listeners: [httpsListener('own', hostOf(team, `own-${of}`), { name: `own-${of}` })],
        }),
        set(team, kind, of, { parent: of }),
      ]),
    ]);
    for (const each of ['pattern', 'known']) {
      await team.ready(`${each}-tls`, eventually.deadlineMs);
      await team.ready(`own-${each}`, eventually.deadlineMs);
    }
    for (const each of ['foreign', 'later']) await team.told(each, /^ParentNotServed: .*--gateway-classes/);
    expect(await certificateNames(team)).toEqual(['known-tls', 'own-known', 'own-pattern', 'pattern-tls']);

    await put(team, [gatewayClass(classes.later, 'example.com/served')]);
    await team.ready('later-tls', eventually.deadlineMs);
    await team.kubectl.run(['delete', 'gatewayclass', classes.known]);
    await suspendedBecause(team, 'known-tls', /its class .* is not served here/);
    const own = await team.certificate('own-known');
    expect(own?.metadata.annotations).not.toHaveProperty(['certway.dev/suspended']);
    await put(team, [gatewayClass(classes.known, 'example.com/served')]);
    await until('known-tls to be free again', async () => {
      const annotations = (await team.certificate('known-tls'))?.metadata.annotations;
      return annotations !== undefined && !('certway.dev/suspended' in annotations);
    });
    await team.kubectl.run(['delete', 'gatewayclass', classes.known, classes.foreign, classes.later]);
  });
});

describe('--gateway-hostname-policy=strict, and a gate that goes off and on', () => {
  let team: Team;
  const className = 'served-here';
  const gate = { kind: 'XListenerSet', name: 'gated' } as const;

  beforeAll(async () => {
    team = await makeTeam(world, 'gates');
    await put(team, [door(team.namespace, 'parent', { className, allowed }), acmeIssuer(team.namespace, world.acme)]);
  });

  it('refuses wildcards and nothing else', async () => {
    await put(team, [
      ...kinds.map((kind) => set(team, kind, `wild-${kind.toLowerCase()}`, { host: `*.${kind.toLowerCase()}` })),
      set(team, 'ListenerSet', 'exact'),
    ]);
    await team.ready('exact-tls', eventually.deadlineMs);
    for (const kind of kinds) await team.told(`wild-${kind.toLowerCase()}`, /^WildcardHostname: .*name single hosts/);
    expect(await certificateNames(team)).toEqual(['exact-tls']);
  });

  it('and lenient lets them pass, XListenerSets too once their gate is open', async () => {
    await restart(closed);
    await wanted(team, 'wild-listenerset-tls', { spec: { dnsNames: [hostOf(team, '*.listenerset')] } });
    expect(await team.certificate('wild-xlistenerset-tls')).toBeUndefined();
    await restart();
    await wanted(team, 'wild-xlistenerset-tls', { spec: { dnsNames: [hostOf(team, '*.xlistenerset')] } });
  });

  it('and flags for defaults, protocols and annotations reach sets of both kinds', async () => {
    await restart(
      '--extra-certificate-annotations=example.com/owner',
      '--gateway-api-extra-protocols=DTLS',
      '--default-issuer-kind=ClusterIssuer',
      '--default-issuer-group=example.com',
    );
    const annotations = { 'certway.dev/issuers': 'web=nobody', 'example.com/owner': 'me', 'example.com/other': 'x' };
    const names = kinds.map((kind) => `extra-${kind.toLowerCase()}`);
    await put(
      team,
      kinds.map((kind, index) => {
        const name = names[index] ?? '';
        const listener = { ...httpsListener('web', hostOf(team, name), { name }), protocol: 'DTLS' };
        return setOf(team.namespace, { kind, name, annotations }, [listener]);
      }),
    );
    for (const name of names) {
      const made = await wanted(team, name, {
        metadata: { annotations: { 'example.com/owner': 'me' } },
        spec: { issuerRef: { kind: 'ClusterIssuer', name: 'nobody', group: 'example.com' } },
      });
      expect(made.metadata.annotations).not.toHaveProperty(['example.com/other']);
    }
    // Who no longer configures the protocol no longer asks for the certificate.
    await restart();
    for (const name of names) await gone(team, name);
  });

  it('keeps and renews what a closed gate has left, and takes it up again when it opens', async () => {
    const byAcme = set(team, 'XListenerSet', 'proven');
    const annotations = { 'cert-manager.io/issuer': 'acme', 'cert-manager.io/private-key-algorithm': 'ECDSA' };
    await put(team, [set(team, 'XListenerSet', 'gated'), { ...byAcme, metadata: { ...byAcme.metadata, annotations } }]);
    const before = await team.ready('gated-tls', eventually.deadlineMs);
    await team.ready('proven-tls', eventually.deadlineMs);
    await restart(closed);
    // A ListenerSet of another name must not take what an XListenerSet owns, watched or not.
    await put(team, [set(team, 'ListenerSet', 'thief', { secret: 'gated-tls' })]);
    await team.told('thief', /^BadConfig: .*made for XListenerSet "gated"; it is left alone/, eventually.deadlineMs);
    await annotate(team, gate, { 'cert-manager.io/duration': '48h' });
    const held = [await team.secret('gated-tls'), await team.secret('proven-tls')];
    await remove(team, 'secret', 'gated-tls', 'proven-tls');
    await issuedAnew(team, 'gated-tls', held[0]?.metadata.uid);
    await issuedAnew(team, 'proven-tls', held[1]?.metadata.uid);
    const kept = await team.certificate('gated-tls');
    expect(kept?.metadata.uid).toBe(before.metadata.uid);
    expect(kept?.metadata.ownerReferences).toEqual(before.metadata.ownerReferences);
    expect(kept?.spec).toEqual(before.spec);

    await restart();
    await wanted(team, 'gated-tls', { metadata: { uid: before.metadata.uid }, spec: { duration: '48h0m0s' } });
    await remove(team, resourceOf.XListenerSet, 'gated');
    // The other set has waited for it.
    await wanted(team, 'gated-tls', { metadata: { ownerReferences: [{ kind: 'ListenerSet', name: 'thief' }] } });
  });
});
