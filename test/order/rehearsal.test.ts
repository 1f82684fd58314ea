// What the machine makes of a rehearsal: the same steps at another directory, never to the end, and nothing of the issuer's own CA before it passed.

import { describe, expect, it } from 'vitest';
import type { CaAuthorization, CaOrder, CaProblem } from '../../src/order/ca.ts';
import type { OrderEffect, OrderFact, OrderState } from '../../src/order/state.ts';
import { effectOf, step } from '../../src/order/step.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const directory = 'https://staging.ca.test/dir';
const cleared: OrderFact = { kind: 'cleared', walked: true, rehearse: { directory } };
const intended: OrderState = { kind: 'intended', asked: 'no' };
const order: CaOrder = {
  url: 'https://staging.ca.test/order/1',
  status: 'pending',
  identifiers: [{ type: 'dns', value: 'foo.com' }],
  authorizations: ['https://staging.ca.test/authz/1'],
  finalize: 'https://staging.ca.test/finalize/1',
};
const authorization = (status: CaAuthorization['status'], error?: string): CaAuthorization => ({
  url: 'https://staging.ca.test/authz/1',
  identifier: { type: 'dns', value: 'foo.com' },
  wildcard: false,
  status,
  challenges: [
    {
      type: 'http-01',
      url: 'https://staging.ca.test/challenge/1',
      status: 'pending',
      token: 'abc',
      ...(error !== undefined && { error: { type: 'unauthorized', detail: error } }),
    },
  ],
});
const read = (status: CaAuthorization['status'], error?: string): OrderFact => ({
  kind: 'authorizations',
  authorizations: [authorization(status, error)],
  means: [{ type: 'http-01' }],
});

/** What each state asked for, and where the facts led. */
function play(from: OrderState, facts: readonly OrderFact[]): { asked: readonly string[]; state: OrderState } {
  const asked: string[] = [];
  let state = from;
  for (const fact of facts) {
    asked.push(nameOf(effectOf(state, now)));
    state = step(state, fact, now);
  }
  return { asked, state };
}

function nameOf(effect: OrderEffect): string {
  return effect.kind === 'rehearse' ? `there: ${nameOf(effect.effect)}` : effect.kind;
}

const upToAnswer: readonly OrderFact[] = [
  cleared,
  { kind: 'prepared' },
  { kind: 'admitted' },
  { kind: 'order', order },
  read('pending'),
  { kind: 'done' },
  { kind: 'done' },
  { kind: 'done' },
];

describe('an order that is to be rehearsed', () => {
  it('is proven there, and only then asked for at its own CA', () => {
    const { asked, state } = play(intended, [...upToAnswer, read('valid'), { kind: 'done' }]);
    expect(asked).toEqual([
      'preflight',
      'there: admit',
      'there: admit',
      'there: place',
      'there: readAuthorizations',
      'there: record',
      'there: present',
      'there: answer',
      'there: readAuthorizations',
      'closeRehearsal',
    ]);
    expect(state).toEqual({ kind: 'cleared', at: now, walked: true });
    expect(effectOf(state, now)).toEqual({ kind: 'admit', replacing: 'asWished' });
  });

  it('is never finalized there, also where nothing had to be proven any more', () => {
    const ready: OrderFact = { kind: 'order', order: { ...order, status: 'ready' } };
    const { state } = play(intended, [cleared, { kind: 'admitted' }, ready, { kind: 'done' }]);
    expect(effectOf(state, now)).toEqual({
      kind: 'closeRehearsal',
      end: { directory },
      authorizations: order.authorizations,
    });
  });

  it('goes on after a restart with the order that it has there', () => {
    const { asked } = play(intended, [
      { kind: 'cleared', walked: true, rehearse: { directory, url: order.url } },
      { kind: 'order', order },
      read('pending'),
    ]);
    expect(asked).toEqual(['preflight', 'there: readOrder', 'there: readAuthorizations']);
  });

  it('keeps that its own CA does not want a certificate replaced', () => {
    const { state } = play({ ...intended, plain: true }, [...upToAnswer, read('valid'), { kind: 'done' }]);
    expect(effectOf(state, now)).toEqual({ kind: 'admit', replacing: 'no' });
  });
});

describe('a rehearsal that fails', () => {
  const failed = () => play(intended, [...upToAnswer, read('invalid', 'no route to host')]);

  it('is told as one, with what that CA said, and closed', () => {
    const { state } = failed();
    expect(effectOf(state, now)).toMatchObject({
      kind: 'closeRehearsal',
      end: { directory, failure: 'The CA could not validate foo.com: no route to host' },
    });
    expect(step(state, { kind: 'done' }, now)).toEqual({
      kind: 'intended',
      asked: 'no',
      wait: {
        until: now + 10_000,
        reason: 'RehearsalFailed',
        attempts: 1,
        message:
          'The rehearsal at staging.ca.test failed: The CA could not validate foo.com: no route to host. The issuer’s own CA has not been asked.',
      },
    });
  });

  it('is tried again later each time, an hour at most, over a path that is walked anew', () => {
    let state = failed().state;
    let at = now;
    const waits: number[] = [];
    for (let n = 0; n < 12; n++) {
      state = step(state, { kind: 'done' }, at);
      const effect = effectOf(state, at);
      const until = effect.kind === 'wait' ? effect.until : 0;
      waits.push((until - at) / 1000);
      at = until;
      expect(effectOf(state, at).kind).toBe('preflight');
      for (const fact of [...upToAnswer, read('invalid')]) state = step(state, fact, at);
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]);
  });
});

describe('what keeps a rehearsal waiting', () => {
  const limit: OrderFact = { kind: 'limited', reason: 'RateLimited', message: 'No room.', until: now + 60_000 };

  it('is marked as the rehearsal’s, once', () => {
    const { state } = play(intended, [cleared, limit, limit]);
    expect(state).toMatchObject({
      kind: 'rehearsing',
      wait: { reason: 'RateLimited', message: 'Rehearsal at staging.ca.test: No room.', inLine: true },
    });
    expect(effectOf(state, now)).toEqual({ kind: 'wait', until: now + 60_000 });
    expect(nameOf(effectOf(state, now + 60_000))).toBe('there: admit');
  });

  it.each<[string, CaProblem]>([
    ['an outage', { kind: 'unavailable', status: 503, detail: 'Down.' }],
    ['a reply that is lost', { kind: 'network', detail: 'Cut.', sent: 'maybe' }],
    ['a limit', { kind: 'rateLimited', detail: 'Too many.' }],
  ])('as %s does not lead to the issuer’s own CA, and thins out', (_, problem) => {
    let state: OrderState = intended;
    let at = now;
    const waits: number[] = [];
    for (let n = 0; n < 4; n++) {
      for (const fact of [cleared, { kind: 'admitted' }, { kind: 'problem', problem }] as const)
        state = step(state, fact, at);
      expect(state).toMatchObject({ kind: 'intended', asked: 'no', wait: { attempts: n + 1 } });
      const effect = effectOf(state, at);
      const until = effect.kind === 'wait' ? effect.until : 0;
      waits.push(until - at);
      at = until;
    }
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits[3]).toBeGreaterThan(2 * (waits[0] ?? 0));
  });
});
