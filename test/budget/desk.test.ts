// The line of one CA, with its own timers: who comes is answered, who waits is woken, who leaves makes room.

import { afterEach, describe, expect, it } from 'vitest';
import { Desk } from '../../src/apply/budget-desk.ts';
import type { Ask } from '../../src/budget/ask.ts';
import type { Limits } from '../../src/budget/limits.ts';
import { noLimits } from '../../src/budget/limits.ts';

const account = 'https://ca.example/acct/1';
const open: Desk[] = [];
const bugs: unknown[] = [];

afterEach(() => {
  for (const desk of open.splice(0)) desk[Symbol.dispose]();
  expect(bugs).toEqual([]);
});

function deskOf(limits: Limits): Desk & { readonly waits: string[] } {
  const waits: string[] = [];
  const desk = new Desk({
    limits,
    now: () => performance.timeOrigin + performance.now(),
    onWait: ({ limit }) => void waits.push(limit),
    onBug: (error) => void bugs.push(error),
  });
  open.push(desk);
  return Object.assign(desk, { waits });
}

function ask(id: string, change: Partial<Ask> = {}): Ask {
  const identifiers = [`${id}.shop.example`];
  return {
    id,
    account,
    identifiers,
    class: 'new',
    urgency: 'new',
    deadline: Number.POSITIVE_INFINITY,
    tenant: 'team',
    since: 0,
    ...change,
  };
}

const oneAtATime = (emissionMs: number): Limits => {
  return { limits: { newOrdersPerAccount: { burst: 1, emissionMs } }, overrides: [] };
};
const idle = () => undefined;

describe('a CA without limits', () => {
  it('admits at once, without a timer', async () => {
    const desk = deskOf(noLimits);
    const kinds = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => (await desk.ask(ask(`a${n}`), idle)).kind),
    );
    expect(new Set(kinds)).toEqual(new Set(['admitted']));
    expect(desk.waits).toEqual([]);
  });

  it('has equal needs follow each other', async () => {
    const desk = deskOf(noLimits);
    const identifiers = ['same.shop.example'];
    expect((await desk.ask(ask('first', { identifiers }), idle)).kind).toBe('admitted');
    const { promise, resolve } = Promise.withResolvers<void>();
    const second = await desk.ask(ask('second', { identifiers }), resolve);
    expect(second).toMatchObject({ kind: 'waiting', wait: { limit: 'equalNeed' } });
    desk.ledger.issued('first', Date.now());
    desk.changed();
    await promise;
    expect(desk.place('second')).toEqual({ kind: 'admitted' });
  });
});

describe('a CA with limits', () => {
  it('weighs those that come together, whoever was first', async () => {
    const desk = deskOf(oneAtATime(60_000));
    const [late, urgent] = await Promise.all([
      desk.ask(ask('late'), idle),
      desk.ask(ask('urgent', { urgency: 'urgent', deadline: 1 }), idle),
    ]);
    expect([late.kind, urgent.kind]).toEqual(['waiting', 'admitted']);
    expect(desk.waits).toEqual(['newOrdersPerAccount']);
  });

  it('wakes who waits when a unit is free again', async () => {
    const desk = deskOf(oneAtATime(100));
    await desk.ask(ask('a'), idle);
    desk.ledger.placed('a', Date.now());
    const { promise, resolve } = Promise.withResolvers<void>();
    expect((await desk.ask(ask('b'), resolve)).kind).toBe('waiting');
    await promise;
    expect(desk.place('b')).toEqual({ kind: 'admitted' });
    expect((await desk.ask(ask('b'), idle)).kind).toBe('admitted');
  });

  it('gives the place of one that leaves to the next', async () => {
    const desk = deskOf(oneAtATime(60_000));
    await desk.ask(ask('a'), idle);
    const { promise, resolve } = Promise.withResolvers<void>();
    await desk.ask(ask('b'), resolve);
    desk.leave('a');
    await promise;
    expect([desk.place('a'), desk.place('b')]).toEqual([undefined, { kind: 'admitted' }]);
  });

  it('takes an admission back that the CA has refused in the meantime to another of the account', async () => {
    const desk = deskOf(oneAtATime(1));
    await desk.ask(ask('a'), idle);
    const now = Date.now();
    desk.ledger.told(ask('other'), { status: 429, limit: 'unheard-of', retryAt: now + 60_000 }, now);
    expect(await desk.ask(ask('a'), idle)).toMatchObject({ kind: 'waiting', wait: { limit: 'accountHeld' } });
  });

  it('tells who still waits for an answer when it closes', async () => {
    const desk = deskOf(oneAtATime(60_000));
    const answer = desk.ask(ask('a'), idle);
    desk[Symbol.dispose]();
    expect(await answer).toEqual({ kind: 'gone' });
  });
});
