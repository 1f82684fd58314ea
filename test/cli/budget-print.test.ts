// How budgets look on paper: one block per account, within 120 columns, whatever other people have put into names and messages.

import { describe, expect, it } from 'vitest';
import type { AccountBudget, CellRow, WaitRow } from '../../src/cli/budget-node.ts';
import { budgetLines, columns } from '../../src/cli/budget-print.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const hour = 3_600_000;
const account = 'https://acme.example/acct/7';

const cell = (change: Partial<CellRow>): CellRow => ({
  limit: 'certificatesPerDomain',
  subject: 'example.com',
  used: 0,
  left: 50,
  burst: 50,
  nextFree: now,
  spentBy: [],
  ...change,
});
const waiting = (change: Partial<WaitRow>): WaitRow => ({
  class: 'new',
  tenant: 'team-a',
  order: 'shop-1-2f77b457cc',
  since: now - 5 * 60_000,
  why: 'certificates per domain',
  ...change,
});
const budget = (change: Partial<AccountBudget>): AccountBudget => ({
  directory: 'https://acme.example/directory',
  account,
  issuers: ['ClusterIssuer le'],
  notedAt: now - 30_000,
  holds: [],
  cells: [],
  waiting: [],
  ...change,
});
const lines = (...accounts: readonly AccountBudget[]) => budgetLines({ accounts, unseen: [] }, now);

describe('an account', () => {
  it('says whose it is, what is left of each limit, who has spent it, and who waits', () => {
    const cells = [
      cell({
        used: 50,
        left: 0,
        nextFree: now + 3 * hour,
        spentBy: [
          { tenant: 'team-a', count: 40 },
          { tenant: 'team-b', count: 10 },
        ],
      }),
      cell({ limit: 'newOrdersPerAccount', subject: account, used: 2, left: 298, burst: 300 }),
    ];
    expect(lines(budget({ cells, waiting: [waiting({ until: now + 3 * hour })] }))).toEqual([
      'ClusterIssuer le',
      '  directory  https://acme.example/directory',
      '  account    https://acme.example/acct/7',
      '  counted    noted 2026-11-21 11:59 UTC (30 seconds ago)',
      '',
      '  LIMIT                    SUBJECT       USED  LEFT  NEXT FREE                          SPENT BY',
      '  certificates per domain  example.com     50     0  2026-11-21 15:00 UTC (in 3 hours)  team-a 40, team-b 10',
      '  orders per account       this account     2   298  now',
      '',
      '  WAITING  ORDER                     SINCE          UNTIL                              WHY',
      '  new      team-a/shop-1-2f77b457cc  5 minutes ago  2026-11-21 15:00 UTC (in 3 hours)  certificates per domain',
    ]);
  });

  it('calls a set of names by names', () => {
    const sets = ['a.example', 'a.example+1:Zm9v', 'a.example+12:Zm-_'].map((subject) => cell({ subject, left: 1 }));
    const said = lines(budget({ cells: sets })).join('\n');
    for (const words of ['a.example  ', 'a.example and 1 more ', 'a.example and 12 more '])
      expect(said).toContain(words);
  });

  it('of which nothing is known says so', () => {
    const { notedAt: _, ...fresh } = budget({ issuers: [] });
    expect(lines(fresh)).toEqual([
      'an account that no issuer uses',
      '  directory  https://acme.example/directory',
      '  account    https://acme.example/acct/7',
      '  counted    nothing is noted yet; counted from what Orders say',
      '',
      '  Nothing of a known limit is spent.',
    ]);
  });

  it('that the CA has stopped says until when, or by whom', () => {
    const said = lines(
      budget({
        holds: [
          { kind: 'account', until: now + hour },
          { kind: 'endpoint', until: now + 60_000 },
          { kind: 'pause', set: 'a.example+2:x-Y_z', url: 'https://ca.example/pause/1' },
        ],
      }),
    ).join('\n');
    expect(said).toContain(
      '  stopped    the CA takes no orders of this account until 2026-11-21 13:00 UTC (in 60 minutes)\n',
    );
    expect(said).toContain('  stopped    the CA answers nothing until 2026-11-21 12:01 UTC (in 60 seconds)\n');
    expect(said).toMatch(
      /paused a\.example and 2 more until .* https:\/\/ca\.example\/pause\/1\s+and gives .*unpause/s,
    );
  });
});

describe('the paper', () => {
  it.each([
    [
      'long subjects',
      { cells: [cell({ subject: `${'a'.repeat(300)}.example`, left: 0, nextFree: now + 60_000 * 59 })] },
    ],
    [
      'many tenants',
      { cells: [cell({ spentBy: Array.from({ length: 30 }, (_, i) => ({ tenant: `tenant-${i}`, count: i })) })] },
    ],
    ['long reasons', { waiting: [waiting({ why: 'word '.repeat(90), until: now + 100 * 24 * hour })] }],
    ['long words', { waiting: [waiting({ why: 'x'.repeat(500), order: 'o'.repeat(253) })] }],
    [
      'long issuers',
      { issuers: Array.from({ length: 9 }, (_, i) => `Issuer a-rather-long-namespace/a-rather-long-name-${i}`) },
    ],
    ['long accounts', { account: `https://acme.example/${'a'.repeat(300)}` }],
    ['large numbers', { cells: [cell({ used: 9_999_999, left: 9_999_999, burst: 10_000_000 })] }],
  ] satisfies readonly (readonly [string, Partial<AccountBudget>])[])('holds %s', (_, change) => {
    const long = lines(budget(change)).filter((line) => line.length > columns);
    expect(long).toEqual([]);
  });

  it('ends after forty rows, and says how many more there are', () => {
    const said = lines(budget({ cells: Array.from({ length: 2000 }, (_, i) => cell({ subject: `d${i}.example` })) }));
    expect(said.length).toBeLessThan(50);
    expect(said.at(-1)).toBe('  and 1960 more cells: -o json has them all');
  });

  it('lets no name or message of others move the cursor or turn the text', () => {
    const evil = 'x\u001b[2J\u202e\ny';
    const said = lines(
      budget({
        issuers: [evil],
        directory: evil,
        holds: [{ kind: 'pause', set: evil, url: evil }],
        cells: [cell({ subject: evil, spentBy: [{ tenant: evil, count: 1 }] })],
        waiting: [waiting({ why: evil, order: evil, tenant: evil, class: evil })],
      }),
    );
    expect(said.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('has what could not be seen at its end', () => {
    const said = budgetLines({ accounts: [budget({})], unseen: ['you may not list Orders in all namespaces'] }, now);
    expect(said.slice(-2)).toEqual(['Not seen:', '  you may not list Orders in all namespaces']);
  });
});
