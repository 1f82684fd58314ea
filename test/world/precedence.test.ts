// Whose issuer a set takes, told by a real API server for both kinds: its own, else its Gateway's, else none, and each as one unit.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import { certificates } from '../../src/api/resources.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { gateway, listenerSet, makeTeam, type SetWish } from './team.ts';

let world: SharedWorld;

beforeAll(async () => {
  world = await sharedWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

interface Row {
  readonly says: string;
  readonly own: Readonly<Record<string, string>>;
  readonly parent: 'cluster' | 'kind' | 'none';
  readonly issuer: string | undefined;
}

// Issuers that do not exist: precedence is about names, and a Certificate waits for its issuer.
const rows: readonly Row[] = [
  { says: 'its own issuer beats a default', own: { issuer: 'mine' }, parent: 'cluster', issuer: 'Issuer/mine' },
  {
    says: 'its own cluster-issuer beats a default',
    own: { 'cluster-issuer': 'mine' },
    parent: 'kind',
    issuer: 'ClusterIssuer/mine',
  },
  { says: "nothing of the Gateway's kind is mixed in", own: { issuer: 'mine' }, parent: 'kind', issuer: 'Issuer/mine' },
  {
    says: 'its own kind and group go with its own name',
    own: { issuer: 'mine', 'issuer-kind': 'Vault', 'issuer-group': 'example.org' },
    parent: 'cluster',
    issuer: 'example.org/Vault/mine',
  },
  { says: 'a default is taken', own: {}, parent: 'cluster', issuer: 'ClusterIssuer/default' },
  { says: 'a default is taken with its kind', own: {}, parent: 'kind', issuer: 'ClusterIssuer/by-kind' },
  { says: 'without any issuer nothing happens', own: {}, parent: 'none', issuer: undefined },
];

describe.each(['ListenerSet', 'XListenerSet'] as const)('precedence for a %s', (kind) => {
  it(`is own before Gateway's before nothing: ${rows.length} cases`, async () => {
    await using other = await makeTeam(world, 'prec');
    const prefixed = (of: object) =>
      Object.fromEntries(Object.entries(of).map(([key, value]) => [`cert-manager.io/${key}`, value]));
    const set = (wish: Omit<SetWish, 'kind' | 'hostname'>) =>
      listenerSet(other.namespace, { kind, hostname: `${wish.name}.${other.namespace}.example.com`, ...wish });
    await other.kubectl.apply([
      gateway(other.namespace, { name: 'cluster', annotations: prefixed({ 'cluster-issuer': 'default' }) }),
      gateway(other.namespace, {
        name: 'kind',
        annotations: prefixed({ issuer: 'by-kind', 'issuer-kind': 'ClusterIssuer' }),
      }),
      gateway(other.namespace, { name: 'none' }),
      ...rows.map((row, index) =>
        set({ name: `s${index}`, parent: { name: row.parent }, annotations: prefixed(row.own) }),
      ),
    ]);
    const wanted = rows.flatMap(({ issuer }, index) => (issuer === undefined ? [] : [`s${index}-tls: ${issuer}`]));
    await until('all Certificates', async () => (await other.all(certificates)).length >= wanted.length, {
      deadlineMs: 30_000,
    });
    // Later on the same Gateway: when it has its Certificate, the set without an issuer has been looked at.
    await other.kubectl.apply([
      set({ name: 'later', parent: { name: 'none' }, annotations: prefixed({ issuer: 'mine' }) }),
    ]);
    await until('the Certificate of the later set', () => other.certificate('later-tls'), { deadlineMs: 30_000 });
    const found = (await other.all(certificates)).filter(({ metadata }) => metadata.name !== 'later-tls');
    expect(found.map((each) => `${each.metadata.name}: ${issuerOf(each)}`).sort()).toEqual(wanted);
    expect(await other.events(`s${rows.findIndex(({ issuer }) => issuer === undefined)}`)).toEqual([]);
  });
});

function issuerOf({ spec }: Certificate): string {
  const { group = 'cert-manager.io', kind = 'Issuer', name } = spec.issuerRef;
  return group === 'cert-manager.io' ? `${kind}/${name}` : `${group}/${kind}/${name}`;
}
