// The Orders as the log after a checkpoint: nothing is forgotten, and nothing counted twice that is known to be counted.

import { describe, expect, test } from 'vitest';
import type { CellView } from '../../src/budget/entry.ts';
import { Ledger } from '../../src/budget/ledger.ts';
import { knownLimits } from '../../src/budget/limits.ts';
import { replay } from '../../src/budget/replay.ts';
import { ask, born, day, hour, minute } from './dice.ts';

const limits = knownLimits('https://acme-v02.api.letsencrypt.org/directory');
const account = 'https://acme-v02.api.letsencrypt.org/acme/acct/123456789';

function byLimit(a: CellView, b: CellView): number {
  return a.limit < b.limit ? -1 : 1;
}

describe('Orders as the log', () => {
  const issued = ask({ id: 'issued', account, identifiers: ['issued.example.com'] });
  const domainUsed = (ledger: Ledger, now: number) =>
    ledger.view(now).find(({ limit }) => limit === 'certificatesPerDomain')?.used ?? 0;

  test('rebuild the cells where there is no checkpoint, in whatever order they come', () => {
    const records = Array.from({ length: 30 }, (_, at) => {
      return {
        ask: ask({ id: `order-${at}`, account, identifiers: [`w${at}.example.com`] }),
        state: 'issued',
        at: born + at * hour,
      } as const;
    });
    const now = born + 30 * hour;
    const lived = new Ledger(limits);
    for (const { ask: each, at } of records) {
      lived.reserve(each, at);
      lived.issued(each.id, at);
    }
    const rebuilt = new Ledger(limits);
    replay(rebuilt, undefined, records.toReversed(), now);
    expect(rebuilt.view(now)).toEqual(lived.view(now));
  });

  test('do not count twice what the checkpoint holds', () => {
    const ledger = new Ledger(limits);
    ledger.reserve(issued, born);
    ledger.issued('issued', born);
    const checkpoint = ledger.snapshot(account, born + minute);
    const next = new Ledger(limits);
    next.restore(checkpoint);
    replay(next, checkpoint, [{ ask: issued, state: 'issued', at: born }], born + 2 * minute);
    expect(domainUsed(next, born + 2 * minute)).toBe(1);
  });

  test('count what came after it, and what is unfinished', () => {
    const checkpoint = new Ledger(limits).snapshot(account, born);
    const ledger = new Ledger(limits);
    const open = ask({ id: 'open', account, identifiers: ['open.example.com'] });
    replay(
      ledger,
      checkpoint,
      [
        { ask: issued, state: 'issued', at: born + minute },
        { ask: open, state: 'open' },
      ],
      born + hour,
    );
    expect(domainUsed(ledger, born + hour)).toBe(2);
    expect(ledger.isReserved('open')).toBe(true);
  });

  test('reserve for what is unfinished without counting its newOrder again', () => {
    const open = ask({ id: 'open', account, identifiers: ['open.example.com'] });
    const ledger = new Ledger(limits);
    ledger.reserve(open, born);
    ledger.placed('open', born);
    const checkpoint = ledger.snapshot(account, born);
    const next = new Ledger(limits);
    next.restore(checkpoint);
    replay(next, checkpoint, [{ ask: open, state: 'open' }], born);
    expect(next.view(born).toSorted(byLimit)).toEqual(ledger.view(born).toSorted(byLimit));
  });

  test('are not counted twice after a long silence either', () => {
    const ledger = new Ledger(limits);
    ledger.reserve(issued, born);
    ledger.issued('issued', born);
    const checkpoint = ledger.snapshot(account, born);
    const next = new Ledger(limits);
    next.restore(checkpoint);
    expect(domainUsed(next, born + hour)).toBe(1);
    replay(next, checkpoint, [{ ask: issued, state: 'issued', at: born }], born + hour);
    expect(domainUsed(next, born + hour)).toBe(1);
  });

  test('of another account, told later, do not weigh on a cell that has rested since', () => {
    const ledger = new Ledger(limits);
    const old = ask({ id: 'old', account: 'https://ca.test/acct/2', identifiers: ['old.example.com'] });
    replay(ledger, undefined, [{ ask: issued, state: 'issued', at: born }], born);
    replay(ledger, undefined, [{ ask: old, state: 'issued', at: born - 30 * day }], born);
    expect(domainUsed(ledger, born)).toBe(1);
    const recent = ask({ id: 'recent', account: 'https://ca.test/acct/2', identifiers: ['recent.example.com'] });
    replay(ledger, undefined, [{ ask: recent, state: 'issued', at: born - hour }], born);
    expect(domainUsed(ledger, born)).toBe(2);
  });

  test('and a checkpoint of another account that comes later are counted together', () => {
    const theirs = new Ledger(limits);
    const spent = (ledger: Ledger, id: string, of: string) => {
      ledger.reserve(ask({ id, account: of, identifiers: [`${id}.example.com`] }), born);
      ledger.issued(id, born);
    };
    for (const id of ['a', 'b', 'c']) spent(theirs, id, 'https://ca.test/acct/2');
    const ledger = new Ledger(limits);
    for (const id of ['d', 'e']) spent(ledger, id, account);
    ledger.restore(theirs.snapshot('https://ca.test/acct/2', born));
    expect(domainUsed(ledger, born)).toBe(5);
  });

  test('allow for newOrders that were on their way when the process died', () => {
    const ledger = new Ledger(limits);
    const untold = Array.from(
      { length: 300 },
      (_, at) => ({ ask: ask({ id: `order-${at}`, account }), state: 'untold' }) as const,
    );
    replay(ledger, undefined, untold, born);
    expect(ledger.view(born)).toMatchObject([{ limit: 'newOrdersPerAccount', used: 8, reservedBy: [] }]);
  });

  describe('that may have been on their way', () => {
    const one = ask({ id: 'one', account });
    const used = (ledger: Ledger) => ledger.view(born).find(({ limit }) => limit === 'newOrdersPerAccount')?.used ?? 0;
    const restarted = () => {
      const ledger = new Ledger(limits);
      replay(ledger, undefined, [{ ask: one, state: 'untold' }], born);
      expect(used(ledger)).toBe(1);
      return ledger;
    };

    test('give their unit back where the CA’s own list does not have them', () => {
      const ledger = restarted();
      ledger.unasked(one);
      ledger.unasked(one);
      expect(ledger.view(born)).toEqual([]);
    });

    test('are counted once where the CA has them', () => {
      const ledger = restarted();
      ledger.reserve(one, born);
      ledger.found('one', born);
      expect(used(ledger)).toBe(1);
      ledger.issued('one', born);
      expect(used(ledger)).toBe(1);
    });

    test('are counted again where the CA is asked again: it may count both', () => {
      const ledger = restarted();
      ledger.reserve(one, born);
      ledger.placed('one', born);
      expect(used(ledger)).toBe(2);
      ledger.unasked(one);
      expect(used(ledger)).toBe(2);
    });
  });

  test('of the CA that an earlier process did not ask for are placed when they are found', () => {
    const ledger = new Ledger(limits);
    const one = ask({ id: 'one', account });
    ledger.reserve(one, born);
    ledger.found('one', born);
    expect(ledger.view(born).find(({ limit }) => limit === 'newOrdersPerAccount')).toMatchObject({
      used: 1,
      reservedBy: [],
    });
  });
});
