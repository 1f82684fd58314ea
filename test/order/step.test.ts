import { describe, expect, it } from 'vitest';
import type { CaAuthorization, CaOrder, CaProblem } from '../../src/order/ca.ts';
import type { Means, OrderFact, OrderState, Proof } from '../../src/order/state.ts';
import { effectOf, step } from '../../src/order/step.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const order: CaOrder = {
  url: 'https://ca/order/1',
  status: 'pending',
  identifiers: [{ type: 'dns', value: 'foo.com' }],
  authorizations: ['https://ca/authz/1'],
  finalize: 'https://ca/finalize/1',
};
const proof: Proof = {
  type: 'http-01',
  wildcard: false,
  host: 'foo.com',
  authorizationUrl: 'https://ca/authz/1',
  challengeUrl: 'https://ca/chall/1',
  token: 'tok',
};

function authorization(change: Partial<CaAuthorization> = {}): CaAuthorization {
  return {
    url: 'https://ca/authz/1',
    identifier: { type: 'dns', value: 'foo.com' },
    status: 'pending',
    wildcard: false,
    challenges: [{ type: 'http-01', url: 'https://ca/chall/1', status: 'pending', token: 'tok' }],
    ...change,
  };
}

/** Runs facts through the machine and writes down which effect each state asked for. */
function walk(from: OrderState, facts: readonly OrderFact[]): { readonly effects: string[]; readonly end: OrderState } {
  let state = from;
  const effects: string[] = [];
  let at = now;
  for (const fact of facts) {
    let effect = effectOf(state, at);
    if (effect.kind === 'wait') {
      at = effect.until;
      effect = effectOf(state, at);
    }
    effects.push(effect.kind);
    state = step(state, fact, at);
  }
  return { effects, end: state };
}

const byHttp: readonly Means[] = [{ type: 'http-01' }];
const byDns: readonly Means[] = [{ type: 'dns-01' }];

function authorized(authorizations: readonly CaAuthorization[], means = byHttp): OrderFact {
  return { kind: 'authorizations', authorizations, means };
}

const placed: OrderFact = { kind: 'order', order };
const done: OrderFact = { kind: 'done' };
const clear: OrderFact = { kind: 'cleared', walked: true };
const admitted: OrderFact = { kind: 'admitted' };
const proven: OrderFact = authorized([authorization({ status: 'valid' })]);
const unproven: OrderFact = authorized([authorization()]);
const valid: OrderFact = { kind: 'order', order: { ...order, status: 'valid', certificate: 'https://ca/cert/1' } };
const processing: OrderFact = { kind: 'order', order: { ...order, status: 'processing' } };
const chain: OrderFact = { kind: 'certificate', chainPem: 'PEM' };

