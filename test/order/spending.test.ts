// What each step of an order costs the CA's limits. The steps are the machine's own.

import { describe, expect, it } from 'vitest';
import type { CaOrder, CaProblem } from '../../src/order/ca.ts';
import { spendingOf } from '../../src/order/spending.ts';
import type { OrderFact, OrderState } from '../../src/order/state.ts';
import { step } from '../../src/order/step.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const order: CaOrder = {
  url: 'https://ca/order/1',
  status: 'pending',
  identifiers: [
    { type: 'dns', value: 'a.example' },
    { type: 'dns', value: '*.b.example' },
  ],
  authorizations: ['https://ca/authz/1', 'https://ca/authz/2'],
  finalize: 'https://ca/finalize/1',
};
const admitted: OrderState = { kind: 'cleared', at: now, admitted: true };
const proofs = [] as const;

function spent(before: OrderState, fact: OrderFact) {
  return spendingOf(before, fact, step(before, fact, now));
}

function problem(change: Partial<CaProblem> & { kind: CaProblem['kind'] }): OrderFact {
  return { kind: 'problem', problem: { detail: 'no', ...change } as CaProblem };
}

function authorization(value: string, status: 'valid' | 'invalid' | 'expired', wildcard = false) {
  return {
    url: `https://ca/${value}`,
    identifier: { type: 'dns', value },
    status,
    wildcard,
    challenges: [],
  } as const;
}

describe('newOrder', () => {
  it.each<[string, OrderFact, readonly string[]]>([
    ['that the CA takes', { kind: 'order', order }, ['placed']],
    ['that never left', problem({ kind: 'network', sent: 'no' }), ['unspent']],
    ['whose answer is lost', problem({ kind: 'network', sent: 'maybe' }), ['unsure']],
    ['whose answer nobody understands', problem({ kind: 'malformed' }), ['unsure']],
    ['in an outage', problem({ kind: 'unavailable', status: 503 }), ['refused', 'unsure']],
    ['at a CA that fails', problem({ kind: 'unavailable', status: 500 }), ['unsure']],
    ['beyond a limit', problem({ kind: 'rateLimited' }), ['refused', 'unspent']],
    [
      'for a name that the CA refuses',
      problem({ kind: 'refused', status: 400, type: 'rejectedIdentifier' }),
      ['unspent'],
    ],
    ['that replaces nothing', { kind: 'notReplaceable' }, ['unspent']],
  ])('%s', (_, fact, expected) => {
    expect(spent(admitted, fact).map(({ kind }) => kind)).toEqual(expected);
  });

  it('that is found at the CA, or is not, after a crash', () => {
    const unsure: OrderState = { kind: 'intended', asked: 'maybe' };
    expect(spent(unsure, { kind: 'order', order })).toEqual([{ kind: 'found' }]);
    expect(spent(unsure, { kind: 'notFound', listed: true })).toEqual([{ kind: 'unasked' }, { kind: 'unspent' }]);
    expect(spent(unsure, { kind: 'notFound' })).toEqual([{ kind: 'unspent' }]);
  });

  it('of an order whose path is gone when its turn comes', () => {
    const again: OrderState = { kind: 'intended', asked: 'no' };
    expect(spent(again, { kind: 'unreachable', message: 'gone' })).toEqual([{ kind: 'unspent' }]);
  });
});

describe('an order that is placed', () => {
  it('costs a failure for each name that could not be validated, as the order has it', () => {
    const authorizations = [authorization('a.example', 'valid'), authorization('b.example', 'invalid', true)];
    const validating: OrderState = { kind: 'validating', order, proofs, polls: 0 };
    const fact: OrderFact = { kind: 'authorizations', authorizations, means: [] };
    expect(spent(validating, fact)).toEqual([{ kind: 'failed', identifiers: ['*.b.example'] }]);
  });

  it('costs no failure where an authorization has only expired', () => {
    const fact: OrderFact = {
      kind: 'authorizations',
      authorizations: [authorization('a.example', 'expired')],
      means: [],
    };
    expect(spent({ kind: 'placed', order }, fact)).toEqual([{ kind: 'failed', identifiers: [] }]);
  });

  it('that is invalid without a reason may have failed for any of its names', () => {
    const invalid = { ...order, status: 'invalid', error: { type: 'unauthorized', detail: 'no' } } as const;
    const [first] = spent({ kind: 'known', url: order.url }, { kind: 'order', order: invalid });
    expect(first).toEqual({ kind: 'failed', identifiers: ['a.example', '*.b.example'] });
    const subproblems = [{ type: 'dns', detail: 'no', identifier: { type: 'dns', value: 'a.example' } }] as const;
    const told = { ...invalid, error: { ...invalid.error, subproblems } };
    expect(spent({ kind: 'known', url: order.url }, { kind: 'order', order: told })).toEqual([
      { kind: 'failed', identifiers: ['a.example'] },
    ]);
    // Its names were all proven.
    expect(spent({ kind: 'finalizing', order, polls: 1 }, { kind: 'order', order: invalid })).toEqual([
      { kind: 'failed', identifiers: [] },
    ]);
  });

  it('is issued once, by its certificate', () => {
    const downloadable: OrderState = { kind: 'downloadable', order, certificateUrl: 'https://ca/cert/1' };
    const fact: OrderFact = { kind: 'certificate', chainPem: 'PEM' };
    expect(spent(downloadable, fact)).toEqual([{ kind: 'issued' }]);
    expect(spendingOf(step(downloadable, fact, now), fact, step(downloadable, fact, now))).toEqual([]);
  });

  it('costs nothing on its way', () => {
    expect(spent({ kind: 'validating', order, proofs, polls: 1 }, problem({ kind: 'network', sent: 'maybe' }))).toEqual(
      [],
    );
    expect(spent({ kind: 'recorded', order, proofs }, { kind: 'unreachable', message: '404' })).toEqual([]);
    expect(spent({ kind: 'reachable', order, proofs }, { kind: 'done' })).toEqual([]);
  });

  it('tells a refusal at any of its steps, and keeps what it has', () => {
    const ready: OrderState = { kind: 'ready', order };
    expect(spent(ready, problem({ kind: 'rateLimited' })).map(({ kind }) => kind)).toEqual(['refused']);
  });
});
