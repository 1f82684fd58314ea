// The challenge routes of the whole controller: to which parents they attach, what is said of those that a data plane refuses, and what becomes of
// them and their grants. There is no data plane here: the suite writes its statuses, and the responder stands where every name leads.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HttpRoute } from '../../src/api/gateway.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { httpRoutes, orders, referenceGrants } from '../../src/api/resources.ts';
import { openClient } from '../rig/demo/client.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { acmeIssuer, gateway, listenerSet, makeTeam, type Team } from './team.ts';

const system = 'certway-system';

let world: SharedWorld;
let team: Team;
const dead: string[] = [];

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'routes');
  await team.kubectl.apply([
    acmeIssuer(team.namespace, world.acme),
    gateway(team.namespace),
    gateway(team.namespace, { name: 'second' }),
  ]);
});
afterEach(() => Promise.all(dead.splice(0).map((host) => world.dns.clear(host))));
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const hostOf = (name: string, of: Team = team) => `${name}.${of.namespace}.example.com`;

/** A name whose way ends at an address where nobody listens: its route stays up until `revive`. */
async function kill(name: string): Promise<string> {
  const host = hostOf(name);
  dead.push(host);
  await world.dns.set(host, ['127.0.0.9']);
  return host;
}

function certificate(
  name: string,
  change: { annotations?: Readonly<Record<string, string>>; issuer?: string } = {},
): KubeObject {
  const { annotations = {}, issuer = 'acme' } = change;
  const spec = {
    secretName: `${name}-tls`,
    dnsNames: [hostOf(name)],
    issuerRef: { name: issuer },
    privateKey: { algorithm: 'ECDSA' },
  };
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name, namespace: team.namespace, annotations },
    ...{ spec },
  };
}

const through = (name: string) => ({
  'acme.cert-manager.io/http01-parentrefkind': 'Gateway',
  'acme.cert-manager.io/http01-parentrefname': name,
});

function issuerBy(name: string, solver: object): KubeObject {
  const issuer = acmeIssuer(team.namespace, world.acme, name);
  const { acme } = Object(issuer).spec;
  return { ...issuer, ...{ spec: { acme: { ...acme, solvers: [solver] } } } };
}

async function routeOf(name: string): Promise<HttpRoute> {
  return until(`the challenge route for ${name}`, async () => {
    const all = await team.all(httpRoutes);
    return all.find((route) => route.spec.hostnames?.includes(hostOf(name)));
  });
}

const patch = (what: string, change: object, ...more: readonly string[]) =>
  team.kubectl.run(['patch', what, '-n', team.namespace, '--type=merge', '-p', JSON.stringify(change), ...more]);

describe('a route', () => {
  it('attaches to the issuer’s parents and the listener’s own, none twice', async () => {
    const { namespace } = team;
    const parentRefs = [{ name: 'second' }, { name: 'second', namespace }, { name: 'parent', namespace }];
    await team.kubectl.apply([
      issuerBy('several', { http01: { gatewayHTTPRoute: { parentRefs, labels: { team: 'routes' } } } }),
    ]);
    await kill('several');
    await team.kubectl.apply([certificate('several', { issuer: 'several', annotations: through('parent') })]);
    const route = await routeOf('several');
    expect(route.spec.parentRefs?.map(({ name, sectionName }) => `${name}#${sectionName}`)).toEqual([
      'second#http',
      'parent#http',
    ]);
    expect(route.metadata.labels).toMatchObject({ team: 'routes', 'app.kubernetes.io/managed-by': 'certway' });
    await world.dns.clear(hostOf('several'));
    await team.ready('several', 60_000);
    await until('the route to be gone', async () =>
      (await team.all(httpRoutes)).every(({ metadata }) => metadata.name !== route.metadata.name),
    );
  });

  it('that somebody bends while the order waits is put right', async () => {
    await kill('bent');
    await team.kubectl.apply([certificate('bent', { annotations: through('parent') })]);
    const route = await routeOf('bent');
    await patch(`httproute/${route.metadata.name}`, { spec: { hostnames: ['elsewhere.example.com'] } });
    await until(
      'the hostname to be right',
      async () => {
        const now = (await team.all(httpRoutes)).find(({ metadata }) => metadata.uid === route.metadata.uid);
        return (now?.metadata.generation ?? 0) > 2 && now?.spec.hostnames?.[0] === hostOf('bent');
      },
      { deadlineMs: 40_000 },
    );
  });

  it('under whose name somebody else’s stands is told, and made when that is gone', async () => {
    const host = await kill('taken');
    await team.kubectl.apply([certificate('taken', { annotations: through('parent') })]);
    const { metadata, ...route } = await routeOf('taken');
    await team.kubectl.run(['delete', 'certificate/taken', '-n', team.namespace]);
    await until('the route to be gone', async () =>
      (await team.all(httpRoutes)).every((each) => each.metadata.name !== metadata.name),
    );
    const theirs = { ...route, metadata: { name: metadata.name, namespace: team.namespace } };
    await team.kubectl.apply([theirs]);
    await team.kubectl.apply([certificate('taken', { annotations: through('parent') })]);
    await team.says('taken', 'Issuing', /HTTPRoute .* exists and is not Certway’s; rename or delete it/);
    await world.dns.clear(host);
    await team.kubectl.run(['delete', `httproute/${metadata.name}`, '-n', team.namespace]);
    await team.ready('taken', 60_000);
  });

  it('that a data plane refuses is told in words; when it accepts, the name is looked at at once', async () => {
    const host = await kill('refused');
    await team.kubectl.apply([certificate('refused', { annotations: through('parent') })]);
    const route = await routeOf('refused');
    const say = (status: 'True' | 'False', reason: string) =>
      patch(
        `httproute/${route.metadata.name}`,
        {
          status: {
            parents: [
              {
                parentRef: route.spec.parentRefs?.[0],
                controllerName: 'example.com/gateway',
                conditions: [
                  {
                    type: 'Accepted',
                    status,
                    reason,
                    message: 'not for your eyes',
                    observedGeneration: route.metadata.generation,
                    lastTransitionTime: '2026-01-01T00:00:00Z',
                  },
                ],
              },
            ],
          },
        },
        '--subresource=status',
      );
    await say('False', 'NotAllowedByListeners');
    const words = new RegExp(
      `^SelfCheckFailed: .*The Gateway’s listener http does not allow routes from ${team.namespace} `,
    );
    expect((await team.says('refused', 'Issuing', words)).message).not.toContain('your eyes');
    await world.dns.clear(host);
    await say('True', 'Accepted');
    await team.ready('refused');
  });

  it('is not made, nor an order placed, where the annotations are half a parent', async () => {
    const half = { 'acme.cert-manager.io/http01-parentrefkind': 'Gateway' };
    await team.kubectl.apply([certificate('half', { annotations: half })]);
    await team.told('half', /^NoChallengePath: The annotation .*parentrefkind stands without .*parentrefname/);
    expect((await team.all(orders)).filter(({ metadata }) => metadata.name.startsWith('half-'))).toEqual([]);
  });
});

