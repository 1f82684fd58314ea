// What the machine makes of a pause, and of a challenge that the CA is looking at already.

import { describe, expect, it } from 'vitest';
import type { CaProblem } from '../../src/order/ca.ts';
import type { OrderFact, OrderState } from '../../src/order/state.ts';
import { effectOf, step } from '../../src/order/step.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const hour = 3_600_000;

describe('a pause', () => {
  const pauseUrl = `https://portal.example.com/sfe/v1/unpause?jwt=${'x'.repeat(600)}`;
  const problem: CaProblem = { kind: 'rateLimited', detail: `Please visit: ${pauseUrl}`.slice(0, 500), pauseUrl };
  const paused = step({ kind: 'cleared', at: now, admitted: true, walked: true }, { kind: 'problem', problem }, now);

  it('is told with the whole address of the page that ends it', () => {
    expect(paused).toMatchObject({ wait: { reason: 'CAPaused', message: expect.stringContaining(` at ${pauseUrl}`) } });
  });

  it('says what a person has to do once it is ended', () => {
    expect(paused).toMatchObject({ wait: { message: expect.stringContaining('certway.dev/unpause') } });
  });

  it('ends by no time that anybody waits for', () => {
    expect(effectOf(paused, now + 365 * 24 * hour).kind).toBe('wait');
    // The moment can be written down.
    expect('wait' in paused && new Date(paused.wait?.until ?? Number.NaN).toISOString()).toMatch(/^2126-/);
  });
});

describe('a challenge that the CA is looking at already', () => {
  const order = {
    url: 'https://ca/order/1',
    status: 'pending',
    identifiers: [{ type: 'dns', value: 'foo.com' }],
    authorizations: ['https://ca/authz/1'],
    finalize: 'https://ca/finalize/1',
  } as const;

  const openedAt = (status: 'pending' | 'processing'): OrderState => {
    const offered = { type: 'http-01', url: 'https://ca/chall/1', status, token: 'tok' };
    const fact: OrderFact = {
      kind: 'authorizations',
      authorizations: [
        {
          url: 'https://ca/authz/1',
          identifier: order.identifiers[0],
          status: 'pending',
          wildcard: false,
          challenges: [offered],
          retryAt: now + 3_000,
        },
      ],
      means: [{ type: 'http-01' }],
    };
    return step({ kind: 'placed', order }, fact, now);
  };
  const done: OrderFact = { kind: 'done' };

  it('is known as such, and one that it is not looking at is not', () => {
    expect(openedAt('processing')).toMatchObject({ proofs: [{ looking: { retryAt: now + 3_000 } }] });
    expect(openedAt('pending')).not.toHaveProperty('proofs.0.looking');
  });

  it('is not asked about before the CA says', () => {
    const answered = (status: 'pending' | 'processing') =>
      [done, done, done, done].reduce((state, fact) => step(state, fact, now), openedAt(status));
    expect(effectOf(answered('processing'), now)).toEqual({ kind: 'wait', until: now + 3_000 });
    expect(effectOf(answered('pending'), now)).toEqual({ kind: 'readAuthorizations', urls: order.authorizations });
  });
});
