// What is learned of a CA's clock from the dates of its replies, on a steady clock that the test turns.

import { describe, expect, it } from 'vitest';
import { caClock } from '../../src/acme/ca-clock.ts';

const noon = Date.parse('2026-11-21T12:00:00Z');
const hour = 3_600_000;

function ticking(start: number) {
  let at = start;
  const clock = caClock(() => at);
  const reply = (date: number, tookMs: number, more: Record<string, string> = {}) => {
    at += tookMs;
    clock.learn({ date: new Date(date).toUTCString(), ...more }, tookMs);
  };
  return { clock, reply, at: () => at };
}

describe("a CA's clock", () => {
  it('is our own until a reply proves it wrong', () => {
    const { clock, reply, at } = ticking(noon + 400);
    expect(clock.now()).toBe(noon + 400);
    // Written within the second that ours is in.
    reply(noon, 100);
    expect(clock.now()).toBe(at());
  });

  it.each([
    ['ahead', hour],
    ['behind', -hour],
  ])('is followed where it is %s, to within the second that a Date names', (_, skew) => {
    const { clock, reply, at } = ticking(noon);
    reply(noon + skew, 200);
    expect(Math.abs(clock.now() - (at() + skew))).toBeLessThanOrEqual(1_000);
  });

  it('is known better with each reply, and never jumps while what is known is possible', () => {
    const { clock, reply, at } = ticking(noon + 900);
    // Theirs is 700 ms ahead.
    reply(noon + 1_000, 50);
    const first = clock.now() - at();
    expect(first).toBeGreaterThanOrEqual(50);
    reply(noon + 1_000, 50);
    expect(clock.now() - at()).toBe(first);
  });

  it('is not read from what a cache has kept, nor from what is no date', () => {
    const { clock, reply, at } = ticking(noon);
    reply(noon - 24 * hour, 10, { age: '86400' });
    clock.learn({ date: 'yesterday' }, 10);
    clock.learn({}, 10);
    expect(clock.now()).toBe(at());
  });
});
