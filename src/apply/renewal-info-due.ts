// When what a Certificate holds is due for renewal, by what its CA has been heard to suggest. Called where a Certificate is observed; it reads caches and
// the book, and tells the book of certificates that it does not know yet.

import type { Certificate } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import { certManagerGroup } from '../api/names.ts';
import { keyOf } from '../kube/store.ts';
import type { CertificateFacts } from '../pki/certificate.ts';
import { certificateId } from '../pki/certificate-id.ts';
import { conditionOf, timestamp } from '../plan/conditions.ts';
import { type Renewal, type RenewalInput, renewAt } from '../plan/renewal.ts';
import { firstAskAt } from '../plan/renewal-asks.ts';
import type { SecretFacts, SecretSeen } from '../plan/seen.ts';
import { isTwin } from '../plan/stamp.ts';
import type { Attempt } from './attempt.ts';
import { issuerOf } from './issuer-of.ts';
import type { Ports } from './ports.ts';
import type { KnownRenewal } from './renewal-info-book.ts';

/** How long a renewal that is due waits for the CA's first word in this process: with it, the order may be exempt from limits. */
const patienceMs = 120_000;

export type DueRenewal =
  | Renewal
  /** The CA is being asked; its answer, or its silence, wakes the Certificate before `until` (epoch ms). */
  | { readonly kind: 'awaited'; readonly until: number };

/** Undefined while there is no certificate. `signerEnd` is that of a CA whose key is here. */
export function dueRenewal(
  ports: Ports,
  certificate: Certificate,
  secret: SecretSeen,
  attempt: Attempt,
  signerEnd: number | undefined,
): DueRenewal | undefined {
  if (secret.kind !== 'ours' || secret.facts.leaf === undefined) return undefined;
  const { leaf } = secret.facts;
  const now = ports.now();
  const ca = caOf(ports, certificate);
  const { renewBefore, renewBeforePercentage, renewal } = certificate.spec;
  const { uid: seed = '' } = certificate.metadata;
  const remembered = ca === 'other' ? undefined : rememberedMoment(certificate, leaf);
  const terms = { leaf, renewBefore, renewBeforePercentage, renewal, signerEnd, seed } as const;
  const input: RenewalInput = { ...terms, remembered, ...(ca === 'acme' && { width: 'wide' }) };
  const certId = ca === 'other' ? undefined : askableId(ports, certificate, secret.facts, attempt);
  if (certId === undefined) {
    ports.renewals.delete(keyOf(certificate));
    return remember(attempt, certificate, leaf.fingerprint, { ...input, remembered: undefined });
  }
  const known = ports.renewals.get(keyOf(certificate));
  const isNew = known?.certId !== certId;
  const suggested = isNew ? undefined : known.suggested;
  const isSilent = known?.answer === 'none' && !isNew;
  const heard = { ...input, suggested, ...(isSilent && { remembered: undefined }) };
  const due = remember(attempt, certificate, leaf.fingerprint, heard);
  const entry = isNew ? enter(ports, certificate, { certId, leaf, due, remembered }, now) : known;
  const until = entry.seenAt + patienceMs;
  const isAwaited = due.kind === 'due' && due.at <= now && entry.answer === 'unasked' && now < until;
  return isAwaited ? { kind: 'awaited', until } : due;
}

/** `gone`: the issuer may come back in a moment, so what was decided stays. */
function caOf(ports: Ports, certificate: Certificate): 'acme' | 'other' | 'gone' {
  if (fullRef(certificate.spec.issuerRef).group !== certManagerGroup) return 'other';
  const issuer = issuerOf(ports, certificate);
  if (issuer === undefined) return 'gone';
  return issuer.spec.acme === undefined ? 'other' : 'acme';
}

/** Once for all that it depends on: many windows over a long life take a tenth of a second. */
function remember(
  attempt: Attempt,
  { metadata: { generation } }: Certificate,
  fingerprint: string,
  input: RenewalInput,
): Renewal {
  const { seed, signerEnd, width, remembered, suggested } = input;
  const of = JSON.stringify([generation, fingerprint, seed, signerEnd, width, remembered, suggested]);
  if (generation !== undefined && attempt.renewal?.of === of) return attempt.renewal.known;
  const known = renewAt(input);
  attempt.renewal = { of, known };
  return known;
}

interface Newcomer {
  readonly certId: string;
  readonly leaf: NonNullable<SecretFacts['leaf']>;
  readonly due: Renewal;
  readonly remembered: number | undefined;
}

function enter(ports: Ports, certificate: Certificate, newcomer: Newcomer, now: number): KnownRenewal {
  const { certId, leaf, due, remembered } = newcomer;
  const life = { notBefore: leaf.notBefore, notAfter: leaf.notAfter };
  const first = {
    certId,
    life,
    due: due.kind === 'due' ? due.at : life.notAfter,
    decided: remembered === undefined ? ('now' as const) : ('before' as const),
  };
  const entry: KnownRenewal = {
    certId,
    life,
    answer: 'unasked',
    seenAt: now,
    askAt: firstAskAt(first, now),
    failures: 0,
    ...(remembered !== undefined && { remembered }),
  };
  ports.renewals.set(keyOf(certificate), entry);
  ports.wakeRenewalInfo(keyOf(certificate));
  return entry;
}

/** By which the CA knows the certificate; undefined where it is not asked about it. */
function askableId(ports: Ports, certificate: Certificate, facts: SecretFacts, attempt: Attempt): string | undefined {
  const { spec, metadata } = certificate;
  if (ports.settings.renewalInfo === 'ignored' || spec.renewal?.policy === 'Disabled') return undefined;
  // The CA is the same at its other account.
  const isOfCa = isSameIssuer(certificate, facts) || isTwin(facts.issuer, spec.issuerRef);
  const isOurs = facts.certificateName === metadata.name && isOfCa;
  if (!isOurs || facts.leaf?.origin !== 'issuer' || facts.leaf.notAfter <= ports.now()) return undefined;
  const leaf = leafOf(attempt);
  return leaf === undefined ? undefined : certificateId(leaf);
}

/** What this Certificate's last status says, if it says it of this certificate and this spec. */
function rememberedMoment(
  { status, metadata }: Certificate,
  leaf: NonNullable<SecretFacts['leaf']>,
): number | undefined {
  const { renewalTime, notBefore, notAfter, conditions } = status ?? {};
  const isOfThis = notBefore === timestamp(leaf.notBefore) && notAfter === timestamp(leaf.notAfter);
  const isOfSpec = conditionOf(conditions, 'Ready')?.observedGeneration === metadata.generation;
  const at = Date.parse(renewalTime ?? '');
  return isOfThis && isOfSpec && at >= leaf.notBefore && at <= leaf.notAfter ? at : undefined;
}

/** Whether the Secret holds what the issuer that the Certificate names has issued. */
function isSameIssuer({ spec }: Pick<Certificate, 'spec'>, { issuer }: Pick<SecretFacts, 'issuer'>): boolean {
  const wanted = fullRef(spec.issuerRef);
  return issuer.name === wanted.name && issuer.kind === wanted.kind && issuer.group === wanted.group;
}

/** The certificate in the target Secret, as last read. */
export function leafOf({ secret }: Attempt): CertificateFacts | undefined {
  return secret?.kind === 'content' ? secret.content.leaf : undefined;
}
