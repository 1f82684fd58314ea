// Which issuer a listener's Certificate names: the namespace's own where its ClusterIssuer gives one and Certway issues, else the ClusterIssuer itself.

import { expect, it } from 'vitest';
import type { IssuerRef } from '../../src/api/certmanager.ts';
import { type RefSight, withOwnAccounts } from '../../src/plan/stamp-refs.ts';
import type { Resolution } from '../../src/resolve/world.ts';

const cluster = { name: 'le', kind: 'ClusterIssuer', group: 'cert-manager.io' };
const own = { name: 'le.tenant-account', kind: 'Issuer', group: 'cert-manager.io' };

function resolution(issuerRef: IssuerRef): Resolution {
  const about = { apiVersion: 'v1', kind: 'ListenerSet', namespace: 'team-a', name: 'web', uid: 'u' };
  const wanted = {
    owner: about,
    generation: 1,
    namespace: 'team-a',
    name: 'web-tls',
    spec: { secretName: 'web-tls', issuerRef, dnsNames: ['a.example.com'] },
    labels: {},
    annotations: {},
    issuerFrom: about,
    listeners: ['https'],
  };
  return { subjects: [about], wanted: [wanted], refusals: [], ownedAnnotations: [] };
}

it.each<[string, IssuerRef, RefSight['issuance'], boolean, IssuerRef | undefined, IssuerRef]>([
  ['its own where one is given', cluster, 'ours', true, undefined, own],
  ['its own instead of the shared one until now', cluster, 'ours', true, cluster, own],
  ['the shared one where none is given', cluster, 'ours', false, undefined, cluster],
  ['the shared one again when none is given any more', cluster, 'ours', false, own, cluster],
  ['an Issuer as it is named', { ...own, name: 'mine' }, 'ours', true, undefined, { ...own, name: 'mine' }],
  [
    'another group’s as it is named',
    { ...cluster, group: 'x.org' },
    'ours',
    true,
    undefined,
    { ...cluster, group: 'x.org' },
  ],
  ['the shared one while somebody else issues', cluster, 'theirs', true, undefined, cluster],
  ['what it names while somebody else issues', cluster, 'theirs', false, own, own],
  ['what it is asked for, not another CA’s', cluster, 'theirs', true, { ...own, name: 'x.tenant-account' }, cluster],
])('names %s', (_, ref, issuance, given, live, expected) => {
  const sight: RefSight = { issuance, hasOwnAccount: () => given, live: () => live };
  const [wanted] = withOwnAccounts(resolution(ref), sight).wanted;
  expect(wanted?.spec).toEqual({ secretName: 'web-tls', issuerRef: expected, dnsNames: ['a.example.com'] });
});

it('asks for the template and the namespace of the Certificate', () => {
  const asked: string[][] = [];
  const hasOwnAccount = (template: string, namespace: string) => asked.push([template, namespace]) > 0;
  withOwnAccounts(resolution(cluster), { issuance: 'ours', hasOwnAccount, live: () => undefined });
  expect(asked).toEqual([['le', 'team-a']]);
});
