// Turns that an issuance takes: another controller at work, a request that comes to nothing, an edit taken back, a domain withdrawn, a key that is kept.

import { describe, expect, it } from 'vitest';
import type { CertificateRequest } from '../../src/api/certmanager.ts';
import { planCertificate } from '../../src/plan/certificate.ts';
import type { CertificateSeen } from '../../src/plan/seen.ts';
import { nothingStands } from '../../src/plan/standing.ts';
import {
  certificate,
  conditionIn,
  expired,
  facts,
  good,
  now,
  request,
  seen,
  settle,
  statusOf,
} from './certificate-scene.ts';

const durable = { key: 'durable', keyFingerprint: 'k2', signed: false } as const;
const external = { kind: 'external' } as const;
const theirs = { issuerRef: { name: 'pca', kind: 'Authority', group: 'example.com' } } as const;

describe('an issuer of another group', () => {
  const of = (status: CertificateRequest['status']) =>
    seen({ certificate: certificate({}, {}, theirs), issuer: external, attempt: durable, request: request(status) });

  it('is waited for, in its own words, and without a timer', () => {
    const silent = settle(of({}));
    const said = conditionIn(silent.seen.certificate.status ?? {}, 'Issuing');
    expect(said).toMatchObject({ status: 'True', reason: 'AwaitingIssuer' });
    expect(said?.message).toBe('CertificateRequest "foo-2" waits for Authority.example.com "pca".');
    expect(silent.next).toEqual({ kind: 'rest' });
    const pending = { type: 'Ready', status: 'False', reason: 'Pending', message: 'The HSM is slow.' } as const;
    const spoken = settle(of({ conditions: [pending] }));
    const { message } = conditionIn(spoken.seen.certificate.status ?? {}, 'Issuing') ?? {};
    expect(message).toBe('CertificateRequest "foo-2" waits for Authority.example.com "pca": The HSM is slow.');
  });

  it.each<[string, CertificateRequest['status']]>([
    [
      'with a time',
      { failureTime: '2026-11-21T12:00:00Z', conditions: [{ type: 'Ready', status: 'False', reason: 'Failed' }] },
    ],
    [
      'with the time of the condition alone',
      {
        conditions: [{ type: 'Ready', status: 'False', reason: 'Failed', lastTransitionTime: '2026-11-21T12:00:00Z' }],
      },
    ],
    ['with no time at all', { conditions: [{ type: 'Ready', status: 'False', reason: 'Failed' }] }],
    ['as an invalid request', { conditions: [{ type: 'InvalidRequest', status: 'True', message: 'no' }] }],
  ])('that refuses %s is asked again after a pause only', (_, status) => {
    const after = settle(of(status));
    expect(after.seen.certificate.status?.failedIssuanceAttempts).toBe(1);
    expect(after.next).toMatchObject({ kind: 'rest', revisitAt: expect.any(Number) });
  });

  it('whose Ready is True without a certificate is waited for', () => {
    const done = { type: 'Ready', status: 'True', reason: 'Issued' } as const;
    expect(settle(of({ conditions: [done] })).next).toEqual({ kind: 'rest' });
  });
});

describe('an edit after a failure', () => {
  const failure = { type: 'Ready', status: 'False', reason: 'Failed', message: 'no' } as const;
  const failed = { failureTime: '2026-11-21T12:00:00Z', conditions: [failure] };
  const edited = (change: Partial<CertificateSeen>) => {
    const { certificate: of } = settle(seen({ attempt: durable, request: request(failed) })).seen;
    const { status, metadata } = of;
    return settle(
      seen({ ...change, certificate: { ...of, metadata: { ...metadata, generation: 2 }, status: status ?? {} } }),
    );
  };

  it('is tried at once, though something had to be waited for first', () => {
    const waiting = edited({ issuer: { kind: 'notReady', message: 'no key.' } });
    expect(waiting.next).toEqual({ kind: 'rest' });
    expect(waiting.seen.certificate.status).not.toHaveProperty('lastFailureTime');
    expect(settle({ ...waiting.seen, issuer: { kind: 'local' } }).next).toEqual({ kind: 'makeKey' });
  });

  it('counts from one when it fails as well', () => {
    const again = { ...failed, failureTime: '2026-11-21T12:00:30Z' };
    const after = edited({ attempt: durable, request: request(again) });
    expect(after.seen.certificate.status).toMatchObject({ failedIssuanceAttempts: 1 });
  });
});

