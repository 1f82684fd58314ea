// Decides whether a Certificate is at rest, must be issued now, or cannot be issued yet and why. Called by certificate.ts.

import { fullRef } from '../api/issuer-ref.ts';
import { annotations } from '../api/names.ts';
import { conditionOf } from './conditions.ts';
import { keepsSecrets } from './infra-hold.ts';
import type { Verdict } from './judge.ts';
import { failureOf } from './request-end.ts';
import type { CertificateSeen } from './seen.ts';

export type Stage =
  | { readonly kind: 'ready'; readonly revisitAt?: number }
  | { readonly kind: 'issuing'; readonly reason: string; readonly message: string }
  | {
      readonly kind: 'blocked';
      readonly reason: string;
      readonly message: string;
      readonly revisitAt?: number;
      /** It stands in Certway's own line, in good order: the condition says so, and an event would only repeat it. */
      readonly inLine?: true;
    }
  /** The request failed, and the Certificate's status does not say so yet. */
  | { readonly kind: 'failed'; readonly message: string; readonly failedAt: string };

/** What the platform has taken back for the time being: nothing may be proven for it. */
export function isWithheld(stage: Stage): boolean {
  return isSuspended(stage) || (stage.kind === 'blocked' && takenBack.has(stage.reason));
}

/** Its listeners may not have it now: not even its Secret's form follows the spec. */
export function isSuspended(stage: Stage): boolean {
  return stage.kind === 'blocked' && (stage.reason === 'Suspended' || stage.reason === 'NamespaceReserved');
}

const takenBack: ReadonlySet<string> = new Set(['NamesNotAllowed', 'IssuerNotAllowed', 'NamespaceDraining']);

const minute = 60_000;
/** Let's Encrypt's advice for repeated failures: 1, 10, 100 minutes, then daily. */
const backOff = [minute, 10 * minute, 100 * minute, 1_440 * minute] as const;

/** Why issuance is wanted: the Secret is not good, it is to be revoked, a person asked (`cmctl renew`), or it is time. */
function trigger(seen: CertificateSeen, verdict: Verdict, now: number) {
  const isLeft = verdict.kind === 'bad' && verdict.reason === 'Expired' && seen.renewal === 'disabled';
  if (verdict.kind === 'bad' && !isLeft) return { reason: verdict.reason, message: verdict.message };
  if (verdict.kind === 'good' && seen.replacement?.fingerprint === verdict.fingerprint) {
    return { reason: 'Revoking', message: seen.replacement.message };
  }
  if (isAsked(seen)) return { reason: 'ManuallyTriggered', message: 'Certificate re-issuance manually triggered' };
  if (seen.renewAt !== undefined && seen.renewAt <= now) {
    const due = new Date(seen.renewAt).toISOString();
    return { reason: 'Renewing', message: `Renewing certificate as renewal was scheduled at ${due}` };
  }
  return undefined;
}

/** By `cmctl renew`, and not given up after a failure: only then a Certificate that was Ready before it says that it failed. */
function isAsked({ certificate: { status, metadata } }: CertificateSeen): boolean {
  const issuing = conditionOf(status?.conditions, 'Issuing');
  if (issuing?.status === 'True') return issuing.reason === 'ManuallyTriggered';
  if (issuing?.reason !== 'Failed' || issuing.observedGeneration !== metadata.generation) return false;
  const ready = conditionOf(status?.conditions, 'Ready');
  const [since, failed] = [ready?.lastTransitionTime ?? '', status?.lastFailureTime ?? ''];
  return ready?.status === 'True' && Date.parse(since) < Date.parse(failed);
}

export function assess(seen: CertificateSeen, verdict: Verdict, now: number): Stage {
  const suspended = seen.certificate.metadata.annotations?.[annotations.suspended];
  // Told while the Secret is still good too: who waits for the next renewal learns it too late.
  if (suspended !== undefined)
    return blocked(isReserved(seen, suspended) ? 'NamespaceReserved' : 'Suspended', suspended);
  if (seen.notAllowed !== undefined) return blocked(seen.notAllowed.reason, seen.notAllowed.message);
  if (seen.infra?.kind === 'draining') return blocked('NamespaceDraining', seen.infra.message);
  const why = trigger(seen, verdict, now);
  if (why === undefined) {
    const next: Stage = { kind: 'ready', ...(seen.renewAt !== undefined && { revisitAt: seen.renewAt }) };
    return leftToExpire(verdict) ?? unwritable(seen, now) ?? next;
  }
  return untold(seen, now) ?? obstacle(seen) ?? refused(seen, now) ?? resting(seen, now) ?? { kind: 'issuing', ...why };
}

/** Suspended by its listeners, on the word of the infrastructure half. */
function isReserved({ infra }: CertificateSeen, suspended: string): boolean {
  return infra?.kind === 'reserved' && suspended.startsWith(infra.message);
}

/** What is not good and not to be issued either. */
function leftToExpire(verdict: Verdict): Stage | undefined {
  if (verdict.kind === 'good') return undefined;
  const message = 'spec.renewal.policy is Disabled, so it is not renewed: change that, or ask once with cmctl renew.';
  return blocked('RenewalDisabled', message);
}

/** The pair is good, but what else the spec wants in the Secret cannot be written. */
function unwritable(seen: CertificateSeen, now: number): Stage | undefined {
  const { keystores, drift } = seen;
  // It is told when something is to be issued; what is good but for its form can wait in silence.
  if (keepsSecrets(seen.infra)) return undefined;
  if (keystores.kind === 'obstacle') return blocked(keystores.reason, keystores.message);
  return drift.length === 0 ? undefined : refused(seen, now);
}

