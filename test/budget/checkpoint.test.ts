// The text that outlives a process: what it holds, how long it gets, and that no edit of it does harm.

import { describe, expect, test } from 'vitest';
import {
  type Checkpoint,
  isWorthWriting,
  mostBytes,
  readCheckpoint,
  writeCheckpoint,
} from '../../src/budget/checkpoint.ts';
import { Ledger } from '../../src/budget/ledger.ts';
import { knownLimits } from '../../src/budget/limits.ts';
import { decide } from '../../src/budget/line.ts';
import { replay } from '../../src/budget/replay.ts';
import { noRounds } from '../../src/budget/rounds.ts';
import { ask, born, day, dice, hour, minute, seed } from './dice.ts';

const limits = knownLimits('https://acme-v02.api.letsencrypt.org/directory');
const account = 'https://acme-v02.api.letsencrypt.org/acme/acct/123456789';

function busy(): Ledger {
  const ledger = new Ledger(limits);
  for (const id of ['done', 'open']) {
    ledger.reserve(ask({ id, account, identifiers: [`${id}.example.com`, 'example.com'] }), born);
    ledger.placed(id, born);
  }
  ledger.issued('done', born);
  ledger.told(
    ask({ id: 'set', account, identifiers: ['set.example.com'] }),
    { status: 429, limit: 'new-certificates-per-exact-set-of-identifiers', retryAt: born + day },
    born,
  );
  ledger.told(ask({ id: 'paused', account }), { status: 429, pauseUrl: 'https://ca.test/unpause' }, born);
  ledger.told(ask({ id: 'held', account }), { status: 429, retryAt: born + hour }, born);
  ledger.told(undefined, { status: 503, retryAt: born + minute }, born);
  return ledger;
}

function value(text: string): Checkpoint {
  const read = readCheckpoint(text);
  if (!read.ok) throw new Error(read.problem);
  return read.value;
}

describe('a checkpoint', () => {
  test('holds all that a ledger knows beside what is unfinished', () => {
    const ledger = busy();
    const text = writeCheckpoint(ledger.snapshot(account, born));
    const next = new Ledger(limits);
    next.restore(value(text));
    const rest = (each: Ledger) => each.view(born).filter(({ reservedBy }) => reservedBy.length === 0);
    ledger.release('open');
    expect(rest(next)).toEqual(rest(ledger));
    expect(writeCheckpoint({ ...next.snapshot(account, born), placed: ['open'] })).toBe(text);
    expect(value(text)).toMatchObject({ placed: ['open'], finished: ['done'] });
  });

  test('leaves out what is free again, and what is another account’s', () => {
    const ledger = busy();
    expect(ledger.snapshot(account, born + 8 * day)).toMatchObject({ cells: [], finished: [] });
    expect(ledger.snapshot('https://ca.test/acct/2', born)).toMatchObject({ cells: [], placed: [], pauses: [] });
  });

  test('is worth a write when something was spent or said, not when time has passed', () => {
    const ledger = busy();
    const before = ledger.snapshot(account, born);
    expect(isWorthWriting(undefined, before)).toBe(true);
    expect(isWorthWriting(before, ledger.snapshot(account, born))).toBe(false);
    expect(isWorthWriting(undefined, new Ledger(limits).snapshot(account, born))).toBe(false);
    ledger.issued('open', born);
    expect(isWorthWriting(before, ledger.snapshot(account, born))).toBe(true);
  });

  test('of 2,000 exact sets and as many domains fits into a ConfigMap three times', () => {
    const ledger = new Ledger(limits);
    for (let at = 0; at < 2000; at += 1) {
      const one = ask({
        id: crypto.randomUUID(),
        account,
        tenant: `team-${at % 40}`,
        class: 'renewal',
        identifiers: [`www.shop-${at}.example.com`, `shop-${at}.example.com`],
      });
      ledger.reserve(one, born);
      ledger.issued(one.id, born);
    }
    const { length } = writeCheckpoint(ledger.snapshot(account, born));
    console.log(`2,000 exact sets: ${(length / 1000).toFixed(0)} kB`);
    expect(length).toBeLessThan(300_000);
  });

  test.each([
    ['tenants', { tenants: 40, cells: 9_000 }, { cells: 9_000, spentBy: 0 }],
    ['cells', { tenants: 1, cells: 40_000 }, { cells: 10_000, spentBy: 0 }],
  ])('with too many %s leaves out what is missed the least, and can be read', (_, size, expected) => {
    const spentBy = Object.fromEntries(Array.from({ length: size.tenants }, (_none, at) => [`tenant-${at}`, at + 1]));
    const cells = Array.from({ length: size.cells }, (_none, at) => {
      return { limit: 'certificatesPerExactSet', subject: `w${at}.ёж.example.com`, tat: born + at, spentBy } as const;
    });
    const pauses = Array.from({ length: 200 }, (_none, at) => ({
      set: `w${at}`,
      url: `https://ca/${'x'.repeat(4000)}`,
    }));
    const ids = Array.from({ length: 5_000 }, () => crypto.randomUUID());
    const text = writeCheckpoint({ account, at: born, cells, pauses, placed: ids, finished: ids });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(mostBytes);
    const read = value(text);
    expect(read.cells).toHaveLength(expected.cells);
    expect(Object.keys(read.cells[0]?.spentBy ?? {})).toHaveLength(expected.spentBy);
    // The ones that last the longest.
    expect(Math.min(...read.cells.map(({ tat }) => tat))).toBe(born + size.cells - expected.cells);
  });
});

