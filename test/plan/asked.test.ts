// A renewal that a person asks for (`cmctl renew`) while the certificate is good: nothing but its end makes it forgotten.

import { describe, expect, it } from 'vitest';
import type { CertificateStatus } from '../../src/api/certmanager.ts';
import { planCertificate } from '../../src/plan/certificate.ts';
import type { CertificateSeen } from '../../src/plan/seen.ts';
import {
  certificate,
  conditionIn,
  expired,
  good,
  minute,
  now,
  request,
  seen,
  settle,
  statusOf,
} from './certificate-scene.ts';

const ready = { type: 'Ready', status: 'True', reason: 'Ready', lastTransitionTime: '2026-11-20T12:00:00Z' } as const;
const asked = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered' } as const;
const status: CertificateStatus = { revision: 1, conditions: [ready, asked] };
const held = { key: 'held', keyFingerprint: 'k2', signed: false } as const;

function of(change: Partial<CertificateSeen> = {}): CertificateSeen {
  return seen({ secret: good, certificate: certificate(status), ...change });
}

const failure = {
  failureTime: '2026-11-21T12:00:00Z',
  conditions: [{ type: 'Ready', status: 'False', reason: 'Failed', message: 'The CA is closed.' }],
} as const;

describe('what a person asked for', () => {
  it('is begun', () => {
    expect(planCertificate(of(), 2, now).kind).toBe('makeKey');
  });

  it.each<[string, Partial<CertificateSeen>, RegExp]>([
    ['an issuer that is not ready', { issuer: { kind: 'notReady', message: 'no key.' } }, /not ready: no key/],
    [
      'an approver who has not spoken',
      { attempt: held, request: request({}, { approval: { kind: 'open', approver: 'theirs' } }) },
      /waits for somebody to approve it/,
    ],
    ['another issuer at work', { issuer: { kind: 'external' }, attempt: held, request: request() }, /waits for/],
  ])('is told and not forgotten because of %s', (_, change, words) => {
    const first = settle(of(change));
    const issuing = conditionIn(first.seen.certificate.status ?? {}, 'Issuing');
    expect(issuing).toMatchObject({
      status: 'True',
      reason: 'ManuallyTriggered',
      message: expect.stringMatching(words),
    });
    expect(first.next.kind).toBe('rest');
    const afterwards = { ...first.seen, issuer: { kind: 'local' }, attempt: { key: 'none', signed: false } } as const;
    const { request: _request, ...without } = afterwards;
    expect(planCertificate(without, 2, now).kind).toBe('makeKey');
  });

  it('is tried again after a failure, when its time has come', () => {
    const failed = settle(of({ attempt: held, request: request(failure) }));
    const told = conditionIn(failed.seen.certificate.status ?? {}, 'Issuing');
    expect(told).toMatchObject({ status: 'False', reason: 'Failed', message: expect.stringContaining('closed') });
    expect(failed.next).toEqual({ kind: 'rest', revisitAt: now + minute });
    expect(planCertificate(failed.seen, 2, now + minute)).toEqual({ kind: 'deleteRequest', name: 'foo-2' });
  });

  it('is given up with the spec that failed', () => {
    const { seen: failed } = settle(of({ attempt: held, request: request(failure) }));
    const { certificate: of1 } = failed;
    const edited = { ...of1, metadata: { ...of1.metadata, generation: 2 } };
    const after = settle({ ...failed, certificate: edited, request: request(failure, { matchesSpec: false }) });
    expect(conditionIn(after.seen.certificate.status ?? {}, 'Issuing')).toBeUndefined();
    expect(after.next).toEqual({ kind: 'deleteRequest', name: 'foo-2' });
  });

  it('is not read out of the failure of a first issuance whose Secret somebody has restored', () => {
    const first = settle(seen({ attempt: held, request: request(failure) }));
    const restored = settle({ ...first.seen, secret: good }, now + 10_000);
    expect(conditionIn(restored.seen.certificate.status ?? {}, 'Issuing')).toBeUndefined();
  });
});

describe('a certificate that is to expire (policy Disabled)', () => {
  const left = { secret: expired, renewal: 'disabled', certificate: certificate({ revision: 1 }) } as const;

  it('says so when it has, and rests', () => {
    const after = settle(seen(left));
    const last = after.seen.certificate.status ?? {};
    expect(conditionIn(last, 'Ready')).toMatchObject({ status: 'False', reason: 'Expired' });
    expect(conditionIn(last, 'Ready')?.message).toMatch(/expired at .*policy is Disabled.*cmctl renew/);
    expect(conditionIn(last, 'Issuing')).toMatchObject({ status: 'False', reason: 'RenewalDisabled' });
    expect(after.next).toEqual({ kind: 'rest' });
  });

  it('is renewed when a person asks, or asks for another thing', () => {
    expect(planCertificate(seen({ ...left, certificate: certificate(status) }), 2, now).kind).toBe('makeKey');
    expect(planCertificate(seen({ ...left, requestChanged: 'Another subject.' }), 2, now).kind).toBe('makeKey');
  });

  it('is good until then', () => {
    const after = statusOf(planCertificate(seen({ ...left, secret: good }), 2, now));
    expect(conditionIn(after, 'Issuing')).toBeUndefined();
    expect(conditionIn(after, 'Ready')).toMatchObject({ status: 'True' });
  });
});
