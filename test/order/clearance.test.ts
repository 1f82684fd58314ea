// What the machine makes of a limited CA: an order whose paths answer waits in line, and asks nothing of the CA before it is admitted.

import { describe, expect, it } from 'vitest';
import type { CaOrder, CaProblem } from '../../src/order/ca.ts';
import type { OrderFact, OrderState } from '../../src/order/state.ts';
import { effectOf, step } from '../../src/order/step.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const minute = 60_000;
const cleared: OrderState = { kind: 'cleared', at: now, walked: true };
const admitted: OrderFact = { kind: 'admitted' };
const order: CaOrder = {
  url: 'https://ca/order/1',
  status: 'pending',
  identifiers: [{ type: 'dns', value: 'foo.com' }],
  authorizations: ['https://ca/authz/1'],
  finalize: 'https://ca/finalize/1',
};

function limited(until: number, reason = 'RateLimited'): OrderFact {
  return { kind: 'limited', reason, message: 'newOrdersPerAccount of https://ca/acct/1', until };
}

describe('a cleared order', () => {
  it('asks for its turn before it asks the CA', () => {
    expect(effectOf(cleared, now)).toEqual({ kind: 'admit', replacing: 'asWished' });
    expect(effectOf(step(cleared, admitted, now), now)).toEqual({ kind: 'place', replacing: 'asWished' });
  });

  it('waits while it is limited, says for what, and asks again', () => {
    const state = step(cleared, limited(now + 30_000), now);
    expect(state).toMatchObject({ wait: { reason: 'RateLimited', message: expect.stringContaining('/acct/1') } });
    expect(effectOf(state, now + 29_999)).toEqual({ kind: 'wait', until: now + 30_000 });
    expect(effectOf(state, now + 30_000).kind).toBe('admit');
  });

  it.each([
    [minute, 'place'],
    [minute + 1, 'preflight'],
    // The clock was set back meanwhile.
    [-2 * minute, 'preflight'],
  ])('that is admitted %i ms after its paths answered goes on with %s', (after, effect) => {
    expect(effectOf(step(cleared, admitted, now + after), now + after).kind).toBe(effect);
  });

  it('is admitted at once behind the second walk', () => {
    const late = now + 3 * minute;
    const again = step(step(cleared, admitted, late), { kind: 'cleared', walked: true }, late);
    expect(effectOf(again, late).kind).toBe('admit');
    expect(effectOf(step(again, admitted, late), late).kind).toBe('place');
  });

  it('keeps the count of what the CA refused, which the line does not add to', () => {
    const waits: number[] = [];
    let state: OrderState = cleared;
    const unsent: CaProblem = { kind: 'network', detail: 'refused', sent: 'no' };
    for (let n = 0; n < 3; n++) {
      state = step(step(state, limited(now), now), admitted, now);
      state = step(state, { kind: 'problem', problem: unsent }, now);
      waits.push(('wait' in state ? (state.wait?.until ?? 0) : 0) - now);
      state = step(state, { kind: 'cleared', walked: true }, now);
    }
    expect(waits).toEqual([500, 1_000, 2_000]);
  });

  it('loses its admission with its turn', () => {
    const state = step(step(cleared, admitted, now), limited(now + 1), now);
    expect(effectOf(state, now + 1).kind).toBe('admit');
  });

  it('marks the wait of the line, and no other', () => {
    const inLine = step(cleared, limited(now + minute), now);
    const refused: CaProblem = { kind: 'rateLimited', detail: 'too many', retryAt: now + minute };
    const told = step(step(inLine, admitted, now), { kind: 'problem', problem: refused }, now);
    expect(inLine).toHaveProperty('wait.inLine', true);
    expect(told).not.toHaveProperty('wait.inLine');
    expect(effectOf(told, now + minute).kind).toBe('preflight');
  });
});

it.each<[string, OrderState]>([
  ['intended', { kind: 'intended', asked: 'no' }],
  ['placed', { kind: 'placed', order }],
  ['ready', { kind: 'ready', order }],
  ['failed', { kind: 'failed', phase: 'invalid', reason: 'no' }],
])('a turn in the line is nothing to an order that is %s', (_, state) => {
  expect(step(state, admitted, now)).toBe(state);
  expect(step(state, limited(now + minute), now)).toBe(state);
});
