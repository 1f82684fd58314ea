// Delays against the simplest thing that could be right: a map, sorted on each look.

import { describe, expect, test } from 'vitest';
import { Delays } from '../../src/queue/delays.ts';
import { seeded } from './seeded.ts';

describe('delays', () => {
  test.each(Array.from({ length: 50 }, (_, seed) => seed))('agree with a sorted map, seed %i', (seed) => {
    const random = seeded(seed);
    const delays = new Delays();
    const model = new Map<string, number>();
    for (let step = 0; step < 400; step += 1) {
      if (random.below(3) > 0) {
        const key = `k${random.below(40)}`;
        const at = random.below(1000);
        delays.put(key, at, 'live');
        model.set(key, Math.min(at, model.get(key) ?? Number.POSITIVE_INFINITY));
      } else {
        const now = random.below(1000);
        const earliest = Math.min(...model.values());
        const taken = delays.takeDue(now);
        if (earliest > now) expect(taken).toBeUndefined();
        else {
          expect(taken?.at).toBe(earliest);
          expect(model.get(taken?.key ?? '')).toBe(earliest);
          model.delete(taken?.key ?? '');
        }
      }
      expect(delays.size).toBe(model.size);
      expect(delays.earliest).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
    }
  });

  test('a key keeps the higher of its priorities', () => {
    const delays = new Delays();
    delays.put('a', 5, 'initial');
    delays.put('a', 9, 'live');
    delays.put('a', 9, 'initial');
    expect(delays.takeDue(5)).toEqual({ key: 'a', at: 5, priority: 'live' });
  });
});
