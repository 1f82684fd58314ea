import { describe, expect, it } from 'vitest';
import type { CertificateRequest } from '../../src/api/certmanager.ts';
import type { Condition } from '../../src/api/meta.ts';
import type { Order } from '../../src/api/order.ts';
import { planRequest, type RequestAction, type RequestSeenAlone } from '../../src/plan/request.ts';
import { nothingStands } from '../../src/plan/standing.ts';

const standing = { ...nothingStands, routes: ['r'] };
const now = Date.parse('2026-11-21T12:00:00Z');

function request(...conditions: readonly Condition[]): CertificateRequest {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: { name: 'mine', namespace: 'team', uid: 'r1' },
    spec: { issuerRef: { name: 'ca' }, request: 'Q1NS' },
    ...(conditions.length > 0 && { status: { conditions } }),
  };
}

const order: Order = {
  apiVersion: 'acme.cert-manager.io/v1',
  kind: 'Order',
  metadata: { name: 'mine-x', namespace: 'team', uid: 'o1' },
  spec: { issuerRef: { name: 'ca' }, request: 'Q1NS', dnsNames: ['foo.com'] },
};

const idle = { signed: false } as const;
const acme = { kind: 'acme', path: { kind: 'open' } } as const;
const approved: Condition = { type: 'Approved', status: 'True' };
const denied: Condition = { type: 'Denied', status: 'True', message: 'not on a Friday' };

function plan(change: Partial<RequestSeenAlone>): RequestAction {
  return planRequest(
    {
      request: request(),
      approver: 'ours',
      issuer: { kind: 'local' },
      standing: nothingStands,
      attempt: idle,
      ...change,
    },
    now,
  );
}

describe('a request that somebody else made', () => {
  it.each<[string, Partial<RequestSeenAlone>, RequestAction]>([
    ['is signed at once by a local issuer', {}, { kind: 'sign' }],
    ['gets its certificate', { attempt: { signed: true } }, { kind: 'issue' }],
    ['waits for the approver where that is not us', { approver: 'theirs' }, { kind: 'rest' }],
    ['is signed after the approval', { approver: 'theirs', request: request(approved) }, { kind: 'sign' }],
    [
      'is not signed once it is denied',
      { request: request(denied) },
      { kind: 'fail', reason: 'Denied', message: 'not on a Friday' },
    ],
    [
      'is not signed when it is denied and approved',
      { request: request(approved, denied) },
      { kind: 'fail', reason: 'Denied', message: 'not on a Friday' },
    ],
    [
      'is denied for names that the namespace may not have, approved or not',
      { request: request(approved), notAllowed: { reason: 'IssuerNotAllowed', message: 'no' } },
      { kind: 'deny', message: 'no' },
    ],
    [
      'fails for good with an unreadable CSR',
      { hopeless: 'no CSR' },
      { kind: 'fail', reason: 'Failed', message: 'no CSR' },
    ],
    ['is left to the controller of another group', { issuer: { kind: 'external' } }, { kind: 'rest' }],
    ['says which key it lacks', { lacksKey: 'no key' }, { kind: 'tellPending', message: 'no key' }],
    ['rests while its issuer is new', { issuer: { kind: 'unseen' } }, { kind: 'rest' }],
    ['starts an order at an ACME issuer', { issuer: acme }, { kind: 'createOrder' }],
    ['goes on with its order', { issuer: acme, order }, { kind: 'advanceOrder' }],
    [
      'does not start an order that cannot be proven',
      { issuer: { kind: 'acme', path: { kind: 'closed', message: 'no listener' } } },
      { kind: 'tellPending', message: 'no listener' },
    ],
    [
      'takes its route down before it closes a failed order',
      {
        issuer: acme,
        order,
        standing,
        attempt: { ...idle, order: { kind: 'failed', phase: 'invalid', reason: 'x' } },
      },
      { kind: 'withdraw', standing },
    ],
    [
      'closes a failed order before it fails',
      { issuer: acme, order, attempt: { ...idle, order: { kind: 'failed', phase: 'invalid', reason: 'x' } } },
      { kind: 'recordOrder', phase: 'invalid', reason: 'x' },
    ],
    [
      'comes back after a short wait without a word',
      { issuer: acme, order, attempt: { ...idle, order: { kind: 'known', url: 'u', wait: wait(now + 900) } } },
      { kind: 'rest', revisitAt: now + 900 },
    ],
    [
      'says what a long wait is for',
      { issuer: acme, order, attempt: { ...idle, order: { kind: 'known', url: 'u', wait: wait(now + 60_000) } } },
      { kind: 'tellPending', message: 'slow down' },
    ],
    [
      'and keeps it on the Order',
      {
        issuer: acme,
        order,
        request: request(pending('slow down')),
        attempt: { ...idle, order: { kind: 'known', url: 'u', wait: wait(now + 60_000) } },
      },
      { kind: 'noteWait' },
    ],
  ])('%s', (_, change, action) => {
    expect(plan(change)).toEqual(action);
  });

  it('names an issuer that does not exist, once', () => {
    const first = plan({ issuer: { kind: 'missing' } });
    if (first.kind !== 'tellPending') throw new Error(`planned ${first.kind}`);
    expect(first.message).toContain('Issuer "ca" does not exist');
    expect(plan({ issuer: { kind: 'missing' }, request: request(pending(first.message)) })).toEqual({ kind: 'rest' });
  });

  it.each(['Issued', 'Failed', 'Denied'])('is over once it is %s', (reason) => {
    const status = reason === 'Issued' ? 'True' : 'False';
    expect(plan({ request: request({ type: 'Ready', status, reason }) })).toEqual({ kind: 'rest' });
  });
});

function wait(until: number) {
  return { until, reason: 'RateLimited', message: 'slow down', attempts: 1 };
}

function pending(message: string): Condition {
  return { type: 'Ready', status: 'False', reason: 'Pending', message };
}
