// What is done about one CustomResourceDefinition, for each owner and policy; and what people are told of all of them.

import { describe, expect, it } from 'vitest';
import type { Ownership } from '../../src/infra/crd-owner.ts';
import { type CrdPolicy, type CrdSeen, type CrdStep, planCrd } from '../../src/infra/crd-plan.ts';
import { type CrdOutcome, type CrdRound, crdLines, crdsReady } from '../../src/infra/crd-report.ts';
import type { Comparison, CrdSight } from '../../src/infra/crd-sight.ts';

const policies = ['Auto', 'Reconcile', 'PreferExisting', 'Ignore'] as const satisfies readonly CrdPolicy[];
const [gateways, routes, proxies] = [
  'gateways.gateway.networking.k8s.io',
  'httproutes.gateway.networking.k8s.io',
  'envoyproxies.gateway.envoyproxy.io',
] as const;

const differs: Comparison = { same: false, oursAlone: true, losses: [], obstacles: [] };
const sight = (beside: Partial<Comparison> = {}, more: Partial<CrdSight> = {}): CrdSight => ({
  established: true,
  terminating: false,
  beside: { ...differs, ...beside },
  ...more,
});
const seen = (ownership: Ownership, of: CrdSight = sight(), name: string = gateways): CrdSeen => ({
  name,
  brought: true,
  live: { sight: of, ownership },
});

const certway: Ownership = { kind: 'Certway' };
const unowned: Ownership = { kind: 'Unknown' };
const helm: Ownership = { kind: 'PackageManager', name: 'Helm release infra/eg' };
const gone: Ownership = { kind: 'Abandoned', name: 'Subscription operators/mesh' };
const argo: Ownership = { kind: 'Other', name: 'Argo CD' };

const told = (step: CrdStep) => (step.kind === 'none' ? '–' : `${step.kind} ${step.why}`);

describe('what is done with Auto, Reconcile, PreferExisting and Ignore about one that', () => {
  it.each<readonly [string, CrdSeen, readonly string[]]>([
    ['is missing', { name: gateways, brought: true }, ['apply missing', 'apply missing', 'apply missing', '–']],
    ['is missing, and not brought', { name: gateways, brought: false }, ['–', '–', '–', '–']],
    ['is ours', seen(certway), ['apply drift', 'apply drift', '–', '–']],
    ['is ours and right', seen(certway, sight({ same: true })), ['–', '–', '–', '–']],
    [
      'is ours and newer',
      seen(certway, sight({ obstacles: ['it is newer'] })),
      ['refuse update', 'refuse update', '–', '–'],
    ],
    ['is ours, and would lose', seen(certway, sight({ losses: ['.a'] })), ['apply drift', 'apply drift', '–', '–']],
    ['is handed over', seen(certway, sight({ oursAlone: false })), ['apply takeOver', 'apply takeOver', '–', '–']],
    [
      'is handed over, and would lose',
      seen(certway, sight({ oursAlone: false, losses: ['.a'] })),
      ['refuse takeOver', 'refuse takeOver', '–', '–'],
    ],
    ['is a package manager’s', seen(helm), ['–', '–', '–', '–']],
    ['is another’s', seen(argo), ['–', '–', '–', '–']],
    ['is abandoned', seen(gone), ['apply takeOver', 'apply takeOver', '–', '–']],
    [
      'is abandoned, and would lose',
      seen(gone, sight({ losses: ['.a'] })),
      ['refuse takeOver', 'refuse takeOver', '–', '–'],
    ],
    ['is nobody’s', seen(unowned), ['–', 'apply takeOver', '–', '–']],
    ['is nobody’s, and would lose', seen(unowned, sight({ losses: ['.a'] })), ['–', 'refuse takeOver', '–', '–']],
    ['is being deleted', seen(certway, sight({}, { terminating: true })), ['–', '–', '–', '–']],
  ])('%s', (_, crd, steps) => {
    expect(policies.map((policy) => told(planCrd(crd, policy)))).toEqual(steps);
  });
});

