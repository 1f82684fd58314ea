// What a Secret of Envoy Gateway's certificates holds: whether it serves, until when, and whom it trusts. Called by the plan of certificates.

import type { Secret } from '../api/core.ts';
import { annotations } from '../api/names.ts';
import { type CertificateFacts, openCertificate, readCertificate, splitPem } from '../pki/certificate.ts';
import { keyFromPem, publicKeysEqual } from '../pki/keys.ts';
import { renewalTime } from '../pki/renewal.ts';

export type LeafState =
  | { readonly kind: 'absent' }
  /** Nobody can use it: ended, unreadable, of another key, of other names, or of a CA that is not beside it. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'serving' /** Ms. */; readonly notAfter: number; readonly renewAt: number }
  /** Kept by cert-manager, as Envoy Gateway's own guide tells: not ours to renew. */
  | { readonly kind: 'ofCertManager' }
  /** The type of a Secret cannot be changed. */
  | { readonly kind: 'wrongType' };

export interface Leaf {
  readonly state: LeafState;
  /** PEM, of ca.crt, without what has ended. */
  readonly trusted: readonly string[];
}

/** Life of ours: a year; of the chart's: five. The last 90 days are for the renewal, or the last third of a shorter life. */
const renewBefore = '2160h';

export function leafOf(secret: Secret | undefined, dnsNames: readonly string[], now: number): Leaf {
  if (secret === undefined) return { state: { kind: 'absent' }, trusted: [] };
  const trusted = splitPem(fieldOf(secret, 'ca.crt')).filter((pem) => !hasEnded(pem, now));
  return { state: stateOf(secret, dnsNames, trusted, now), trusted };
}

function stateOf(secret: Secret, dnsNames: readonly string[], trusted: readonly string[], now: number): LeafState {
  if (secret.metadata.annotations?.[annotations.certificateName] !== undefined) return { kind: 'ofCertManager' };
  if (secret.type !== 'kubernetes.io/tls') return { kind: 'wrongType' };
  const facts = pairOf(secret)?.facts;
  const names = facts?.names.dnsNames ?? [];
  if (facts === undefined || facts.notAfter <= now || !dnsNames.every((name) => names.includes(name))) {
    return { kind: 'broken' };
  }
  if (!trusted.some((pem) => signedBy(fieldOf(secret, 'tls.crt'), pem))) return { kind: 'broken' };
  return { kind: 'serving', notAfter: facts.notAfter, renewAt: renewalTime({ ...facts, renewBefore }) };
}

export type AuthorityState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'broken' }
  | { readonly kind: 'wrongType' }
  | { readonly kind: 'usable'; readonly pem: string; readonly notBefore: number; readonly notAfter: number };

export function authorityStateOf(secret: Secret | undefined, now: number): AuthorityState {
  if (secret === undefined) return { kind: 'absent' };
  if (secret.type !== 'kubernetes.io/tls') return { kind: 'wrongType' };
  const pair = pairOf(secret);
  if (pair === undefined || !pair.facts.isCA || pair.facts.notAfter <= now) return { kind: 'broken' };
  const { notBefore, notAfter } = pair.facts;
  return { kind: 'usable', pem: pair.pem, notBefore, notAfter };
}

/** The first certificate and its key, where they belong together. */
export function pairOf(
  secret: Secret,
): { readonly pem: string; readonly facts: CertificateFacts; readonly key: CertificateFacts['publicKey'] } | undefined {
  const [pem] = splitPem(fieldOf(secret, 'tls.crt'));
  const facts = pem === undefined ? undefined : readCertificate(pem);
  const key = keyFromPem(fieldOf(secret, 'tls.key'));
  if (pem === undefined || facts?.ok !== true || !key.ok) return undefined;
  return publicKeysEqual(key.value, facts.value.publicKey) ? { pem, facts: facts.value, key: key.value } : undefined;
}

/** Empty where the Secret lacks it. */
export function fieldOf(secret: Secret | undefined, key: string): string {
  return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
}

/** By content: a PEM text may be wrapped differently. */
export function sameCertificate(a: string, b: string): boolean {
  const [left, right] = [openCertificate(a), openCertificate(b)];
  return left !== undefined && right !== undefined && left.raw.equals(right.raw);
}

function signedBy(chain: string, authority: string): boolean {
  const [leaf, signer] = [openCertificate(chain), openCertificate(authority)];
  if (leaf === undefined || signer === undefined) return false;
  try {
    return leaf.checkIssued(signer) && leaf.verify(signer.publicKey);
  } catch {
    // A key or signature that this OpenSSL does not know.
    return false;
  }
}

function hasEnded(pem: string, now: number): boolean {
  const facts = readCertificate(pem);
  return !facts.ok || facts.value.notAfter <= now;
}
