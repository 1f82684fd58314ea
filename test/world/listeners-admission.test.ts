// Who may have a certificate through a Gateway, on a real API server: Gateway API's own conformance scenarios for ListenerSets and
// certificateRefs, each as «has its Certificate» or «has none, and an event says why», for both kinds.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { certificateNames, clusterIssued, door, eventually, kinds, put, setOf, wanted } from './listener-scene.ts';
import { httpsListener, makeTeam, type Team } from './team.ts';

let world: SharedWorld;

beforeAll(async () => {
  world = await sharedWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

interface Scenario {
  readonly says: string;
  /** The Gateway "g<n>" of the namespace `infra`. */
  readonly allowed?: object;
  readonly gateway?: readonly object[];
  /** Listener sets by name, in which of the namespaces they stand, and their listeners; they point at the Gateway. */
  readonly sets?: Readonly<
    Record<string, { readonly in: 'infra' | 'tenant' | 'other'; readonly listeners?: readonly object[] }>
  >;
  /** Certificates that exist, by their namespace. */
  readonly has: Readonly<Partial<Record<'infra' | 'tenant' | 'other', readonly string[]>>>;
  /** Objects that are told why some do not: "namespace/name" with the words. */
  readonly told: Readonly<Record<string, RegExp>>;
  readonly grant?: { readonly kind: string; readonly from: 'infra' | 'tenant' | 'other' };
}

/** Shortened: `host` in the scenario's own domain. */
const https = (secret: string, host: string, ref: object = {}) => httpsListener(secret, host, { name: secret, ...ref });
const tls = (secret: string, host: string) => ({ ...https(secret, host), protocol: 'TLS' });
const elsewhere = { namespace: 'ELSEWHERE' };
const all = { from: 'All' };
const selector = { from: 'Selector', selector: { matchLabels: { allowed: 'TENANT' } } };

const scenarios: readonly Scenario[] = [
  {
    says: '1. allowedListeners unset',
    sets: { s1: { in: 'infra' } },
    has: {},
    told: { 'infra/s1': /^NotAllowed: .*allows no listener sets/ },
  },
  {
    says: '2. allowedListeners None',
    allowed: { from: 'None' },
    sets: { s2: { in: 'infra' } },
    has: {},
    told: { 'infra/s2': /^NotAllowed: .*allows no listener sets/ },
  },
  {
    says: '3. allowedListeners Same',
    allowed: { from: 'Same' },
    sets: { s3: { in: 'infra' }, s3x: { in: 'tenant' } },
    has: { infra: ['s3'] },
    told: { 'tenant/s3x': /^NotAllowed: .*of its own namespace only/ },
  },
  {
    says: '4. allowedListeners Selector',
    allowed: selector,
    sets: { s4: { in: 'tenant' }, s4x: { in: 'other' } },
    has: { tenant: ['s4'] },
    told: { 'other/s4x': /^NotAllowed: .*by a label/ },
  },
  {
    says: '5. hostnames in conflict',
    allowed: all,
    gateway: [https('g-one', 'one'), https('g-two', 'two')],
    sets: {
      s5a: { in: 'infra', listeners: [https('s5a-new', 'new-a'), https('s5a-two', 'two'), https('s5a-s', 's')] },
      s5b: { in: 'infra', listeners: [https('s5b-two', 'two')] },
      s5c: { in: 'tenant', listeners: [https('s5c-new', 'new-c'), https('s5c-s', 's')] },
      s5d: { in: 'tenant', listeners: [https('s5d-s', 's')] },
    },
    has: { infra: ['g-one', 'g-two', 's5a-new', 's5a-s'], tenant: ['s5c-new'] },
    told: {
      'infra/s5a': /^HostnameConflict: Listener "s5a-two"/,
      'infra/s5b': /^HostnameConflict: /,
      'tenant/s5c': /^HostnameConflict: Listener "s5c-s"/,
      'tenant/s5d': /^HostnameConflict: /,
    },
  },
  {
    says: '6. protocols in conflict',
    allowed: all,
    gateway: [https('g-three', 'three')],
    sets: {
      s6a: { in: 'infra', listeners: [tls('s6a-three', 'three'), tls('s6a-s', 's')] },
      s6b: { in: 'tenant', listeners: [https('s6b-s', 's'), https('s6b-new', 'new')] },
    },
    has: { infra: ['g-three', 's6a-s'], tenant: ['s6b-new'] },
    told: { 'infra/s6a': /^ProtocolConflict: /, 'tenant/s6b': /^ProtocolConflict: Listener "s6b-s"/ },
  },
  {
    says: '7. a Secret of another namespace, with a grant and without: never written',
    allowed: all,
    sets: {
      s7a: { in: 'infra', listeners: [https('s7a', 'a', elsewhere), https('s7b', 'b')] },
      s7c: { in: 'tenant', listeners: [https('s7c', 'c', elsewhere)] },
    },
    grant: { kind: 'KIND', from: 'infra' },
    has: { infra: ['s7b'] },
    told: { 'infra/s7a': /^BadConfig: .*certificateRefs\[0\]\.namespace/, 'tenant/s7c': /^BadConfig: .*\.namespace/ },
  },
  {
    says: '8. allowedRoutes of any sort',
    allowed: all,
    sets: {
      s8: {
        in: 'tenant',
        listeners: [
          { ...https('s8a', 'a'), allowedRoutes: { namespaces: { from: 'All' } } },
          { ...https('s8b', 'b'), allowedRoutes: { namespaces: { from: 'Same' } } },
          {
            ...https('s8c', 'c'),
            allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { x: 'y' } } } },
          },
        ],
      },
    },
    has: { tenant: ['s8a', 's8b', 's8c'] },
    told: {},
  },
  {
    says: '14, 15. a Gateway with a Secret of another namespace and no grant that fits',
    gateway: [https('g14', 'a', elsewhere), https('g14-own', 'b')],
    grant: { kind: 'HTTPRoute', from: 'infra' },
    has: { infra: ['g14-own'] },
    told: { 'infra/GATEWAY': /^BadConfig: .*certificateRefs\[0\]\.namespace/ },
  },
  {
    says: '16, 17. a Gateway with a Secret of another namespace and a grant, which lets it read and us not write',
    gateway: [https('g16', 'a', elsewhere), https('g16-own', 'b', { namespace: 'INFRA' })],
    grant: { kind: 'Gateway', from: 'infra' },
    has: { infra: ['g16-own'] },
    told: { 'infra/GATEWAY': /^BadConfig: .*certificateRefs\[0\]\.namespace/ },
  },
];

