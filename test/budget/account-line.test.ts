// Who may make an account next where the CA gives few.

import { describe, expect, it } from 'vitest';
import { AccountLine } from '../../src/budget/account-line.ts';
import { Ledger } from '../../src/budget/ledger.ts';
import { per } from '../../src/budget/limits.ts';
import { born, hour, minute } from './dice.ts';

/** Comes, and is told to come again in an hour. */
function stand(line: AccountLine, id: string, now: number, tenant = id.charAt(0)): number {
  const ahead = line.ahead(id, tenant, now);
  line.wait(id, tenant, now + hour, now);
  return ahead;
}

/** Ids as they are served, one account each. */
function served(line: AccountLine, now: number): readonly string[] {
  const ids: string[] = [];
  for (let [id] = line.next(1, now); id !== undefined; [id] = line.next(1, now)) {
    ids.push(id);
    line.leave(id);
    line.served(id.charAt(0), now);
  }
  return ids;
}

describe('those that want an account', () => {
  it('have tenants in turn, however many one of them asked for first', () => {
    const line = new AccountLine();
    for (let at = 0; at < 4; at += 1) stand(line, `a${at}`, born + at);
    stand(line, 'b0', born + 10);
    stand(line, 'c0', born + 11);
    expect(served(line, born + minute)).toEqual(['a0', 'b0', 'c0', 'a1', 'a2', 'a3']);
  });

  it('know how many come before them, which a tenant with accounts does not', () => {
    const line = new AccountLine();
    line.served('a', born);
    expect(stand(line, 'a0', born + 1)).toBe(0);
    expect(stand(line, 'b0', born + 2)).toBe(0);
    expect(line.ahead('a0', 'a', born + 3)).toBe(1);
  });

  it('keep their place when they ask again', () => {
    const line = new AccountLine();
    stand(line, 'a0', born);
    stand(line, 'b0', born + 1);
    stand(line, 'a0', born + 2);
    expect(line.next(2, born + 3)).toEqual(['a0', 'b0']);
  });

  it('are as many as there is room for', () => {
    const line = new AccountLine();
    for (const id of ['a0', 'b0', 'c0']) stand(line, id, born);
    expect(line.next(0, born)).toEqual([]);
    expect(line.next(2, born)).toHaveLength(2);
  });

  it('hold nobody up who have gone another way', () => {
    const line = new AccountLine();
    stand(line, 'a0', born);
    expect(line.ahead('b0', 'b', born + hour)).toBe(1);
    expect(line.ahead('b0', 'b', born + hour + 10 * minute + 1)).toBe(0);
    expect(line.isEmpty).toBe(true);
  });
});

it('an account comes one emission later for each that comes before it', () => {
  const ledger = new Ledger({ limits: { newAccountsPerIp: per(2, hour) }, overrides: [] });
  expect([0, 1, 2, 3].map((ahead) => (ledger.nextAccount(born, ahead) - born) / minute)).toEqual([0, 0, 30, 60]);
});
