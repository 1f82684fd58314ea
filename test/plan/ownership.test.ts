// Who issues: every wish, whose the CRDs are, who holds cert-manager's Lease, and what was the case until now.

import { describe, expect, it } from 'vitest';
import { decideOwnership, type Holder, type OwnershipSeen } from '../../src/plan/ownership.ts';

const other: Holder = { namespace: 'kube-system', name: 'cert-manager-controller', identity: 'cm-0' };
const minute = 60_000;

function seen(
  change: Partial<OwnershipSeen> & { readonly others?: readonly Holder[]; readonly quietMs?: number } = {},
) {
  const { others = [], quietMs = 0, ...rest } = change;
  const alone: OwnershipSeen = {
    wish: 'auto',
    crd: 'ours',
    leases: { kind: 'seen', others, quietMs },
    hold: { kind: 'held' },
    last: 'issue',
  };
  return { ...alone, ...rest };
}

const none = { kind: 'none' } as const;
const fresh = { hold: none, last: 'leave' } as const;

const table: readonly [string, Parameters<typeof seen>[0], ReturnType<typeof decideOwnership>['kind']][] = [
  ['ours, and the Lease is held', {}, 'issue'],
  ['ours, and the Lease is free', fresh, 'seek'],
  ['no CRDs, and the Lease is free', { ...fresh, crd: 'absent' }, 'seek'],
  ['ours, and somebody else has the Lease', { ...fresh, others: [other] }, 'leave'],
  ['ours, and somebody else takes the Lease while we issue', { others: [other] }, 'stop'],
  ['stopped, and the other is still there', { hold: none, last: 'stop', others: [other] }, 'stop'],
  ['stopped, and the other has gone', { hold: none, last: 'stop' }, 'seek'],
  ['the CRDs are somebody else’s', { ...fresh, crd: 'foreign' }, 'leave'],
  ['the CRDs become somebody else’s while we issue', { crd: 'foreign' }, 'leave'],
  ['the CRDs become somebody else’s, who is there already', { crd: 'foreign', others: [other] }, 'leave'],
  ['builtin asks not whose the CRDs are', { ...fresh, wish: 'builtin', crd: 'foreign' }, 'seek'],
  ['builtin does not push anybody aside', { ...fresh, wish: 'builtin', others: [other] }, 'leave'],
  ['external issues nothing, even alone', { wish: 'external' }, 'leave'],
  ['nothing is known yet: the CRDs', { ...fresh, crd: 'unknown' }, 'leave'],
  ['nothing is known yet: the Leases', { ...fresh, leases: { kind: 'unknown' } }, 'leave'],
  ['the Leases may not be seen', { leases: { kind: 'forbidden', message: 'no' } }, 'leave'],
  ['the Lease may not be held', { ...fresh, hold: { kind: 'refused', message: 'no' } }, 'seek'],
  ['quiet, but a takeover was not asked for', { ...fresh, crd: 'foreign', quietMs: 99 * minute }, 'leave'],
  [
    'not quiet for long enough',
    { ...fresh, crd: 'foreign', takeoverAfterMs: 10 * minute, quietMs: 9 * minute },
    'leave',
  ],
  ['quiet for long enough', { ...fresh, crd: 'foreign', takeoverAfterMs: 10 * minute, quietMs: 10 * minute }, 'seek'],
  [
    'taken over, and still alone',
    { crd: 'foreign', takeoverAfterMs: 10 * minute, quietMs: Number.POSITIVE_INFINITY },
    'issue',
  ],
  ['taken over, and the other is back', { crd: 'foreign', takeoverAfterMs: 10 * minute, others: [other] }, 'leave'],
];

describe('who issues', () => {
  it.each(table)('%s', (_, change, kind) => {
    expect(decideOwnership(seen(change)).kind).toBe(kind);
  });

  it('nobody is pushed aside: with somebody else on a Lease of that name, no answer is to issue or to seek', () => {
    const wishes = ['auto', 'builtin', 'external'] as const;
    const crds = ['unknown', 'absent', 'ours', 'foreign'] as const;
    const lasts = ['issue', 'seek', 'leave', 'stop'] as const;
    const all = wishes.flatMap((wish) =>
      crds.flatMap((crd) =>
        lasts.map((last) =>
          decideOwnership(seen({ wish, crd, last, others: [other], takeoverAfterMs: 1, quietMs: 2 })),
        ),
      ),
    );
    expect(all.filter(({ kind }) => kind === 'issue' || kind === 'seek')).toEqual([]);
  });
});

describe('what it says', () => {
  const why = (change: Parameters<typeof seen>[0]) => {
    const decision = decideOwnership(seen(change));
    return decision.kind === 'issue' ? '' : decision.why;
  };

  it('names the label and the flag where the CRDs are somebody else’s', () => {
    expect(why({ crd: 'foreign' })).toMatch(
      /certificates\.cert-manager\.io .*app\.kubernetes\.io\/part-of=certway.*--issuance=builtin/,
    );
  });

  it('names the holder, the Lease and both ways out', () => {
    expect(why({ others: [other] })).toMatch(/"cm-0" holds Lease kube-system\/cert-manager-controller/);
    expect(why({ others: [other] })).toMatch(/to zero, or start Certway with --issuance=external/);
  });

  it('says how long a takeover still waits, and asks to be woken then', () => {
    const waiting = decideOwnership(
      seen({ ...fresh, crd: 'foreign', takeoverAfterMs: 10 * minute, quietMs: 4 * minute }),
    );
    expect(waiting).toMatchObject({ againMs: 6 * minute, why: expect.stringContaining('6 more minutes') });
  });

  it('says which manifest gives the right', () => {
    expect(why({ ...fresh, hold: { kind: 'refused', message: 'leases is forbidden' } })).toMatch(
      /apply deploy\/rbac\.yaml.*--cert-manager-lease.*leases is forbidden/,
    );
  });
});
