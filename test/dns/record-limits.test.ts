// How long looks that write records go on, beside what one webhook may take.

import { expect, test } from 'vitest';
import { longestPresentMs, longestRemovalMs } from '../../src/apply/record-limits.ts';
import { longestCallMs } from '../../src/dns/webhook.ts';

test('a webhook’s own time is never cut short by the look', () => {
  expect(longestRemovalMs).toBe(longestCallMs);
  expect(longestPresentMs(1)).toBe(60_000);
  expect(longestPresentMs(3)).toBe(180_000);
});

test('an order with many records holds its look for five minutes at most', () => {
  expect(longestPresentMs(100)).toBe(300_000);
});