describe('an edit that is taken back before its certificate was issued', () => {
  it('takes its request along', () => {
    const given = seen({ secret: good, certificate: certificate({ revision: 1 }), request: request() });
    expect(settle(given).next).toEqual({ kind: 'deleteRequest', name: 'foo-2' });
  });

  it("leaves somebody's request that happens to have its name", () => {
    const theirs = request({}, { maker: 'somebody', matchesSpec: false });
    const given = seen({ secret: good, certificate: certificate({ revision: 1 }), request: theirs });
    expect(settle(given).next.kind).toBe('rest');
  });
});

describe('a Secret that another spec asked for', () => {
  const mismatched = { kind: 'ours', facts: { ...facts, mismatches: ['It differs in dnsNames.'] } } as const;
  const requestChanged = 'The spec differs from what was asked for in dnsNames.';
  const reasonOf = (change: Partial<CertificateSeen>) => {
    const action = planCertificate(seen({ issuer: { kind: 'missing' }, ...change }), 2, now);
    return conditionIn(statusOf(action), 'Ready')?.reason;
  };

  it.each<[string, Partial<CertificateSeen>, string]>([
    ['whose certificate shows it', { secret: mismatched, requestChanged }, 'RequestChanged'],
    ['of which no request is left', { secret: mismatched }, 'SecretMismatch'],
    ['that has expired since', { secret: expired, requestChanged }, 'RequestChanged'],
    [
      'of another issuer',
      { secret: { kind: 'ours', facts: { ...facts, issuer: { ...facts.issuer, name: 'other' } } }, requestChanged },
      'IncorrectIssuer',
    ],
  ])("%s gets cert-manager's reason", (_, change, reason) => {
    expect(reasonOf(change)).toBe(reason);
  });

  it('is asked for anew with the reason', () => {
    const held = { key: 'held', keyFingerprint: 'k2', signed: false } as const;
    expect(planCertificate(seen({ secret: good, requestChanged, attempt: held }), 2, now)).toEqual({
      kind: 'createRequest',
      why: `RequestChanged: ${requestChanged}`,
    });
  });
});

describe('a domain that is withdrawn from the namespace', () => {
  const notAllowed = { reason: 'NamesNotAllowed' as const, message: 'Namespace "team" may not have foo.com.' };
  it('is told at once, while the certificate is still good', () => {
    const after = settle(seen({ secret: good, notAllowed, renewAt: now + 1 }));
    const status = after.seen.certificate.status ?? {};
    expect(conditionIn(status, 'Ready')).toMatchObject({ status: 'True' });
    expect(conditionIn(status, 'Issuing')).toMatchObject({ status: 'False', reason: 'NamesNotAllowed' });
    expect(after.next).toEqual({ kind: 'rest', revisitAt: good.facts.leaf?.notAfter });
  });

  it('takes the challenge routes of its order along', () => {
    const standing = { ...nothingStands, routes: ['r'] };
    const acme = { kind: 'acme', path: { kind: 'open' } } as const;
    const given = seen({ notAllowed, issuer: acme, attempt: durable, request: request(), standing });
    expect(planCertificate(given, 2, now)).toEqual({ kind: 'withdraw', standing });
  });
});

it('a key that is kept and of another kind than asked for is left, until its owner says which wish counts', () => {
  const mismatched = { kind: 'ours', facts: { ...facts, mismatches: ['It differs in keyAlgorithm.'] } } as const;
  const after = settle(seen({ secret: mismatched, unfitKey: 'It holds RSA 2048, and is to be ECDSA 256.' }));
  const status = after.seen.certificate.status ?? {};
  expect(conditionIn(status, 'Ready')).toMatchObject({ status: 'False', reason: 'SecretMismatch' });
  expect(conditionIn(status, 'Issuing')).toMatchObject({ reason: 'CannotRegenerateKey' });
  expect(after.next).toEqual({ kind: 'rest' });
});