/** What stands in the way and will not go away by waiting: it ends with an event, never by a timer. */
function obstacle(seen: CertificateSeen): Stage | undefined {
  const { certificate, secret, issuer } = seen;
  const name = certificate.spec.secretName;
  if (seen.invalid !== undefined) return blocked('InvalidSpec', seen.invalid);
  // Its rights may be on their way: until then what the API server says of them is no news.
  if (keepsSecrets(seen.infra)) return blocked('InfraNotReady', seen.infra.message);
  if (secret.kind === 'forbidden') return blocked('Forbidden', secret.message);
  if (seen.request?.maker === 'somebody') {
    const request = seen.request.object.metadata.name;
    const what = `CertificateRequest "${request}" is in the way: somebody made it by hand, under the name of this Certificate's next one.`;
    return blocked('RequestNotOurs', `${what} Delete it, or name the Certificate otherwise.`);
  }
  if (seen.rival !== undefined) {
    return blocked(
      'DuplicateSecretName',
      `Certificate "${seen.rival}" already writes Secret "${name}"; choose another secretName.`,
    );
  }
  if (secret.kind === 'foreign') {
    return blocked(
      'SecretNotOurs',
      `Secret "${name}" exists and was not made for a Certificate; it is left alone. Delete it, or choose another secretName.`,
    );
  }
  if (seen.claimedSecret !== undefined) return blocked('SecretNotOurs', seen.claimedSecret);
  if (seen.unfitKey !== undefined && seen.replacement?.freshKey !== true)
    return blocked('CannotRegenerateKey', seen.unfitKey);
  if (seen.keystores.kind === 'obstacle') return blocked(seen.keystores.reason, seen.keystores.message);
  switch (issuer.kind) {
    case 'missing':
      return blocked('IssuerNotFound', `${issuerName(seen)} does not exist; create it, or correct the reference.`);
    case 'notReady':
      return blocked('IssuerNotReady', `${issuerName(seen)} is not ready: ${issuer.message}`);
    case 'acme':
      // A proof that has begun is carried through: its route stands already.
      if (seen.order !== undefined) return undefined;
      if (issuer.path.kind === 'closed') return blocked('NoChallengePath', issuer.path.message);
      return seen.move === undefined ? undefined : blocked('InfraNotReady', seen.move);
    case 'unseen':
    case 'local':
    case 'remote':
    case 'external':
      return undefined;
    default:
      return issuer satisfies never;
  }
}

function refused({ refusal }: CertificateSeen, now: number): Stage | undefined {
  if (refusal === undefined || refusal.until <= now) return undefined;
  return { kind: 'blocked', reason: 'Refused', message: refusal.message, revisitAt: refusal.until };
}

function issuerName(seen: CertificateSeen): string {
  const { kind, name } = fullRef(seen.certificate.spec.issuerRef);
  return `${kind} "${name}"`;
}

function untold(seen: CertificateSeen, now: number): Stage | undefined {
  const { request, certificate } = seen;
  const failure = request?.matchesSpec === true ? failureOf(request.object) : undefined;
  if (failure === undefined || request === undefined) return undefined;
  const { creationTimestamp = failure.at } = request.object.metadata;
  // Another issuer's clock may be wrong, and ours may have been.
  const failedAt = isAhead(failure.at, now) ? creationTimestamp : failure.at;
  const { lastFailureTime: told, failedIssuanceAttempts: failures = 0 } = certificate.status ?? {};
  const isTold = told !== undefined && Date.parse(told) >= Date.parse(failedAt);
  if (isTold && (!isAhead(told, now) || isAhead(failedAt, now))) return undefined;
  const next = new Date(Date.parse(failedAt) + intervalAfter(failures + 1, seen.leastBackOffMs)).toISOString();
  const message = `${failure.message} The next attempt is at ${next}, or at once after a change of the spec.`;
  return { kind: 'failed', message, failedAt };
}

/** Later than any pause lasts: the clock has been set back since. */
function isAhead(time: string, now: number): boolean {
  return Date.parse(time) > now + (backOff.at(-1) ?? 0);
}

/** ms; `least` lifts the first ones. */
function intervalAfter(failures: number, least: number): number {
  return Math.max(least, backOff[Math.min(failures, backOff.length) - 1] ?? minute);
}

/** After a failure the next attempt waits, unless the spec has changed since. */
function resting(seen: CertificateSeen, now: number): Stage | undefined {
  const { status, metadata } = seen.certificate;
  const issuing = conditionOf(status?.conditions, 'Issuing');
  const attempts = status?.failedIssuanceAttempts ?? 0;
  if (status?.lastFailureTime === undefined || attempts === 0 || issuing?.reason === 'ManuallyTriggered')
    return undefined;
  if (issuing?.observedGeneration !== undefined && issuing.observedGeneration !== metadata.generation) return undefined;
  const revisitAt = Date.parse(status.lastFailureTime) + intervalAfter(attempts, seen.leastBackOffMs);
  if (revisitAt <= now || isAhead(status.lastFailureTime, now)) return undefined;
  const message = issuing?.status === 'False' ? (issuing.message ?? '') : 'The last attempt failed.';
  return { kind: 'blocked', reason: 'Failed', message, revisitAt };
}

function blocked(reason: string, message: string): Stage {
  return { kind: 'blocked', reason, message };
}
