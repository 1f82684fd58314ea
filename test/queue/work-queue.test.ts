// What the queue promises, each by name, with real timers of a few milliseconds and gates instead of sleeps.

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Outcome, WorkQueue, type WorkQueueOptions } from '../../src/queue/work-queue.ts';
import { seeded } from './seeded.ts';

const settled: Outcome = { kind: 'settled' };

interface Bench {
  readonly queue: WorkQueue;
  readonly runs: string[];
  readonly errors: unknown[];
  /** Lets the oldest run of that key end. */
  finish(key: string, outcome?: Outcome): Promise<void>;
  /** Resolves when that many runs have started. */
  started(count: number): Promise<void>;
}

/** A queue whose runs end when the test says so. */
function bench(options: Partial<WorkQueueOptions> = {}): Bench {
  const runs: string[] = [];
  const errors: unknown[] = [];
  const gates = new Map<string, ((outcome: Outcome) => void)[]>();
  let watchers: { readonly count: number; readonly resolve: () => void }[] = [];
  const queue = new WorkQueue({
    concurrency: 1,
    run: (key) => {
      runs.push(key);
      for (const watcher of watchers.filter((w) => runs.length >= w.count)) watcher.resolve();
      watchers = watchers.filter((w) => runs.length < w.count);
      return new Promise((resolve) => gates.set(key, [...(gates.get(key) ?? []), resolve]));
    },
    onError: (_, error) => errors.push(error),
    ...options,
  });
  return {
    queue,
    runs,
    errors,
    finish: async (key, outcome = settled) => {
      const [gate, ...rest] = gates.get(key) ?? [];
      if (gate === undefined) throw new Error(`${key} is not at work`);
      gates.set(key, rest);
      gate(outcome);
      await delay(0);
    },
    started: (count) =>
      runs.length >= count ? Promise.resolve() : new Promise((resolve) => watchers.push({ count, resolve })),
  };
}

describe('keys', () => {
  test('a key that waits already is not added twice', async () => {
    const { queue, runs, finish } = bench();
    queue.add('busy');
    for (const key of ['a', 'a', 'b', 'a']) queue.add(key);
    expect(queue.depth).toBe(2);
    await finish('busy');
    await finish('a');
    await finish('b');
    expect(runs).toEqual(['busy', 'a', 'b']);
    await queue.idle();
  });

  test('a key added during its run runs once more, after it', async () => {
    const { queue, runs, finish } = bench({ concurrency: 4 });
    queue.add('a');
    queue.add('a');
    queue.add('a');
    expect(runs).toEqual(['a']);
    await finish('a');
    expect(runs).toEqual(['a', 'a']);
    await finish('a');
    expect(runs).toEqual(['a', 'a']);
    expect(queue.depth).toBe(0);
  });

  test('no more run at once than the concurrency allows', async () => {
    const { queue, runs, finish } = bench({ concurrency: 2 });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    expect([runs.length, queue.active, queue.depth]).toEqual([2, 2, 1]);
    await finish('b');
    expect(runs).toEqual(['a', 'b', 'c']);
  });
});

describe('priorities', () => {
  test('live keys overtake initial ones', async () => {
    const { queue, runs, finish } = bench();
    queue.add('busy');
    for (const key of ['i1', 'i2']) queue.add(key, { priority: 'initial' });
    queue.add('l1');
    await finish('busy');
    await finish('l1');
    await finish('i1');
    expect(runs).toEqual(['busy', 'l1', 'i1', 'i2']);
  });

  test('an initial key that is edited becomes live, and stays so', async () => {
    const { queue, runs, finish } = bench();
    queue.add('busy');
    for (const key of ['i1', 'i2', 'i3']) queue.add(key, { priority: 'initial' });
    queue.add('i3');
    queue.add('i3', { priority: 'initial' });
    await finish('busy');
    await finish('i3');
    await finish('i1');
    expect(runs).toEqual(['busy', 'i3', 'i1', 'i2']);
  });

  test('an edit during the run of an initial key is live', async () => {
    const { queue, runs, finish } = bench();
    queue.add('a', { priority: 'initial' });
    queue.add('b', { priority: 'initial' });
    queue.add('a', { priority: 'initial' });
    queue.add('a');
    await finish('a');
    expect(runs).toEqual(['a', 'a']);
  });
});