describe('a Gateway’s address', () => {
  const at = (value: string) =>
    patch('gateway/moved', { status: { addresses: [{ type: 'IPAddress', value }] } }, '--subresource=status');
  const orderOf = async (name: string) =>
    (await team.all(orders)).find(({ metadata }) => metadata.name.startsWith(`${name}-`));

  beforeAll(async () => {
    await team.kubectl.apply([gateway(team.namespace, { name: 'moved' })]);
    await at('127.0.0.1');
  });

  it('is named where the name leads elsewhere, and nothing is asked of the CA', async () => {
    const host = await kill('astray');
    await team.kubectl.apply([certificate('astray', { annotations: through('moved') })]);
    const words = new RegExp(`${host} leads to 127\\.0\\.0\\.9, and the Gateway is at 127\\.0\\.0\\.1: point all`);
    await team.says('astray', 'Issuing', words);
    expect((await orderOf('astray'))?.status?.url).toBeUndefined();
  });

  it('that changes wakes the order before its time', async () => {
    const host = await kill('woken');
    await world.dns.set(host, 'NXDOMAIN');
    await team.kubectl.apply([certificate('woken', { annotations: through('moved') })]);
    const noted = await until(
      'the order to wait for long',
      async () => {
        const note = JSON.parse((await orderOf('woken'))?.metadata.annotations?.['certway.dev/state'] ?? '{}');
        return Date.parse(note.nextAttemptAt) - Date.now() > 15_000 && Date.parse(note.nextAttemptAt);
      },
      { deadlineMs: 60_000 },
    );
    await world.dns.clear(host);
    await at('127.0.0.2');
    await team.ready('woken');
    expect(Date.now()).toBeLessThan(noted);
  });
});

describe('grants', () => {
  const count = 20;

  it(`of ${count} namespaces stand while their orders run, and go when all is quiet`, async () => {
    await using client = await openClient(world.kubeconfig, 2);
    const teams = await Promise.all(Array.from({ length: count }, (_, index) => makeTeam(world, `many-${index}`)));
    const granted = async () => {
      const grants = await client.list(referenceGrants, system);
      return grants
        .flatMap(({ spec }) => spec.from.map(({ namespace }) => namespace))
        .filter((name) => name.startsWith('many-'));
    };
    try {
      await Promise.all(
        teams.map(async (of) => {
          const annotations = { 'cert-manager.io/issuer': 'acme', 'cert-manager.io/private-key-algorithm': 'ECDSA' };
          const set = listenerSet(of.namespace, { name: 'web', hostname: hostOf('web', of), annotations });
          await of.kubectl.apply([acmeIssuer(of.namespace, world.acme), gateway(of.namespace), set]);
        }),
      );
      const seen = new Set<string>();
      const watching = until(
        'a grant of every namespace',
        async () => {
          for (const name of await granted()) seen.add(name);
          return seen.size === count;
        },
        { deadlineMs: 60_000 },
      );
      await Promise.all(teams.map((of) => of.ready('web-tls', 60_000)));
      await watching;
      await until('all grants to be gone', async () => (await granted()).length === 0, { deadlineMs: 60_000 });
    } finally {
      await Promise.all(teams.map((of) => of[Symbol.asyncDispose]()));
    }
  });
});
