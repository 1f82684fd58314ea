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

describe('an endpoint that fails while the order can be read', () => {
  const order = {
    url: 'https://ca/order/1',
    status: 'ready',
    identifiers: [{ type: 'dns', value: 'foo.com' }],
    authorizations: ['https://ca/authz/1'],
    finalize: 'https://ca/finalize/1',
  } as const;
  const down: CaProblem = { kind: 'unavailable', status: 503, detail: 'Down.' };

  it('is asked later each time, five minutes at most', () => {
    let state: OrderState = { kind: 'ready', order };
    let at = now;
    const waits: number[] = [];
    for (let n = 0; n < 12; n++) {
      state = step(state, { kind: 'problem', problem: down }, at);
      const effect = effectOf(state, at);
      const until = effect.kind === 'wait' ? effect.until : at;
      waits.push((until - at) / 1000);
      at = until;
      expect(effectOf(state, at).kind).toBe('readOrder');
      state = step(state, { kind: 'order', order }, at);
      expect(effectOf(state, at).kind).toBe('finalize');
    }
    expect(waits).toEqual([0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  it('begins anew with the next step', () => {
    const proofs = [
      {
        type: 'http-01',
        host: 'foo.com',
        wildcard: false,
        authorizationUrl: 'https://ca/authz/1',
        challengeUrl: 'https://ca/challenge/1',
        token: 'abc',
      },
    ] as const;
    const answered = step({ kind: 'reachable', order, proofs, troubles: 7 }, { kind: 'done' }, now);
    expect(answered).not.toHaveProperty('troubles');
  });
});

it('a 429 that does not say until when is asked again after a minute, later each time, an hour at most', () => {
  let state: OrderState = { kind: 'cleared', at: now, admitted: true };
  let at = now;
  const waits: number[] = [];
  for (let n = 0; n < 8; n++) {
    state = step(state, { kind: 'problem', problem: { kind: 'rateLimited', detail: 'Too many.' } }, at);
    const effect = effectOf(state, at);
    const until = effect.kind === 'wait' ? effect.until : at;
    waits.push((until - at) / 60_000);
    at = until;
    state = step(state, { kind: 'cleared', walked: true }, at);
    state = step(state, { kind: 'admitted' }, at);
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
});
