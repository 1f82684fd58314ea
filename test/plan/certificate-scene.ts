// A Certificate, its Secret and its request as values, with defaults that a test changes. Called by the specifications in this folder.

import type { Certificate, CertificateRequest, CertificateStatus } from '../../src/api/certmanager.ts';
import type { Condition } from '../../src/api/meta.ts';
import { type CertificateAction, planCertificate } from '../../src/plan/certificate.ts';
import type { CertificateSeen, RequestSeen, SecretFacts } from '../../src/plan/seen.ts';
import { nothingStands } from '../../src/plan/standing.ts';

export const now = Date.parse('2026-11-21T12:00:00Z');
export const minute = 60_000;
export const day = 1_440 * minute;

export function certificate(
  status?: CertificateStatus,
  metadata: Partial<Certificate['metadata']> = {},
  spec: Partial<Certificate['spec']> = {},
): Certificate {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: 'foo', namespace: 'team', uid: 'c1', generation: 1, ...metadata },
    spec: { secretName: 'foo-tls', dnsNames: ['foo.com'], issuerRef: { name: 'ca' }, ...spec },
    ...(status !== undefined && { status }),
  };
}

const leaf = {
  notBefore: now - day,
  notAfter: now + 89 * day,
  keyFingerprint: 'k1',
  fingerprint: 'f1',
  origin: 'issuer',
} as const;

export const facts: SecretFacts = {
  certificateName: 'foo',
  issuer: { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' },
  missing: [],
  mismatches: [],
  leaf,
};

export const good = { kind: 'ours', facts } as const;
export const expired = { kind: 'ours', facts: { ...facts, leaf: { ...leaf, notAfter: now - 1 } } } as const;

export function request(status: CertificateRequest['status'] = {}, change: Partial<RequestSeen> = {}): RequestSeen {
  return {
    object: {
      apiVersion: 'cert-manager.io/v1',
      kind: 'CertificateRequest',
      metadata: { name: 'foo-2', namespace: 'team', uid: 'r1', creationTimestamp: '2026-11-21T12:00:00Z' },
      spec: { issuerRef: { name: 'ca' }, request: 'Q1NS' },
      status,
    },
    approval: { kind: 'approved' },
    keyFingerprint: 'k2',
    matchesSpec: true,
    ...change,
  };
}

export function seen(change: Partial<CertificateSeen> = {}): CertificateSeen {
  return {
    certificate: certificate(),
    secret: { kind: 'absent' },
    issuer: { kind: 'local' },
    standing: nothingStands,
    renewal: 'wanted',
    leastBackOffMs: minute,
    attempt: { key: 'none', signed: false },
    leftovers: { keySecrets: [], requests: [] },
    keystores: { kind: 'judged', unfit: [] },
    drift: [],
    ...change,
  };
}

/** The status that the plan writes; throws where it plans another thing. */
export function statusOf(action: CertificateAction): CertificateStatus {
  if (action.kind !== 'writeStatus') throw new Error(`planned ${action.kind}`);
  return action.status;
}

export function conditionIn(status: CertificateStatus, type: string): Condition | undefined {
  return status.conditions?.find((each) => each.type === type);
}

/** Plans at `at`, and again with every status written, until it plans another thing: that, and the last status. */
export function settle(
  from: CertificateSeen,
  at: number = now,
): { readonly next: CertificateAction; readonly seen: CertificateSeen; readonly statuses: number } {
  let given = from;
  for (let statuses = 0; statuses < 4; statuses++) {
    const next = planCertificate(given, 2, at);
    if (next.kind !== 'writeStatus') return { next, seen: given, statuses };
    given = { ...given, certificate: { ...given.certificate, status: next.status } };
  }
  throw new Error('no end of status writes');
}