const right = sight({ same: true });
const outcome = (ownership: Ownership, name: string, more: Partial<CrdOutcome> = {}): CrdOutcome => ({
  seen: seen(ownership, right, name),
  step: { kind: 'none' },
  ...more,
});
const round = (outcomes: readonly CrdOutcome[], more: Partial<CrdRound> = {}): CrdRound => ({
  policy: 'Auto',
  outcomes,
  ...more,
});
const missing = (name: string): CrdOutcome => ({ seen: { name, brought: false }, step: { kind: 'none' } });

describe('CRDsReady', () => {
  const ours = [outcome(certway, proxies), outcome(certway, gateways), outcome(certway, routes)];

  it.each<readonly [string, CrdRound, string, string, RegExp]>([
    ['all ours', round(ours), 'True', 'ManagedBySelf', /^All are established\. Certway: 1 of gateway\.envoy.*, 2 of /],
    ['all another’s', round([outcome(helm, gateways)]), 'True', 'ManagedByOther', /Helm release infra\/eg: 1 of/],
    [
      'each group with one owner',
      round([outcome(certway, proxies), outcome(helm, gateways), outcome(helm, routes)]),
      'True',
      'ManagedBySelf',
      /Certway: 1 of .*; Helm release infra\/eg: 2 of/,
    ],
    [
      'one group with two',
      round([outcome(certway, gateways), outcome(helm, routes)]),
      'False',
      'MixedOwnership',
      /Certway: gateways.*; Helm release infra\/eg: httproutes.*kubectl label crd NAME --overwrite/,
    ],
    ['nobody’s', round([outcome(unowned, gateways)]), 'False', 'UnknownManagement', /Nobody answers for .*gateways/],
    [
      'nobody’s, as is asked for',
      round([outcome(unowned, gateways)], { policy: 'PreferExisting' }),
      'True',
      'ManagedByOther',
      /owner unknown: 1 of/,
    ],
    ['none', round([missing(gateways)]), 'Unknown', 'NoneExist', /None .* exists/],
    ['some missing', round([missing(gateways), outcome(helm, routes)]), 'False', 'NotReady', /^Missing: gateways/],
    [
      'missing without a directory',
      round([missing(gateways)], { source: { kind: 'none', message: 'install them yourself' } }),
      'Unknown',
      'NoneExist',
      /install them yourself\.$/,
    ],
    [
      'not served yet',
      round([{ ...outcome(certway, gateways), seen: seen(certway, sight({ same: true }, { established: false })) }]),
      'False',
      'NotReady',
      /Not established yet, or being deleted: gateways/,
    ],
    [
      'a refused write, above all else',
      round([outcome(certway, gateways, { failure: 'denied by a policy' }), missing(routes)]),
      'False',
      'Error',
      /^gateways\.gateway\.networking\.k8s\.io: denied by a policy\.$/,
    ],
    [
      'a take-over that would lose',
      round([outcome(gone, gateways, { step: { kind: 'refuse', why: 'takeOver', losses: ['in v1: .spec.b'] } })]),
      'False',
      'UnknownManagement',
      /would be lost: in v1: \.spec\.b/,
    ],
  ])('with %s', (_, given, status, reason, says) => {
    expect(crdsReady(given)).toMatchObject({ status, reason, message: expect.stringMatching(says) });
  });

  it('tells a dozen of many, and how many more', () => {
    const losses = Array.from({ length: 40 }, (_, at) => `in v1: .spec.field${at}`);
    const { message } = crdsReady(
      round([outcome(gone, gateways, { step: { kind: 'refuse', why: 'takeOver', losses } })]),
    );
    expect(message).toContain('field11, 28 more');
    expect(message).not.toContain('field12');
  });
});

it('has one line for each in the status', () => {
  const established = outcome(helm, proxies, {
    seen: seen(helm, sight({}, { release: 'v1.9.1', channel: 'standard' }), proxies),
  });
  expect(crdLines(round([established, outcome(gone, gateways), missing(routes)]))).toEqual([
    {
      name: proxies,
      owner: 'PackageManager',
      ownerName: 'Helm release infra/eg',
      bundleVersion: 'v1.9.1',
      channel: 'standard',
      established: true,
    },
    { name: gateways, owner: 'Unknown', ownerName: 'Subscription operators/mesh, which is gone', established: true },
    { name: routes, owner: 'Absent', established: false },
  ]);
});
