// When a Secret whose pair is good is written again in another form, and what keeps it from being so.

import { describe, expect, it } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import { planCertificate } from '../../src/plan/certificate.ts';
import type { CertificateSeen, SecretFacts } from '../../src/plan/seen.ts';
import { nothingStands } from '../../src/plan/standing.ts';

const day = 86_400_000;
const now = Date.UTC(2026, 10, 21);
const renewAt = now + 30 * day;
const drift = [{ reason: 'SecretTemplateMismatch', message: 'labels "team" is missing or has another value' }] as const;

const facts: SecretFacts = {
  certificateName: 'web',
  issuer: { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' },
  missing: [],
  mismatches: [],
  leaf: {
    notBefore: now - 30 * day,
    notAfter: now + 60 * day,
    keyFingerprint: 'k',
    fingerprint: 'f1',
    origin: 'issuer',
  },
};

function seen(change: Partial<CertificateSeen> = {}, annotations: Record<string, string> = {}): CertificateSeen {
  const certificate: Certificate = {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: 'web', namespace: 'team', uid: 'c', generation: 2, annotations },
    spec: { secretName: 'web-tls', dnsNames: ['foo.com'], issuerRef: { name: 'ca' } },
  };
  return {
    certificate,
    secret: { kind: 'ours', facts },
    issuer: { kind: 'local' },
    standing: nothingStands,
    renewal: 'wanted',
    leastBackOffMs: 60_000,
    attempt: { key: 'none', signed: false },
    leftovers: { keySecrets: [], requests: [] },
    keystores: { kind: 'judged', unfit: [] },
    drift,
    renewAt,
    ...change,
  };
}

/** Every action until rest, each status written as planned. */
function course(input: CertificateSeen): string[] {
  const actions: string[] = [];
  let at = input;
  for (;;) {
    const action = planCertificate(at, 2, now);
    actions.push(action.kind === 'writeStatus' && action.stage.kind === 'blocked' ? action.stage.reason : action.kind);
    if (action.kind === 'rest') return actions;
    if (action.kind === 'writeStatus') at = { ...at, certificate: { ...at.certificate, status: action.status } };
    else if (action.kind === 'rewriteSecret') at = { ...at, drift: [] };
    else throw new Error(`unexpected: ${action.kind}`);
  }
}

const password = { kind: 'obstacle', reason: 'KeystorePasswordMissing', message: 'Set key "word".' } as const;

describe('the Secret of a good certificate', () => {
  it('is written again once, and nothing is issued', () => {
    expect(course(seen())).toEqual(['writeStatus', 'rewriteSecret', 'rest']);
    expect(course(seen({ drift: [] }))).toEqual(['writeStatus', 'rest']);
  });

  it('is written again while its renewal waits for something else', () => {
    expect(course(seen({ renewAt: now - 1, issuer: { kind: 'missing' } }))).toEqual([
      'IssuerNotFound',
      'rewriteSecret',
      'rest',
    ]);
  });

  it('is left while a password is missing, which is told though it stays Ready', () => {
    expect(course(seen({ keystores: password }))).toEqual(['KeystorePasswordMissing', 'rest']);
    const action = planCertificate(seen({ keystores: password }), 2, now);
    const conditions = action.kind === 'writeStatus' ? action.status.conditions : [];
    expect(conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual(['Ready=True', 'Issuing=False']);
  });

  it('is left until the moment to try again where the API server has refused it', () => {
    const refusal = { message: 'quota', until: now + 15_000 };
    expect(course(seen({ refusal }))).toEqual(['Refused', 'rest']);
    expect(course(seen({ refusal: { ...refusal, until: now } }))).toContain('rewriteSecret');
  });

  it('is left while the Certificate is suspended', () => {
    expect(course(seen({}, { 'certway.dev/suspended': 'not admitted' }))).toEqual(['Suspended', 'rest']);
  });
});

it('nothing is issued before its keystores can be made', () => {
  expect(course(seen({ secret: { kind: 'absent' }, drift: [], keystores: password }))).toEqual([
    'KeystorePasswordMissing',
    'rest',
  ]);
});
