// How much of what a CA gives the desk uses, in a time that the test itself lets pass: what orders do between their admission and the CA must not leave
// units unused.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Desk } from '../../src/apply/budget-desk.ts';
import type { Ask } from '../../src/budget/ask.ts';

const rate = { burst: 30, emissionMs: 400 };
const count = 300;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Pace {
  /** From the admission until the CA's answer, ms. */
  readonly askingMs: number;
  /** For a look at its paths, by an order that has waited for a minute, ms. */
  readonly lookingMs: number;
}

/** The part of the CA that was used. */
async function used({ askingMs, lookingMs }: Pace): Promise<number> {
  const bugs: unknown[] = [];
  const limits = { limits: { newOrdersPerAccount: rate }, overrides: [] };
  using desk = new Desk({ limits, now: Date.now, onWait: () => undefined, onBug: (bug) => void bugs.push(bug) });
  const begun = Date.now();
  let last = 0;
  const live = async (ask: Ask) => {
    const turn = Promise.withResolvers<void>();
    if ((await desk.ask(ask, turn.resolve)).kind === 'waiting') {
      await turn.promise;
      if (Date.now() - begun > 60_000) await pass(lookingMs);
      expect((await desk.ask(ask, () => undefined)).kind).toBe('admitted');
    }
    await pass(askingMs);
    desk.ledger.placed(ask.id, Date.now());
    desk.spent(ask.id);
    last = Math.max(last, Date.now());
  };
  const all = Array.from({ length: count }, (_, n) => {
    const identifiers = [`w${n}.shop.test`];
    const common = { id: `order-${n}`, account: 'https://ca.test/acct/1', identifiers, since: 0, deadline: n };
    return live({ ...common, class: 'new', urgency: 'new', tenant: `team-${n % 10}` });
  });
  await vi.advanceTimersByTimeAsync(400_000);
  await Promise.all(all);
  expect(bugs).toEqual([]);
  return ((count - rate.burst) * rate.emissionMs) / (last - begun);
}

it.each<[string, Pace]>([
  ['answers at once', { askingMs: 50, lookingMs: 50 }],
  ['takes its time', { askingMs: 1_000, lookingMs: 300 }],
  ['answers orders whose paths take long to be looked at again', { askingMs: 300, lookingMs: 2_000 }],
])('a CA that %s is used to 97 percent at least', { timeout: 60_000 }, async (_, pace) => {
  const share = await used(pace);
  console.log(`${(share * 100).toFixed(1)} % used`);
  expect(share).toBeGreaterThanOrEqual(0.97);
});
