// What is answered for a host and a token, from the Orders that are known.

import { describe, expect, test } from 'vitest';
import { answer, type PendingOrder } from '../../src/serve/answers.ts';

const orders: Readonly<Record<string, readonly PendingOrder[]>> = {
  'one.com': [{ tokens: ['t1', 't2'], thumbprint: 'A' }],
  'fresh.com': [{ tokens: [], thumbprint: 'A' }],
  'twice.com': [
    { tokens: [], thumbprint: 'A' },
    { tokens: ['t3'], thumbprint: 'A' },
  ],
  'two.com': [
    { tokens: ['t1'], thumbprint: 'A' },
    { tokens: ['t2'], thumbprint: 'B' },
  ],
};
const view = { orders: (host: string) => orders[host] ?? [] };

describe('answer', () => {
  test.each<[string, string, string, string | undefined]>([
    ['its own Order’s account', 'one.com', 't2', 't2.A'],
    ['its own Order’s account, beside another Order of it', 'twice.com', 't3', 't3.A'],
    ['each token by its own account', 'two.com', 't2', 't2.B'],
    ['nothing for a token that no Order has: it is not repeated', 'one.com', 'new', undefined],
    ['nothing before any token is known', 'fresh.com', 't', undefined],
    ['nothing for an unknown token of two accounts', 'two.com', 'new', undefined],
    ['nothing for a host that is not being ordered', 'other.com', 't1', undefined],
    ['nothing for a token that is none', 'one.com', 't.1', undefined],
    ['nothing for an empty token', 'one.com', '', undefined],
    ['nothing for a token that is too long', 'one.com', 'x'.repeat(129), undefined],
  ])('gives %s', (_, host, token, expected) => {
    expect(answer(host, token, view)).toBe(expected);
  });
});