describe('the life of an order', () => {
  it('goes from intent to certificate in the shortest way', () => {
    const facts = [clear, admitted, placed, unproven, done, done, done, proven, processing, valid, chain];
    const { effects, end } = walk({ kind: 'intended', asked: 'no' }, facts);
    expect(effects).toEqual([
      'preflight',
      'admit',
      'place',
      'readAuthorizations',
      'record',
      'present',
      'answer',
      'readAuthorizations',
      'finalize',
      'readOrder',
      'download',
    ]);
    expect(end).toMatchObject({ kind: 'issued', chainPem: 'PEM' });
  });

  it('skips every proof when the CA still holds the names as proven, but records the URL first', () => {
    const { effects, end } = walk({ kind: 'intended', asked: 'no' }, [
      clear,
      admitted,
      placed,
      proven,
      done,
      valid,
      chain,
    ]);
    expect(effects).toEqual(['preflight', 'admit', 'place', 'readAuthorizations', 'record', 'finalize', 'download']);
    expect(end.kind).toBe('issued');
  });

  it('records the URL of an order that is ready from the start', () => {
    const ready: OrderFact = { kind: 'order', order: { ...order, status: 'ready' } };
    const { effects } = walk({ kind: 'intended', asked: 'no' }, [clear, admitted, ready, done, valid, chain]);
    expect(effects).toEqual(['preflight', 'admit', 'place', 'record', 'finalize', 'download']);
  });

  it('looks for an order before it places one, where an earlier process may have asked', () => {
    const { effects, end } = walk({ kind: 'intended', asked: 'maybe' }, [
      { kind: 'notFound' },
      clear,
      admitted,
      placed,
    ]);
    expect(effects).toEqual(['find', 'preflight', 'admit', 'place']);
    expect(end.kind).toBe('placed');
  });

  it('asks the CA for nothing while the path to a name does not lead here', () => {
    const dead: OrderFact = { kind: 'unreachable', message: 'foo.com does not exist', until: now + 5_000 };
    const { effects, end } = walk({ kind: 'intended', asked: 'no' }, [dead, dead, clear, admitted, placed]);
    expect(effects).toEqual(['preflight', 'preflight', 'preflight', 'admit', 'place']);
    expect(end).toEqual({ kind: 'placed', order, walked: true });
  });

  it('looks at every proof once more where one of them is a DNS record', () => {
    const record = { type: 'dns-01', url: 'https://ca/chall/2', status: 'pending', token: 'x' } as const;
    const byRecord = authorized([authorization({ wildcard: true, challenges: [record] })], byDns);
    const { effects, end } = walk({ kind: 'intended', asked: 'no' }, [
      clear,
      admitted,
      placed,
      byRecord,
      done,
      done,
      done,
    ]);
    expect(effects.slice(4)).toEqual(['record', 'present', 'check']);
    expect(end).toMatchObject({ kind: 'reachable', proofs: [{ type: 'dns-01', host: 'foo.com', wildcard: true }] });
  });

  it('looks at the path again after a restart', () => {
    const { effects } = walk({ kind: 'known', url: order.url }, [placed, unproven, done, done, done]);
    expect(effects).toEqual(['readOrder', 'readAuthorizations', 'record', 'present', 'check']);
  });

  it('orders without the replacement that the CA refuses', () => {
    const { effects, end } = walk({ kind: 'intended', asked: 'no' }, [clear, admitted, { kind: 'notReplaceable' }]);
    expect(effects).toEqual(['preflight', 'admit', 'place']);
    expect(effectOf(end, now)).toEqual({ kind: 'admit', replacing: 'no' });
    expect(effectOf(step(end, admitted, now), now)).toEqual({ kind: 'place', replacing: 'no' });
  });

  it('ends an order whose path never led here before it expired', () => {
    const expiring = { ...order, expires: now + 1_000 };
    const state: OrderState = { kind: 'presented', order: expiring, proofs: [proof] };
    const early = step(state, { kind: 'unreachable', message: '404' }, now);
    expect(early.kind).toBe('recorded');
    const late = step({ ...state }, { kind: 'unreachable', message: '404' }, now + 1_000);
    expect(late).toMatchObject({ kind: 'failed', phase: 'expired' });
  });

  it.each([
    ['pending', { ...order }, 'readAuthorizations'],
    ['ready', { ...order, status: 'ready' }, 'finalize'],
    ['valid', { ...order, status: 'valid', certificate: 'https://ca/cert/1' }, 'download'],
    ['processing', { ...order, status: 'processing' }, 'wait'],
    ['invalid', { ...order, status: 'invalid', error: { type: 'unauthorized', detail: 'no' } }, 'rest'],
  ] as const)('takes a %s order up again after a restart', (_, found, effect) => {
    const state = step({ kind: 'known', url: order.url }, { kind: 'order', order: found as CaOrder }, now);
    expect(effectOf(state, now).kind).toBe(effect);
  });

  it('asks for the reasons when a restart finds the order invalid without an error', () => {
    const invalid = { ...order, status: 'invalid' } as const;
    const error = { type: 'connection', detail: 'Connection refused' };
    const challenges = [{ type: 'http-01', url: 'https://ca/chall/1', status: 'invalid', error }] as const;
    const { effects, end } = walk({ kind: 'known', url: order.url }, [
      { kind: 'order', order: invalid },
      authorized([authorization({ status: 'invalid', challenges })]),
    ]);
    expect(effects).toEqual(['readOrder', 'readAuthorizations']);
    expect(end).toEqual({
      kind: 'failed',
      phase: 'invalid',
      reason: 'The CA could not validate foo.com: Connection refused',
    });
  });

  it('gives up at once where the CA offers no HTTP-01 challenge', () => {
    const challenges = [{ type: 'dns-01', url: 'https://ca/chall/2', status: 'pending', token: 'x' }] as const;
    const wildcard = authorization({ wildcard: true, challenges });
    const state = step({ kind: 'placed', order }, authorized([wildcard]), now);
    expect(state).toMatchObject({ kind: 'failed', phase: 'errored', reason: expect.stringContaining('*.foo.com') });
  });

  it('polls only the authorizations that are still open, and not before the CA says', () => {
    const other = { ...proof, host: 'bar.com', authorizationUrl: 'https://ca/authz/2' };
    const state: OrderState = { kind: 'validating', order, proofs: [proof, other], polls: 0 };
    const open = authorization({ url: 'https://ca/authz/2', retryAt: now + 3_000 });
    const fact = authorized([authorization({ status: 'valid' }), open]);
    const next = step(state, fact, now);
    expect(effectOf(next, now)).toEqual({ kind: 'wait', until: now + 3_000 });
    expect(effectOf(next, now + 3_000)).toEqual({ kind: 'readAuthorizations', urls: ['https://ca/authz/2'] });
  });

  it('spaces self-checks out from milliseconds to a minute', () => {
    let state: OrderState = { kind: 'presented', order, proofs: [proof] };
    const gaps: number[] = [];
    let at = now;
    for (let n = 0; n < 14; n++) {
      if (effectOf(state, at).kind === 'present') state = step(state, done, at);
      state = step(state, { kind: 'unreachable', message: '404' }, at);
      const effect = effectOf(state, at);
      if (effect.kind !== 'wait') throw new Error(`asked for ${effect.kind}`);
      gaps.push(effect.until - at);
      at = effect.until;
    }
    expect(gaps.slice(0, 4)).toEqual([50, 100, 200, 400]);
    expect(gaps.at(-1)).toBe(60_000);
  });
});

