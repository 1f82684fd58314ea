// Nonces against a Pebble that refuses every fifth good one, with many orders at once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Action } from '../../src/acme/http.ts';
import { nonceOf, nonces } from '../../src/acme/nonces.ts';
import { type OwnCa, startOwnCa } from './own-ca.ts';
import { issue, newSession } from './steps.ts';

describe('with every fifth nonce refused', () => {
  let ca: OwnCa;
  beforeAll(async () => {
    ca = await startOwnCa({ env: { PEBBLE_WFE_NONCEREJECT: '20' } });
  }, 120_000);
  afterAll(() => ca[Symbol.asyncDispose]());

  test('twenty orders at once are all issued, eight requests at a time, with few nonces asked for', async () => {
    const asked: Action[] = [];
    await using endpoint = ca.open({ onRequest: ({ action }) => void asked.push(action) });
    const session = await newSession(endpoint);
    const names = Array.from({ length: 20 }, (_, index) => `parallel-${index}.example.com`);
    const issued = await Promise.all(names.map((name) => issue(session, [name], ca.answers)));
    expect(new Set(issued.map(({ order }) => order)).size).toBe(20);
    expect(asked.filter((action) => action === 'directory')).toHaveLength(1);
    expect(asked.filter((action) => action === 'newNonce').length).toBeLessThanOrEqual(8);
  });
});

describe('the pool', () => {
  test('gives the newest first and each only once', () => {
    const pool = nonces();
    pool.put('first', 0);
    pool.put('second', 1);
    expect([pool.take(2), pool.take(2), pool.take(2)]).toEqual(['second', 'first', undefined]);
  });

  test('drops nonces that are older than five minutes', () => {
    const pool = nonces();
    pool.put('old', 0);
    pool.put('young', 200_000);
    expect(pool.take(300_000)).toBe('young');
    expect(pool.take(300_000)).toBeUndefined();
  });

  test('keeps sixty-four', () => {
    const pool = nonces();
    for (let count = 0; count < 100; count += 1) pool.put(`n${count}`, 0);
    const taken = Array.from({ length: 100 }, () => pool.take(0));
    expect(taken.filter((nonce) => nonce !== undefined)).toHaveLength(64);
    expect(taken[0]).toBe('n99');
  });

  test.each([
    ['a-Z_9', 'a-Z_9'],
    ['', undefined],
    ['with space', undefined],
    ['padded==', undefined],
    ['x'.repeat(513), undefined],
  ])('takes %j from a reply as %j', (header, nonce) => {
    expect(nonceOf({ 'replay-nonce': header })).toBe(nonce);
  });
});