describe.each(kinds)('the conformance scenarios for a %s', (kind) => {
  const teams: Partial<Record<'infra' | 'tenant' | 'other' | 'elsewhere', Team>> = {};
  const team = (name: keyof typeof teams): Team => {
    const found = teams[name];
    if (found === undefined) throw new Error(`no team ${name}`);
    return found;
  };

  beforeAll(async () => {
    for (const name of ['infra', 'tenant', 'other', 'elsewhere'] as const) teams[name] = await makeTeam(world, name);
    const { namespace, kubectl } = team('tenant');
    await kubectl.run(['label', 'namespace', namespace, `allowed=${namespace}`]);
    await put(team('infra'), scenarios.flatMap(objectsOf));
  });
  afterAll(async () => {
    for (const each of Object.values(teams)) await each[Symbol.asyncDispose]();
  });

  const annotations = clusterIssued('nobody');
  const gatewayName = (scenario: Scenario) => `g${scenarios.indexOf(scenario)}`;

  function objectsOf(scenario: Scenario): readonly KubeObject[] {
    const name = gatewayName(scenario);
    const infra = team('infra').namespace;
    const gateway = door(infra, name, {
      ...(scenario.allowed !== undefined && { allowed: { ...scenario.allowed } }),
      ...(scenario.gateway !== undefined && { annotations, listeners: scenario.gateway }),
    });
    const sets = Object.entries(scenario.sets ?? {}).map(([set, wish]) =>
      setOf(
        team(wish.in).namespace,
        { kind, name: set, parent: { name, namespace: infra }, annotations },
        wish.listeners ?? [https(set, set)],
      ),
    );
    const objects = [gateway, ...sets, ...(scenario.grant === undefined ? [] : [grantFor(scenario.grant, name)])];
    const text = JSON.stringify(objects)
      .replaceAll('"TENANT"', JSON.stringify(team('tenant').namespace))
      .replaceAll('"INFRA"', JSON.stringify(infra))
      .replaceAll('"ELSEWHERE"', JSON.stringify(team('elsewhere').namespace))
      .replaceAll('"KIND"', JSON.stringify(kind))
      .replaceAll(/"hostname":"([^"]+)"/g, `"hostname":"$1.${name}.${infra}.example.com"`);
    const filled: readonly KubeObject[] = JSON.parse(text);
    return filled;
  }

  function grantFor(grant: NonNullable<Scenario['grant']>, name: string): KubeObject {
    const group = 'gateway.networking.k8s.io';
    return {
      apiVersion: `${group}/v1beta1`,
      kind: 'ReferenceGrant',
      metadata: { name, namespace: team('elsewhere').namespace },
      ...{
        spec: {
          from: [{ group, kind: grant.kind, namespace: team(grant.from).namespace }],
          to: [{ group: '', kind: 'Secret' }],
        },
      },
    };
  }

  it.each(scenarios.map((scenario) => [scenario.says, scenario] as const))('%s', async (_, scenario) => {
    for (const [place, names] of Object.entries(scenario.has)) {
      for (const name of names ?? []) await wanted(team(place as 'infra'), name, {});
    }
    for (const [about, words] of Object.entries(scenario.told)) {
      const [place, name = ''] = about.replace('GATEWAY', gatewayName(scenario)).split('/');
      const said = await team(place as 'infra').told(name, words, eventually.deadlineMs);
      expect(said.type).toBe('Warning');
    }
  });

  it('and nobody else has one', async () => {
    // Each scenario has been resolved as a whole once one of its Certificates or events is there, which the tests above saw.
    for (const place of ['infra', 'tenant', 'other'] as const) {
      const expected = scenarios.flatMap(({ has }) => has[place] ?? []).toSorted();
      expect(await certificateNames(team(place))).toEqual(expected);
    }
    expect(await certificateNames(team('elsewhere'))).toEqual([]);
    expect(await team('other').events('s8')).toEqual([]);
  });
});
