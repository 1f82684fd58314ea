import { expect, it } from 'vitest';
import type { CaProblem } from '../../src/order/ca.ts';
import { doubtsAccount } from '../../src/plan/account-doubt.ts';

const now = 1_000_000;
const refused = (type: string): CaProblem => ({ kind: 'refused', status: 403, type, detail: '' });

it.each([
  ['the CA knows no such account', refused('accountDoesNotExist'), now, true],
  ['it does not authorize us, and never said that the account is good', refused('unauthorized'), undefined, true],
  ['it does not authorize us, and said so a while ago', refused('unauthorized'), now - 60_001, true],
  [
    'it does not authorize us, and has just said that the account is good',
    refused('unauthorized'),
    now - 60_000,
    false,
  ],
  ['it refuses the name', refused('rejectedIdentifier'), undefined, false],
  ['it is away', { kind: 'unavailable', status: 503, detail: '' } as const, undefined, false],
  ['it asks to wait', { kind: 'rateLimited', detail: '' } as const, undefined, false],
])('an account is doubted or not when %s', (_, problem, vouchedAt, doubted) => {
  expect(doubtsAccount(problem, vouchedAt, now)).toBe(doubted);
});
