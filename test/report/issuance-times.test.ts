// Which changes of a Certificate or a request end an issuance: each is counted once, and none that was there before.

import { describe, expect, it } from 'vitest';
import type { Certificate, CertificateRequest } from '../../src/api/certmanager.ts';
import { firstIssued, outcomeOf } from '../../src/apply/issuance-times.ts';

const certificate = (uid: string, revision?: number): Certificate => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'web', namespace: 'shop', uid },
  spec: { secretName: 'web-tls', issuerRef: { name: 'le' } },
  ...(revision !== undefined && { status: { revision } }),
});

const request = (uid: string, status?: CertificateRequest['status']): CertificateRequest => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'CertificateRequest',
  metadata: { name: 'web-1', namespace: 'shop', uid },
  spec: { issuerRef: { name: 'le' }, request: '' },
  ...(status !== undefined && { status }),
});

const ready = (reason: string): CertificateRequest['status'] => ({
  conditions: [{ type: 'Ready', status: 'False', reason, lastTransitionTime: '2026-01-01T00:00:00Z' }],
});

const applied = <T>(object: T, previous?: T, origin: 'watch' | 'list' = 'watch') =>
  ({ kind: 'applied', key: 'shop/web', object, origin, ...(previous !== undefined && { previous }) }) as const;

describe('a Certificate', () => {
  it.each([
    ['gets its first revision', applied(certificate('a', 1), certificate('a')), true],
    ['had it when this process started', applied(certificate('a', 1), undefined, 'list'), false],
    ['is renewed', applied(certificate('a', 2), certificate('a', 1)), false],
    ['has none yet', applied(certificate('a'), certificate('a')), false],
    ['is another of the same name', applied(certificate('b', 1), certificate('a')), false],
    ['is gone', { kind: 'removed', key: 'shop/web', previous: certificate('a'), origin: 'watch' } as const, false],
  ])('that %s', (_, change, isFirst) => {
    expect(firstIssued(change) !== undefined).toBe(isFirst);
  });
});

describe('a request', () => {
  const signed = request('a', { certificate: 'LS0t' });
  it.each([
    ['is signed', applied(signed, request('a')), 'issued'],
    ['was signed before', applied(signed, signed), undefined],
    ['was signed when this process started', applied(signed, undefined, 'list'), undefined],
    ['has failed', applied(request('a', ready('Failed')), request('a', ready('Pending'))), 'failed'],
    ['was denied', applied(request('a', ready('Denied')), request('a')), 'failed'],
    ['waits', applied(request('a', ready('Pending')), request('a')), undefined],
  ])('that %s', (_, change, outcome) => {
    expect(outcomeOf(change)).toBe(outcome);
  });
});
