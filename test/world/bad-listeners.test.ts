// Sets that nobody can serve as they are written: an event on the set names the field and the remedy, its other listeners go on, it is not
// looked at in a loop, and what was missing is taken up when it comes.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { caIssuer, gateway, httpsListener, listenerSet, makeTeam, type SetWish, type Team } from './team.ts';
import { askedMeanwhile, openTrail, type Trail } from './trail.ts';

const byCa = { 'cert-manager.io/issuer': 'ca', 'cert-manager.io/private-key-algorithm': 'ECDSA' };

let world: SharedWorld;
let team: Team;
let trail: Trail;

beforeAll(async () => {
  world = await sharedWorld();
  trail = await openTrail(world.auditLog);
  team = await makeTeam(world, 'bad');
  await team.kubectl.apply([...caIssuer(team.namespace), gateway(team.namespace)]);
  await team.ready('ca-root');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const host = (name: string) => `${name}.${team.namespace}.example.com`;

async function apply(wish: SetWish): Promise<void> {
  await team.kubectl.apply([listenerSet(team.namespace, { hostname: host(wish.name), ...wish })]);
}

let markers = 0;

/** Other sets on the same Gateway come later and are served; meanwhile nothing is asked about the bad one. */
async function expectQuiet(stem: string): Promise<void> {
  const disturb = async () => {
    markers += 1;
    await apply({ name: `marker${markers}`, annotations: byCa });
    await team.ready(`marker${markers}-tls`);
  };
  expect(await askedMeanwhile(trail, { namespace: team.namespace, stem }, disturb)).toEqual([]);
}

interface Row {
  readonly says: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly listener?: (name: string) => object;
  readonly words: RegExp;
}

const rows: readonly Row[] = [
  {
    says: 'an empty issuer',
    annotations: { 'cert-manager.io/issuer': '' },
    words: /^BadConfig: Annotation cert-manager.io\/issuer is ""; accepted is the name of an issuer/,
  },
  {
    says: 'an empty cluster-issuer',
    annotations: { 'cert-manager.io/cluster-issuer': '' },
    words: /^BadConfig: Annotation cert-manager.io\/cluster-issuer is ""; accepted is the name of an issuer/,
  },
  {
    says: 'both issuers',
    annotations: { 'cert-manager.io/issuer': 'ca', 'cert-manager.io/cluster-issuer': 'other' },
    words: /^BadConfig: .*cluster-issuer "other" and cert-manager.io\/issuer "ca" exclude each other; accepted is one/,
  },
  {
    says: 'no hostname',
    annotations: byCa,
    listener: (name) => httpsListener('bad', undefined, { name: `${name}-bad-tls` }),
    words: /^BadConfig: Listener "bad" .*spec\.listeners\[1\]\.hostname is not set; name the host/,
  },
  {
    says: 'a Secret in a foreign namespace',
    annotations: byCa,
    listener: (name) =>
      httpsListener('bad', host(`bad.${name}`), { name: `${name}-bad-tls`, namespace: 'kube-system' }),
    words: /^BadConfig: Listener "bad" .*spec\.listeners\[1\]\.tls\.certificateRefs\[0\]\.namespace is "kube-system"; /,
  },
  {
    says: 'a bad key size',
    annotations: { ...byCa, 'cert-manager.io/private-key-size': '17' },
    words: /^BadConfig: .*cert-manager.io\/private-key-size.*accepted is/,
  },
];

describe.each(rows.map((row, index) => [row.says, row, `b${index}x`] as const))('%s', (_, row, name) => {
  it('is told once on the set, with field and remedy, and holds up nobody', async () => {
    const others = row.listener === undefined ? [] : [row.listener(name)];
    await apply({ name, annotations: row.annotations, others });
    const said = await team.told(name, row.words);
    expect(said).toMatchObject({ type: 'Warning', involvedObject: { kind: 'ListenerSet', name } });
    // The last thing that an issuance by a CA says.
    if (row.listener !== undefined) await team.told(`${name}-tls`, /^Issuing: .*issued/);
    await expectQuiet(name);
    expect((await team.events(name)).filter(({ type }) => type === 'Warning')).toHaveLength(1);
    expect(await team.certificate(row.listener === undefined ? `${name}-tls` : `${name}-bad-tls`)).toBeUndefined();
  });
});

describe('a set whose Gateway', () => {
  it('does not exist is told so, and is served when it comes', async () => {
    await apply({ name: 'orphan', parent: { name: 'nowhere' }, annotations: byCa });
    await team.told('orphan', /^ParentNotFound: Gateway .*\/nowhere does not exist; correct spec\.parentRef/);
    await expectQuiet('orphan');
    expect(await team.certificate('orphan-tls')).toBeUndefined();
    await team.kubectl.apply([gateway(team.namespace, { name: 'nowhere' })]);
    await team.ready('orphan-tls');
  });

  it('does not allow it is told so, is served when allowed, and suspended when that is taken back', async () => {
    const closed = (from: 'None' | 'Same') => gateway(team.namespace, { name: 'closed', from });
    await team.kubectl.apply([closed('None')]);
    await apply({ name: 'barred', parent: { name: 'closed' }, annotations: byCa });
    await team.told('barred', /^NotAllowed: .*\/closed allows no listener sets; .*spec\.allowedListeners/);
    await expectQuiet('barred');
    expect(await team.certificate('barred-tls')).toBeUndefined();
    await team.kubectl.apply([closed('Same')]);
    await team.ready('barred-tls');
    await team.kubectl.apply([closed('None')]);
    await team.told('barred-tls', /^Suspended: .*allows no listener sets/);
  });
});

describe('an issuer that does not exist', () => {
  it('is named on the Certificate with the remedy, and issues as soon as it is created', async () => {
    await apply({ name: 'early', annotations: { ...byCa, 'cert-manager.io/issuer': 'late' } });
    await team.told('early-tls', /^IssuerNotFound: Issuer "late" does not exist; create it, or correct the reference/);
    await team.says('early-tls', 'Ready', /Issuer "late" does not exist/);
    await expectQuiet('early');
    const late = {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Issuer',
      metadata: { name: 'late', namespace: team.namespace },
    };
    await team.kubectl.apply([{ ...late, spec: { ca: { secretName: 'ca-root' } } }]);
    await team.ready('early-tls');
  });

  it('when inherited, is reported on the set, naming the Gateway that it came from', async () => {
    const inherited = { 'cert-manager.io/issuer': 'not-here' };
    await team.kubectl.apply([gateway(team.namespace, { name: 'lender', annotations: inherited })]);
    await apply({ name: 'heir', parent: { name: 'lender' } });
    await team.told('heir', /Issuer "not-here".*Gateway .*\/lender/);
    await expectQuiet('heir');
  });
});
