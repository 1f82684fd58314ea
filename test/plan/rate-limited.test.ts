// The condition RateLimited: there while an order waits for a limit or a pause, and for nothing else.

import { describe, expect, it } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import type { Stage } from '../../src/plan/assess.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { changedStatus } from '../../src/plan/status.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const verdict = { kind: 'bad', reason: 'DoesNotExist', message: 'Secret "tls" does not exist.' } as const;
const certificate: Certificate = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'tls', namespace: 'team', generation: 3 },
  spec: { secretName: 'tls', dnsNames: ['a.example'], issuerRef: { name: 'acme' } },
};

function statusAfter(stage: Stage, before: Certificate = certificate): Certificate {
  const status = changedStatus({ certificate: before, verdict, stage }, now);
  return { ...before, status: status ?? before.status ?? {} };
}

const message =
  "The CA's limit newOrdersPerAccount for https://ca/1 leaves no room; it is this order's turn at about 2026-11-21T13:00:00Z.";
const limited: Stage = { kind: 'blocked', reason: 'RateLimited', message, inLine: true };

describe('a Certificate whose order waits', () => {
  it.each(['RateLimited', 'CAPaused'])('as %s says so in a condition of its own, and in Issuing', (reason) => {
    const { conditions } = statusAfter({ kind: 'blocked', reason, message }).status ?? {};
    const said = { status: 'True', reason, message, observedGeneration: 3 };
    expect(conditionOf(conditions, 'RateLimited')).toMatchObject(said);
    expect(conditionOf(conditions, 'Issuing')).toMatchObject(said);
  });

  it('says nothing twice', () => {
    const told = statusAfter(limited);
    expect(changedStatus({ certificate: told, verdict, stage: limited }, now + 60_000)).toBeUndefined();
  });

  it.each<[string, Stage]>([
    ['it goes on', { kind: 'issuing', reason: 'DoesNotExist', message: 'go' }],
    ['it waits for something else', { kind: 'blocked', reason: 'CAUnreachable', message: 'no route' }],
    ['it waits for its twin', { kind: 'blocked', reason: 'EqualOrder', message: 'after it', inLine: true }],
    ['it has failed', { kind: 'failed', message: 'no', failedAt: '2026-11-21T12:00:00Z' }],
    ['it is there', { kind: 'ready' }],
  ])('says it no more when %s', (_, stage) => {
    const { conditions } = statusAfter(stage, statusAfter(limited)).status ?? {};
    expect(conditionOf(conditions, 'RateLimited')).toBeUndefined();
  });
});
