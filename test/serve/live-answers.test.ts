// Live reads behind the responder: shared, bounded in time and number, and never the reason for a failure.

import { describe, expect, test } from 'vitest';
import type { PendingOrder } from '../../src/serve/answers.ts';
import { LiveAnswers, type LiveAnswersOptions } from '../../src/serve/live-answers.ts';
import { until } from '../rig/wait.ts';

const order: PendingOrder = { tokens: ['t', 't1', 't2', 't3'], thumbprint: 'A' };
const other: PendingOrder = { tokens: [], thumbprint: 'B' };
const nothing = { orders: () => [] };

/** A server of Orders that answers when told to. */
function slowReads() {
  const waiting = new Map<string, (orders: readonly PendingOrder[]) => void>();
  const read = (host: string) => new Promise<readonly PendingOrder[]>((resolve) => waiting.set(host, resolve));
  return { waiting, read };
}

function answers(options: Partial<LiveAnswersOptions>) {
  return new LiveAnswers({
    known: nothing,
    expected: () => true,
    read: async () => [],
    onError: () => undefined,
    ...options,
  });
}

describe('LiveAnswers', () => {
  test('reads nothing where the caches know', async () => {
    const live = answers({ known: { orders: () => [order] }, read: () => Promise.reject(new Error('read')) });
    expect(await live.lookup('a.com', 't')).toBe('t.A');
  });

  test('reads nothing for what is no token', async () => {
    const { waiting, read } = slowReads();
    expect(await answers({ read }).lookup('a.com', '../x')).toBeUndefined();
    expect(waiting.size).toBe(0);
  });

  test('answers from a live read what the caches do not know yet', async () => {
    expect(await answers({ read: async () => [order] }).lookup('a.com', 't')).toBe('t.A');
  });

  test('reads nothing for a host that no Certificate names', async () => {
    const { waiting, read } = slowReads();
    expect(await answers({ read, expected: () => false }).lookup('a.com', 't')).toBeUndefined();
    expect(waiting.size).toBe(0);
  });

  test.each([
    ['an order', [order], 't2.A'],
    ['nothing', [], undefined],
  ])('a read that gave %s serves what is asked within the next second', async (_, orders, expected) => {
    let reads = 0;
    const live = answers({
      read: async () => {
        reads += 1;
        return orders;
      },
    });
    await live.lookup('a.com', 't1');
    expect(await live.lookup('a.com', 't2')).toBe(expected);
    expect(reads).toBe(1);
  });

  test('shares one read between all requests for a host, and reads again afterwards', async () => {
    const { waiting, read } = slowReads();
    let reads = 0;
    const live = answers({
      pauseMs: 0,
      shortPauseMs: 0,
      read: (host) => {
        reads += 1;
        return read(host);
      },
    });
    const asked = ['t1', 't2', 't3'].map((token) => live.lookup('a.com', token));
    waiting.get('a.com')?.([order]);
    expect(await Promise.all(asked)).toEqual(['t1.A', 't2.A', 't3.A']);
    expect(reads).toBe(1);
    expect(live.reading).toBe(0);
    const again = live.lookup('a.com', 't');
    waiting.get('a.com')?.([]);
    expect(await again).toBeUndefined();
    expect(reads).toBe(2);
  });

  test('a token that an earlier read did not know is read for again, as it may have been written since', async () => {
    const tokens: string[] = [];
    let reads = 0;
    const read = async () => {
      reads += 1;
      return [{ tokens: [...tokens], thumbprint: 'A' }, other];
    };
    const live = answers({ read, shortPauseMs: 20 });
    expect(await live.lookup('a.com', 't')).toBeUndefined();
    tokens.push('t');
    const since = performance.now();
    expect(await Promise.all(Array.from({ length: 5 }, () => live.lookup('a.com', 't')))).toEqual(Array(5).fill('t.A'));
    expect(performance.now() - since).toBeGreaterThan(10);
    expect(reads).toBe(2);
  });

  test('a read that began before the request came is followed by another where it does not know the token', async () => {
    const waiting: ((orders: readonly PendingOrder[]) => void)[] = [];
    const read = () => new Promise<readonly PendingOrder[]>((resolve) => waiting.push(resolve));
    const live = answers({ read, shortPauseMs: 0 });
    const both = (tokens: readonly string[]) => [{ tokens, thumbprint: 'A' }, other];
    const early = live.lookup('a.com', 't');
    const late = live.lookup('a.com', 't');
    waiting[0]?.(both([]));
    expect(await early).toBeUndefined();
    await until('the second read', () => waiting.length === 2);
    waiting[1]?.(both(['t']));
    expect(await late).toBe('t.A');
    expect(live.reading).toBe(0);
  });

  test('a host without unfinished Orders is read for once a second, whatever is asked', async () => {
    let reads = 0;
    const live = answers({
      shortPauseMs: 0,
      read: async () => {
        reads += 1;
        return [];
      },
    });
    for (const token of ['a', 'b', 'c']) expect(await live.lookup('a.com', token)).toBeUndefined();
    expect(reads).toBe(1);
  });

  test('reads for few hosts at once and answers the others as unknown', async () => {
    const { waiting, read } = slowReads();
    const live = answers({ read, mostReads: 2 });
    const first = live.lookup('a.com', 't');
    const second = live.lookup('b.com', 't');
    expect(await live.lookup('c.com', 't')).toBeUndefined();
    waiting.get('a.com')?.([order]);
    expect(await first).toBe('t.A');
    const third = live.lookup('c.com', 't');
    for (const host of ['b.com', 'c.com']) waiting.get(host)?.([order]);
    expect(await Promise.all([second, third])).toEqual(['t.A', 't.A']);
  });

  test('gives up on a read that takes too long, and cancels it', async () => {
    const errors: unknown[] = [];
    const signals: AbortSignal[] = [];
    const read = (_: string, signal: AbortSignal) => {
      signals.push(signal);
      return new Promise<never>(() => undefined);
    };
    const live = answers({ read, longestReadMs: 20, onError: (error) => errors.push(error) });
    expect(await live.lookup('a.com', 't')).toBeUndefined();
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    expect(errors).toEqual([expect.objectContaining({ message: 'the live read of Orders took too long' })]);
    expect(live.reading).toBe(0);
  });

  test('answers as unknown when the read fails', async () => {
    const errors: unknown[] = [];
    const live = answers({
      read: () => Promise.reject(new Error('forbidden')),
      onError: (error) => errors.push(error),
    });
    expect(await live.lookup('a.com', 't')).toBeUndefined();
    expect(errors).toHaveLength(1);
  });
});
