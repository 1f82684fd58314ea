// Whose turn it is to look, and when a name is looked at again.

import { describe, expect, test } from 'vitest';
import { checkSlots } from '../../src/solve/check-slots.ts';
import { nextPreflight } from '../../src/solve/next-preflight.ts';

const { signal } = new AbortController();

/** The names of those who wait, in the order of their turns; each lets go at once. */
async function orderOf(wishes: readonly (readonly [name: string, namespace: string, tried: number])[]) {
  const slots = checkSlots({ most: 1, mostAgain: 1 });
  const busy = await slots.enter('busy', 0, signal);
  const turns: string[] = [];
  const all = wishes.map(async ([name, namespace, tried]) => {
    using _ = await slots.enter(namespace, tried, signal);
    turns.push(name);
  });
  busy?.[Symbol.dispose]();
  await Promise.all(all);
  expect(slots.taken).toBe(0);
  return turns;
}

describe('turns', () => {
  test('go round the namespaces, first come first served within each', async () => {
    const turns = await orderOf([
      ['a1', 'a', 0],
      ['a2', 'a', 0],
      ['a3', 'a', 0],
      ['b1', 'b', 0],
      ['b2', 'b', 0],
      ['c1', 'c', 0],
    ]);
    expect(turns).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  test('are for first looks before repeated ones', async () => {
    const turns = await orderOf([
      ['again', 'a', 3],
      ['again too', 'b', 1],
      ['first', 'a', 0],
    ]);
    expect(turns).toEqual(['first', 'again', 'again too']);
  });

  test('leave room for first looks whatever is repeated', async () => {
    const slots = checkSlots({ most: 4, mostAgain: 2 });
    const dead = [slots.enter('dead', 1, signal), slots.enter('dead', 1, signal), slots.enter('dead', 1, signal)];
    const held = await Promise.all(dead.slice(0, 2));
    expect(slots.taken).toBe(2);
    expect(await slots.enter('dead', 0, signal)).toBeDefined();
    expect(await slots.enter('dead', 0, signal)).toBeDefined();
    expect(slots.taken).toBe(4);
    held[0]?.[Symbol.dispose]();
    expect(await dead[2]).toBeDefined();
    expect(slots.taken).toBe(4);
  });

  test('are given up by those who are called off, and a slot is given back once', async () => {
    const slots = checkSlots({ most: 1 });
    const first = await slots.enter('a', 0, signal);
    const stopping = new AbortController();
    const waiting = slots.enter('a', 0, stopping.signal);
    stopping.abort();
    expect(await waiting).toBeUndefined();
    expect(await slots.enter('a', 0, stopping.signal)).toBeUndefined();
    first?.[Symbol.dispose]();
    first?.[Symbol.dispose]();
    expect(slots.taken).toBe(0);
    expect(await slots.enter('b', 0, signal)).toBeDefined();
    expect(slots.taken).toBe(1);
  });

  test('200 dead names that hold a slot each time leave 60 living ones what they need', async () => {
    const slots = checkSlots({ most: 8, mostAgain: 4 });
    const ends: (() => void)[] = [];
    let living = 0;
    for (let index = 0; index < 200; index += 1) {
      void slots.enter('dead', 1, signal).then((slot) => ends.push(() => slot?.[Symbol.dispose]()));
    }
    for (let index = 0; index < 60; index += 1) {
      void slots.enter('living', 0, signal).then((slot) => {
        living += 1;
        slot?.[Symbol.dispose]();
      });
    }
    await new Promise(setImmediate);
    expect(living).toBe(60);
    expect(ends).toHaveLength(4);
  });
});

describe('the next look', () => {
  test.each([
    ['dns', 5_000],
    ['address', 5_000],
    ['redirect', 5_000],
    ['timeout', 2_000],
    ['connect', 500],
    ['body', 50],
  ] as const)('after %s grows from %i ms to ten minutes', (kind, first) => {
    const at = (attempts: number) => nextPreflight({ kind, message: '' }, attempts, 1_000) - 1_000;
    expect([1, 2, 3].map(at)).toEqual([first, 2 * first, 4 * first]);
    expect(at(30)).toBe(600_000);
    expect(at(10_000)).toBe(600_000);
  });
});