describe('delays', () => {
  test('an instant in the past runs at once', () => {
    const { queue, runs } = bench();
    queue.add('a', { at: Date.now() - 1 });
    queue.add('b', { at: 0 });
    expect([runs, queue.depth]).toEqual([['a'], 1]);
  });

  test('a key never runs before its instant, and within milliseconds after it', async () => {
    const startedAt = new Map<string, number>();
    await using queue = new WorkQueue({
      concurrency: 100,
      run: async (key) => {
        startedAt.set(key, Date.now());
        return settled;
      },
      onError: () => undefined,
    });
    const base = Date.now() + 5;
    for (let i = 0; i < 20; i += 1) queue.add(`k${i}`, { at: base + i * 3 });
    await expect.poll(() => startedAt.size, { interval: 1 }).toBe(20);
    const late = [...startedAt].map(([key, at]) => at - (base + Number(key.slice(1)) * 3));
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(late.sort((a, b) => a - b)[10]).toBeLessThan(10);
  });

  test('of several instants for one key the earliest holds', async () => {
    const { queue, runs, started } = bench();
    const begun = Date.now();
    queue.add('a', { at: begun + 3_600_000 });
    queue.add('a', { at: begun + 15 });
    queue.add('a', { at: begun + 7_200_000 });
    expect(queue.delayed).toBe(1);
    await started(1);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(15);
    expect([runs, queue.delayed]).toEqual([['a'], 0]);
  });

  test('an instant that comes during the run makes it run once more', async () => {
    const { queue, finish, started } = bench();
    queue.add('a');
    queue.add('a', { at: Date.now() + 5 });
    await expect.poll(() => queue.delayed, { interval: 1 }).toBe(0);
    await finish('a');
    await started(2);
  });

  test('a run that asks for a revisit is run again at that instant', async () => {
    const { queue, finish, started } = bench();
    queue.add('a');
    const at = Date.now() + 20;
    await finish('a', { kind: 'revisit', at });
    await started(2);
    expect(Date.now()).toBeGreaterThanOrEqual(at);
  });

  test('a thousand delayed keys need one timer', () => {
    const { queue } = bench();
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    for (let i = 0; i < 1000; i += 1) queue.add(`k${i}`, { at: Date.now() + 3_600_000 - i * 1000 });
    expect(timers() - before).toBe(1);
    void queue[Symbol.asyncDispose]();
    expect(timers()).toBe(before);
  });

  test('an instant beyond the reach of setTimeout does not fire early', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error) => warnings.push(warning.name);
    process.on('warning', listen);
    const { queue, runs, started } = bench();
    queue.add('renewal', { at: Date.now() + 90 * 86_400_000 });
    queue.add('soon', { at: Date.now() + 10 });
    await started(1);
    process.off('warning', listen);
    expect([runs, queue.delayed, warnings]).toEqual([['soon'], 1, []]);
    await Promise.race([queue[Symbol.asyncDispose](), delay(0)]);
  });
});

describe('retries', () => {
  test('the back-off doubles up to its limit', async () => {
    const starts: number[] = [];
    await using queue = new WorkQueue({
      concurrency: 1,
      backoff: { baseMs: 4, maxMs: 40 },
      random: () => 0.5,
      run: async () => {
        starts.push(performance.now());
        return starts.length > 5 ? settled : { kind: 'retry', why: 'test' };
      },
      onError: () => undefined,
    });
    queue.add('a');
    await expect.poll(() => starts.length, { interval: 1 }).toBe(6);
    const waits = starts.slice(1).map((at, i) => at - (starts[i] ?? 0));
    for (const [i, ms] of [4, 8, 16, 32, 40].entries()) expect(waits[i]).toBeGreaterThanOrEqual(ms - 1.5);
    expect(waits[4]).toBeLessThan(400);
  });

  test.each(['settled', 'revisit'] as const)('%s resets it', async (kind) => {
    const { queue, finish, started } = bench({ backoff: { baseMs: 40, maxMs: 100_000 }, random: () => 0.5 });
    queue.add('a');
    for (let i = 2; i <= 3; i += 1) {
      await finish('a', { kind: 'retry', why: 'test' });
      await started(i);
    }
    await finish('a', kind === 'revisit' ? { kind, at: 0 } : { kind });
    if (kind === 'settled') queue.add('a');
    await started(4);
    const failedAt = Date.now();
    await finish('a', { kind: 'retry', why: 'test' });
    await started(5);
    // Forty, not a hundred and sixty.
    expect(Date.now() - failedAt).toBeGreaterThanOrEqual(39);
    expect(Date.now() - failedAt).toBeLessThan(150);
  });

  test('a run that throws is reported and retried', async () => {
    const errors: unknown[] = [];
    let runs = 0;
    const queue = new WorkQueue({
      concurrency: 1,
      backoff: { baseMs: 1, maxMs: 1 },
      run: async () => {
        runs += 1;
        if (runs === 1) throw new Error('a bug');
        return settled;
      },
      onError: (key, error) => errors.push([key, error]),
    });
    queue.add('a');
    await expect.poll(() => runs, { interval: 1 }).toBe(2);
    expect(errors).toEqual([['a', new Error('a bug')]]);
  });

  test('a run that throws before its first await, and a reporter that throws, stop nothing', async () => {
    const warned = new Promise((resolve) => process.once('warning', resolve));
    let runs = 0;
    const queue = new WorkQueue({
      concurrency: 1,
      backoff: { baseMs: 1, maxMs: 1 },
      run: () => {
        runs += 1;
        if (runs === 1) throw new Error('a bug');
        return Promise.resolve(settled);
      },
      onError: () => {
        throw new Error('a bug in the logger');
      },
    });
    queue.add('a');
    await expect.poll(() => runs, { interval: 1 }).toBe(2);
    await warned;
  });

  test('an edit does not wait for the back-off', async () => {
    const { queue, finish, started } = bench({ backoff: { baseMs: 3_600_000, maxMs: 3_600_000 } });
    queue.add('a');
    await finish('a', { kind: 'retry', why: 'test' });
    expect(queue.delayed).toBe(1);
    queue.add('a');
    await started(2);
    await Promise.race([queue[Symbol.asyncDispose](), delay(0)]);
  });
});

