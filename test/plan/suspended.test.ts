// A Certificate that its listener's object may not have at the moment: it says so, and nothing is issued, whatever stands in the Secret.

import { describe, expect, it } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import { planCertificate } from '../../src/plan/certificate.ts';
import type { CertificateSeen } from '../../src/plan/seen.ts';
import { nothingStands } from '../../src/plan/standing.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const day = 86_400_000;
const reason = 'Gateway infra/gw allows no listener sets.';

const certificate: Certificate = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'foo-tls', namespace: 'team', uid: 'c', annotations: { 'certway.dev/suspended': reason } },
  spec: { secretName: 'foo-tls', dnsNames: ['foo.com'], issuerRef: { name: 'ca' } },
};

function seen(secret: CertificateSeen['secret'], renewAt?: number): CertificateSeen {
  return {
    certificate,
    secret,
    issuer: { kind: 'local' },
    standing: nothingStands,
    renewal: 'wanted',
    leastBackOffMs: 60_000,
    attempt: { key: 'none', signed: false },
    leftovers: { keySecrets: [], requests: [] },
    keystores: { kind: 'judged', unfit: [] },
    drift: [],
    ...(renewAt !== undefined && { renewAt }),
  };
}

function holding(notAfter: number): CertificateSeen['secret'] {
  const facts = {
    certificateName: 'foo-tls',
    issuer: { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' },
    missing: [],
    mismatches: [],
    leaf: { notBefore: now - 60 * day, notAfter, keyFingerprint: 'k', fingerprint: 'f1', origin: 'issuer' as const },
  };
  return { kind: 'ours', facts };
}

describe('a suspended Certificate', () => {
  it.each<[string, CertificateSeen, 'True' | 'False']>([
    ['whose Secret is good', seen(holding(now + 30 * day), now + 10 * day), 'True'],
    ['whose renewal is due', seen(holding(now + 30 * day), now - 1), 'True'],
    ['whose Secret has expired', seen(holding(now - 1), now - day), 'False'],
    ['whose Secret is gone', seen({ kind: 'absent' }), 'False'],
  ])('%s says so in its condition, and issues nothing', (_, given, ready) => {
    const action = planCertificate(given, 1, now);
    if (action.kind !== 'writeStatus') throw new Error(`planned ${action.kind}`);
    const conditions = action.status.conditions ?? [];
    expect(conditions.find(({ type }) => type === 'Ready')).toMatchObject({ status: ready });
    expect(conditions.find(({ type }) => type === 'Issuing')).toMatchObject({
      status: 'False',
      reason: 'Suspended',
      message: reason,
    });
    const told = { ...given, certificate: { ...certificate, status: action.status } };
    expect(planCertificate(told, 1, now).kind).toBe('rest');
  });

  it('is looked at again when it expires: it is Ready no longer', () => {
    const given = seen(holding(now + 30 * day), now - 1);
    const action = planCertificate(given, 1, now);
    if (action.kind !== 'writeStatus') throw new Error(`planned ${action.kind}`);
    const told = { ...given, certificate: { ...certificate, status: action.status } };
    expect(planCertificate(told, 1, now)).toEqual({ kind: 'rest', revisitAt: now + 30 * day });
  });
});