const good = writeCheckpoint(busy().snapshot(account, born));

describe('a text that people have edited', () => {
  test.each<[string, string, string]>([
    ['nothing', '', 'it is no JSON'],
    ['half of it', good.slice(0, 200), 'it is no JSON'],
    ['a list', '[]', 'it is no object'],
    ['another version', good.replace('"version":1', '"version":2'), 'its version is not 1'],
    ['no account', good.replace(`"${account}"`, '5'), 'account is no URL'],
    ['a time that is text', good.replace(`"at":${born},"pauses"`, '"at":"now","pauses"'), 'at is no time'],
    [
      'a time beyond all calendars',
      good.replace(/"done\.example\.com\+1:[^"]*":\[\d+/, '"x":[1e300'),
      'cells.certificatesPerExactSet "x"',
    ],
    [
      'a limit that does not exist',
      good.replace('"newOrdersPerAccount"', '"ordersPerMoon"'),
      'cells.ordersPerMoon is no limit',
    ],
    ['UIDs that are numbers', good.replace('["open"]', '[5]'), 'placed or finished is no list of UIDs'],
    ['tenants without counts', good.replace(/\{"team-a":\d+\}/, '{"team-a":"many"}'), 'is no time with its tenants'],
    [
      'a hold without an end',
      good.replace(/"accountHold":\{[^}]*\}/, '"accountHold":{}'),
      'accountHold or directoryHold',
    ],
    ['a pause without a URL', good.replace('"url":"https://ca.test/unpause"', '"url":5'), 'pauses is no list'],
    ['a megabyte', ' '.repeat(1_048_577), 'it is longer than 1048576 characters'],
  ])('%s is told, and not used', (_, text, sentence) => {
    expect(text).not.toBe(good);
    const read = readCheckpoint(text);
    expect(read).toMatchObject({ ok: false, problem: expect.stringContaining(sentence) });
  });

  test('has no cell wait for years, whatever times it holds', () => {
    const year = born + 3000 * day;
    const text = good.replaceAll(/\b1\d{12}\b/g, (time) => (Number(time) > born ? String(year) : time));
    const ledger = new Ledger(limits);
    ledger.restore(value(text));
    const one = ask({ id: 'one', account, identifiers: ['done.example.com', 'example.com'] });
    const { waits } = decide(ledger, [one], noRounds, born);
    expect(waits.get('one')?.until).toBeLessThanOrEqual(born + 10 * day);
  });

  test('has no hold that never ends, whatever moments it holds', () => {
    const edited = good.replace(
      /"accountHold":\{[^}]*\}/,
      `"accountHold":{"at":${born + 3000 * day},"until":${born + 3007 * day}}`,
    );
    expect(edited).not.toBe(good);
    const ledger = new Ledger(limits);
    ledger.restore(value(edited));
    const one = ask({ id: 'one', account, identifiers: ['other.example.org'] });
    expect(decide(ledger, [one], noRounds, born).waits.get('one')?.limit).toBe('accountHeld');
    expect(decide(ledger, [one], noRounds, born + 9 * day).admitted).toEqual([one]);
  });

  test('from the future does not keep Orders from being counted', () => {
    const ledger = new Ledger(limits);
    const checkpoint = { ...value(good), at: born + 400 * day, finished: [] };
    ledger.restore(checkpoint);
    const before = ledger.view(born).find(({ limit }) => limit === 'certificatesPerDomain')?.used ?? 0;
    replay(
      ledger,
      checkpoint,
      [{ ask: ask({ id: 'later', account, identifiers: ['later.example.com'] }), state: 'issued', at: born }],
      born,
    );
    expect(ledger.view(born).find(({ limit }) => limit === 'certificatesPerDomain')?.used).toBe(before + 1);
  });

  test(`does nothing worse than that, however it is garbled (seed ${seed})`, () => {
    const roll = dice(seed);
    for (let round = 0; round < 2000; round += 1) {
      const at = roll.below(good.length);
      const text =
        good.slice(0, at) +
        roll.pick(['', '9', '"', '-', '{}', '[', 'e9', 'null', '\u0000', ',']) +
        good.slice(at + roll.below(12));
      const read = readCheckpoint(text);
      if (!read.ok) continue;
      const ledger = new Ledger(limits);
      ledger.restore(read.value);
      const { waits } = decide(
        ledger,
        [ask({ id: 'one', account, identifiers: ['done.example.com'] })],
        noRounds,
        born,
      );
      for (const { until = born } of waits.values()) expect(until).toBeLessThanOrEqual(born + 10 * day);
      expect(() => writeCheckpoint(ledger.snapshot(account, born))).not.toThrow();
    }
  });
});
