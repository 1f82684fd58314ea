// What failed replies and Retry-After mean, as tables.

import { describe, expect, test } from 'vitest';
import { problemOf, readError, tidy } from '../../src/acme/problem.ts';
import { retryAt } from '../../src/acme/retry-after.ts';

const now = Date.parse('2026-11-21T10:00:00Z');

function reply(status: number, body: unknown = '', headers: Record<string, string> = {}) {
  return { status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) };
}

function document(type: string, detail: string, more: object = {}) {
  return { type: `urn:ietf:params:acme:error:${type}`, detail, ...more };
}

describe('a failed reply', () => {
  test.each([
    ['200', reply(200, {}), undefined],
    ['a redirection', reply(301), { kind: 'malformed', detail: 'The CA answered 301, which is no ACME reply.' }],
    [
      'a problem document',
      reply(403, document('unauthorized', 'No valid IP addresses found')),
      { kind: 'refused', status: 403, type: 'unauthorized', detail: 'No valid IP addresses found', subproblems: [] },
    ],
    [
      'a refusal with a time',
      reply(403, document('orderNotReady', 'not yet'), { 'retry-after': '3' }),
      { kind: 'refused', status: 403, type: 'orderNotReady', detail: 'not yet', subproblems: [], retryAt: now + 3000 },
    ],
    [
      'subproblems',
      reply(
        400,
        document('rejectedIdentifier', 'two names', {
          subproblems: [
            { ...document('caa', 'forbidden'), identifier: { type: 'dns', value: 'a.example.com' } },
            { ...document('dns', 'gone'), identifier: { type: 'onion', value: 'x' } },
            'no object',
          ],
        }),
      ),
      {
        kind: 'refused',
        status: 400,
        type: 'rejectedIdentifier',
        detail: 'two names',
        subproblems: [
          { type: 'caa', detail: 'forbidden', identifier: { type: 'dns', value: 'a.example.com' } },
          { type: 'dns', detail: 'gone' },
        ],
      },
    ],
    [
      '404 without a document',
      reply(404),
      {
        kind: 'refused',
        status: 404,
        type: 'unspecified',
        detail: 'The CA answered 404 without a reason.',
        subproblems: [],
      },
    ],
    [
      'a gateway’s 403 page',
      reply(403, '<html>'),
      { kind: 'unavailable', status: 403, detail: 'The CA answered 403 without a reason.' },
    ],
    [
      '500 with a document',
      reply(500, document('serverInternal', 'Error creating order')),
      { kind: 'unavailable', status: 500, detail: 'Error creating order' },
    ],
    [
      '503 with a time',
      reply(503, 'busy', { 'retry-after': '120' }),
      { kind: 'unavailable', status: 503, detail: 'The CA answered 503 without a reason.', retryAt: now + 120_000 },
    ],
    [
      '429 without a document',
      reply(429, 'slow down', { 'retry-after': '7' }),
      { kind: 'rateLimited', detail: 'The CA asks to slow down.', retryAt: now + 7000 },
    ],
  ])('%s', (_, given, expected) => {
    expect(problemOf(given, now)).toEqual(expected);
  });
});

test('subproblems nested without end are no subproblems', () => {
  const deep = `${'{"subproblems":['.repeat(50_000)}${']}'.repeat(50_000)}`;
  const problem = problemOf(reply(400, `{"type":"x:malformed","subproblems":[${deep}]}`), now);
  expect(problem).toMatchObject({ type: 'malformed', subproblems: [{ type: 'unspecified' }] });
});

describe('a rate limit', () => {
  const docs = 'https://letsencrypt.org/docs/rate-limits/';

  test.each([
    [
      'names its limit by the link’s fragment',
      `too many new orders (300) in the last 3h0m0s, retry after 2026-11-21 12:00:00 UTC: see ${docs}#new-orders-per-account`,
      { 'retry-after': '7200' },
      { limit: 'new-orders-per-account', retryAt: now + 7_200_000 },
    ],
    [
      'may end in a full stop',
      `see ${docs}#new-registrations-per-ip-address.`,
      {},
      { limit: 'new-registrations-per-ip-address' },
    ],
    ['may be nameless', 'Rate limit exceeded', { 'retry-after': '5' }, { retryAt: now + 5000 }],
    ['that has an end is no pause', `see ${docs}`, { 'retry-after': '5' }, { retryAt: now + 5000 }],
    [
      'without an end and with a page is a pause',
      'Your account is temporarily prevented from requesting certificates for a.example.com. Please visit: https://portal.letsencrypt.org/sfe/v1/unpause?jwt=a.b-c_d',
      {},
      { pauseUrl: 'https://portal.letsencrypt.org/sfe/v1/unpause?jwt=a.b-c_d' },
    ],
  ])('%s', (_, detail, headers, expected) => {
    expect(problemOf(reply(429, document('rateLimited', detail), headers), now)).toEqual({
      kind: 'rateLimited',
      detail,
      ...expected,
    });
  });

  test('keeps the whole address of a pause although its sentence is cut', () => {
    const url = `https://portal.example.com/unpause?jwt=${'x'.repeat(900)}`;
    const problem = problemOf(reply(429, document('rateLimited', `Please visit: ${url}`)), now);
    expect(problem).toMatchObject({ kind: 'rateLimited', pauseUrl: url });
    expect(problem?.detail).toHaveLength(500);
  });
});

describe('Retry-After', () => {
  const date = 'Sat, 21 Nov 2026 09:00:00 GMT';

  test.each([
    ['seconds', { 'retry-after': '90' }, 90_000],
    ['a date', { 'retry-after': 'Sat, 21 Nov 2026 10:01:00 GMT' }, 60_000],
    ['a date on the CA’s own clock', { 'retry-after': 'Sat, 21 Nov 2026 09:01:00 GMT', date }, 60_000],
    ['a date that has passed', { 'retry-after': 'Sat, 21 Nov 2026 08:00:00 GMT', date }, 0],
    ['a year', { 'retry-after': '31536000' }, 30 * 86_400_000],
    ['nothing', {}, undefined],
    ['a negative number', { 'retry-after': '-1' }, undefined],
    ['a fraction', { 'retry-after': '1.5' }, undefined],
    ['prose', { 'retry-after': 'tomorrow' }, undefined],
    ['a date that is none', { 'retry-after': 'Sat, 99 Nov 2026 10:01:00 GMT' }, undefined],
  ])('%s', (_, headers, wait) => {
    expect(retryAt(headers, now)).toBe(wait === undefined ? undefined : now + wait);
  });
});

describe('what a CA wrote', () => {
  test('loses control characters, invisible ones and line breaks', () => {
    expect(tidy(' a\u0000b\nc\u202ed\u200be \u001b[31m ')).toBe('a b c d e [31m');
  });

  test('is cut to 500 characters, never inside one', () => {
    expect(tidy('𝕏'.repeat(600))).toBe('𝕏'.repeat(500));
  });

  test.each([
    [undefined, undefined],
    ['text', undefined],
    [{}, { type: 'unspecified', detail: 'The CA gives no reason.', subproblems: [] }],
    [
      { type: 'about:blank', detail: 7 },
      { type: 'blank', detail: 'The CA gives no reason.', subproblems: [] },
    ],
    [
      { type: 'x:<script>', detail: 'd' },
      { type: 'unspecified', detail: 'd', subproblems: [] },
    ],
  ])('%j as an error is %j', (value, expected) => {
    expect(readError(value)).toEqual(expected);
  });
});