describe('the end', () => {
  test('disposal waits for what runs and starts nothing more', async () => {
    const { queue, runs, finish } = bench();
    queue.add('a');
    queue.add('a');
    queue.add('b');
    let over = false;
    const end = queue[Symbol.asyncDispose]().then(() => {
      over = true;
    });
    queue.add('c');
    await delay(0);
    expect(over).toBe(false);
    await finish('a', { kind: 'retry', why: 'test' });
    await end;
    expect([runs, queue.depth, queue.delayed]).toEqual([['a'], 0, 0]);
  });

  test('idle does not wait for delayed keys', async () => {
    const { queue } = bench();
    queue.add('a', { at: Date.now() + 3_600_000 });
    await queue.idle();
    await queue[Symbol.asyncDispose]();
  });
});

describe('properties', () => {
  test.each(Array.from({ length: 30 }, (_, seed) => seed + 1))(
    'no key runs twice at once and no add is lost, seed %i',
    async (seed) => {
      const random = seeded(seed);
      const keys = ['a', 'b', 'c', 'd', 'e'];
      const running = new Set<string>();
      const asked: { readonly key: string; readonly when: number }[] = [];
      let sequence = 0;
      const startSequence = new Map<string, number>();
      let most = 0;
      const concurrency = 1 + random.below(3);
      await using queue = new WorkQueue({
        concurrency,
        backoff: { baseMs: 1, maxMs: 8 },
        random: random.next,
        onError: () => undefined,
        run: async (key) => {
          expect(running.has(key)).toBe(false);
          running.add(key);
          most = Math.max(most, running.size);
          sequence += 1;
          startSequence.set(key, sequence);
          if (random.below(2) === 0) await delay(random.below(4));
          running.delete(key);
          const dice = random.below(10);
          if (dice === 0) throw new Error('chance');
          if (dice === 1) return { kind: 'retry', why: 'chance' };
          if (dice === 2) return { kind: 'revisit', at: Date.now() + random.below(6) };
          return settled;
        },
      });
      for (let i = 0; i < 120; i += 1) {
        const key = random.pick(keys);
        const at = random.below(2) === 0 ? Date.now() - 5 + random.below(15) : undefined;
        const priority = random.pick(['live', 'initial'] as const);
        sequence += 1;
        asked.push({ key, when: sequence });
        queue.add(key, at === undefined ? { priority } : { priority, at });
        if (random.below(4) === 0) await delay(random.below(3));
      }
      await expect.poll(() => queue.delayed + queue.depth + queue.active, { interval: 2, timeout: 5_000 }).toBe(0);
      expect(most).toBeLessThanOrEqual(concurrency);
      // After each add, whatever it asked for, a run of that key began.
      for (const { key, when } of asked) expect(startSequence.get(key) ?? 0).toBeGreaterThan(when);
    },
  );
});