describe('a problem with the CA', () => {
  const later = now + 7_200_000;
  const states: Record<string, OrderState> = {
    intended: { kind: 'intended', asked: 'no' },
    known: { kind: 'known', url: order.url },
    placed: { kind: 'placed', order },
    reachable: { kind: 'reachable', order, proofs: [proof] },
    validating: { kind: 'validating', order, proofs: [proof], polls: 0 },
    ready: { kind: 'ready', order },
    finalizing: { kind: 'finalizing', order, polls: 0 },
    downloadable: { kind: 'downloadable', order, certificateUrl: 'https://ca/cert/1' },
  };
  const limited: CaProblem = { kind: 'rateLimited', detail: 'too many', retryAt: later };
  const lost: CaProblem = { kind: 'network', detail: 'reset', sent: 'maybe' };
  const unsent: CaProblem = { kind: 'network', detail: 'refused', sent: 'no' };
  const down: CaProblem = { kind: 'unavailable', status: 503, detail: 'down', retryAt: later };

  const kept = Object.keys(states).filter((name) => name !== 'reachable');

  it.each(kept)('a 429 keeps %s waiting exactly until Retry-After', (name) => {
    const state = states[name] ?? { kind: 'intended', asked: 'no' };
    const next = step(state, { kind: 'problem', problem: limited }, now);
    expect(next.kind).toBe(state.kind);
    expect(effectOf(next, later - 1)).toEqual({ kind: 'wait', until: later });
    expect(effectOf(next, later)).toEqual(effectOf(state, now));
  });

  it('a 429 among several answers is waited out, and the order looked at: some may have been taken', () => {
    const next = step({ kind: 'reachable', order, proofs: [proof] }, { kind: 'problem', problem: limited }, now);
    expect(effectOf(next, later - 1)).toEqual({ kind: 'wait', until: later });
    expect(effectOf(next, later)).toEqual({ kind: 'readOrder', url: order.url });
  });

  const cleared: OrderState = { kind: 'cleared', at: now, admitted: true, walked: true };

  it('a 429 on newOrder holds it until Retry-After, and the path is walked again then', () => {
    const next = step(cleared, { kind: 'problem', problem: limited }, now);
    expect(effectOf(next, later - 1)).toEqual({ kind: 'wait', until: later });
    expect(effectOf(next, later)).toEqual({ kind: 'preflight' });
  });

  it.each([
    ['reachable', 'readOrder'],
    ['ready', 'readOrder'],
    ['validating', 'readAuthorizations'],
    ['finalizing', 'readOrder'],
    ['downloadable', 'download'],
  ])('a lost reply in %s is followed by %s, not by the same request', (name, effect) => {
    const next = step(states[name] ?? { kind: 'intended', asked: 'no' }, { kind: 'problem', problem: lost }, now);
    expect(effectOf(next, now).kind).toBe('wait');
    expect(effectOf(next, later).kind).toBe(effect);
  });

  it('a request that never left is simply sent again', () => {
    const next = step(cleared, { kind: 'problem', problem: unsent }, now);
    const { effects } = walk(next, [clear, admitted, placed]);
    expect(effects).toEqual(['preflight', 'admit', 'place']);
  });

  it('a 503 on newOrder is looked into, since the CA may have made the order', () => {
    const next = step(cleared, { kind: 'problem', problem: down }, now);
    expect(effectOf(next, later - 1)).toEqual({ kind: 'wait', until: later });
    expect(effectOf(next, later).kind).toBe('find');
  });

  it('failures of newOrder thin out although the path is fine each time', () => {
    let state: OrderState = cleared;
    const gaps: number[] = [];
    for (let n = 0; n < 4; n++) {
      state = step(state, { kind: 'problem', problem: unsent }, now);
      if (!('wait' in state) || state.wait === undefined) throw new Error(`no wait in ${state.kind}`);
      gaps.push(state.wait.until - now);
      state = step(state, clear, now);
    }
    expect(gaps).toEqual([500, 1_000, 2_000, 4_000]);
  });

  it('growing intervals without Retry-After end at five minutes', () => {
    let state: OrderState = { kind: 'known', url: order.url };
    let at = now;
    let gap = 0;
    for (let n = 0; n < 15; n++) {
      state = step(state, { kind: 'problem', problem: { kind: 'unavailable', status: 500, detail: 'oops' } }, at);
      const effect = effectOf(state, at);
      if (effect.kind !== 'wait') throw new Error(`asked for ${effect.kind}`);
      expect(effect.until - at).toBeGreaterThanOrEqual(gap);
      gap = effect.until - at;
      at = effect.until;
    }
    expect(gap).toBe(300_000);
  });

  it('a name that the CA refuses fails the order with the reason', () => {
    const problem: CaProblem = {
      kind: 'refused',
      status: 400,
      type: 'rejectedIdentifier',
      detail: 'policy forbids foo',
    };
    const next = step(cleared, { kind: 'problem', problem }, now);
    expect(next).toEqual({
      kind: 'failed',
      phase: 'errored',
      reason: 'The CA refused (rejectedIdentifier): policy forbids foo',
    });
  });

  it('an order that the CA has forgotten is expired, not refused', () => {
    const problem: CaProblem = { kind: 'refused', status: 404, type: 'malformed', detail: 'not found' };
    const next = step({ kind: 'known', url: order.url }, { kind: 'problem', problem }, now);
    expect(next).toMatchObject({ kind: 'failed', phase: 'expired' });
  });

  it('a refused finalize is looked into three times, through any circle, and then fails', () => {
    const problem: CaProblem = { kind: 'refused', status: 403, type: 'malformed', detail: 'not ready' };
    const ready: OrderFact = { kind: 'order', order: { ...order, status: 'ready' } };
    let state: OrderState = { kind: 'ready', order };
    let finalized = 0;
    for (let at = now; state.kind !== 'failed' && finalized < 20; at += 3_600_000) {
      const effect = effectOf(state, at);
      if (effect.kind === 'finalize') finalized++;
      state = step(state, effect.kind === 'finalize' ? { kind: 'problem', problem } : ready, at);
    }
    expect(finalized).toBe(4);
    expect(state).toMatchObject({ kind: 'failed', phase: 'errored' });
  });

  it('a CA that is slow to call an order ready is waited for, with few requests', () => {
    const problem: CaProblem = { kind: 'refused', status: 403, type: 'orderNotReady', detail: 'not ready' };
    const pending: OrderFact = { kind: 'order', order };
    let state: OrderState = { kind: 'ready', order };
    let finalized = 0;
    let at = now;
    while (at < now + 3_000_000 && state.kind !== 'failed') {
      const effect = effectOf(state, at);
      if (effect.kind === 'wait') at = effect.until;
      else if (effect.kind === 'finalize') {
        finalized++;
        state = step(state, { kind: 'problem', problem }, at);
      } else if (effect.kind === 'readOrder') state = step(state, pending, at);
      else state = step(state, effect.kind === 'readAuthorizations' ? proven : done, at);
    }
    expect(finalized).toBeGreaterThan(5);
    expect(finalized).toBeLessThanOrEqual(20);
    expect(state.kind).not.toBe('failed');
  });

  it.each(['pending', 'ready'] as const)(
    'a finalize that is answered with a %s order ends some time, and never spins',
    (status) => {
      let state: OrderState = { kind: 'ready', order };
      let finalized = 0;
      let waited = 0;
      for (let at = now; state.kind !== 'failed' && finalized < 100; ) {
        const effect = effectOf(state, at);
        if (effect.kind === 'wait') {
          waited++;
          at = effect.until;
        } else if (effect.kind === 'readAuthorizations') state = step(state, proven, at);
        else if (effect.kind === 'finalize') {
          finalized++;
          state = step(state, { kind: 'order', order: { ...order, status } }, at);
        } else state = step(state, done, at);
      }
      expect(state).toMatchObject({ kind: 'failed', phase: 'errored' });
      expect(waited).toBe(20);
    },
  );

  it('an order that expires while the CA works on it is over', () => {
    const working = { ...order, status: 'processing', expires: now + 1_000 } as const;
    const polling: OrderState = { kind: 'finalizing', order: working, polls: 3 };
    expect(step(polling, { kind: 'order', order: working }, now).kind).toBe('finalizing');
    expect(step(polling, { kind: 'order', order: working }, now + 1_000)).toMatchObject({ phase: 'expired' });
  });

  it('changes nothing once the order is over', () => {
    const over: OrderState = { kind: 'failed', phase: 'invalid', reason: 'no' };
    expect(step(over, { kind: 'problem', problem: limited }, now)).toEqual(over);
    expect(effectOf(over, now)).toEqual({ kind: 'rest' });
  });
});
