// Turns a stage into the Certificate's status, and says whether it differs from what stands there. Called by certificate.ts.

import type { Certificate, CertificateStatus } from '../api/certmanager.ts';
import type { Condition } from '../api/meta.ts';
import type { Stage } from './assess.ts';
import { conditionOf, timestamp, withCondition, withoutCondition } from './conditions.ts';
import type { Verdict } from './judge.ts';

export interface StatusInput {
  readonly certificate: Certificate;
  readonly verdict: Verdict;
  readonly stage: Stage;
  /** The revision that the Secret holds after this status; absent while there is none. */
  readonly revision?: number;
  readonly renewAt?: number;
}

/** The status to write, or undefined when the present one says the same. */
export function changedStatus(input: StatusInput, now: number): CertificateStatus | undefined {
  const wanted = statusOf(input, now);
  return equal(wanted, input.certificate.status ?? {}) ? undefined : wanted;
}

function statusOf(input: StatusInput, now: number): CertificateStatus {
  const { certificate, stage, verdict, revision } = input;
  const last = certificate.status ?? {};
  const said = withIssuing(withReady(last.conditions, input, now), certificate, stage, now);
  const conditions = withRateLimit(said, certificate, stage, now);
  const times =
    verdict.kind === 'good'
      ? {
          notBefore: timestamp(verdict.notBefore),
          notAfter: timestamp(verdict.notAfter),
          ...(input.renewAt !== undefined && { renewalTime: timestamp(input.renewAt) }),
        }
      : {};
  const failure = failureAfter(stage, isEdited(certificate) ? {} : last);
  return { conditions, ...times, ...failure, ...(revision !== undefined && { revision }) };
}

/** Since the Issuing condition was written: a failure of the spec before counts no more, or what is told meanwhile would bring its pause back. */
function isEdited({ status, metadata }: Certificate): boolean {
  const seen = conditionOf(status?.conditions, 'Issuing')?.observedGeneration;
  return seen !== undefined && seen !== metadata.generation;
}

function failureAfter(stage: Stage, last: CertificateStatus) {
  const { lastFailureTime, failedIssuanceAttempts } = last;
  if (stage.kind === 'ready') return {};
  if (stage.kind === 'failed') {
    return { lastFailureTime: stage.failedAt, failedIssuanceAttempts: (failedIssuanceAttempts ?? 0) + 1 };
  }
  return {
    ...(lastFailureTime !== undefined && { lastFailureTime }),
    ...(failedIssuanceAttempts !== undefined && { failedIssuanceAttempts }),
  };
}

function withReady(conditions: readonly Condition[] | undefined, input: StatusInput, now: number) {
  const { verdict, stage, certificate } = input;
  const generation = certificate.metadata.generation;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  if (verdict.kind === 'good') {
    const message = 'Certificate is up to date and has not expired';
    return withCondition(conditions, { type: 'Ready', status: 'True', reason: 'Ready', message, ...observed }, now);
  }
  const detail = stage.kind === 'blocked' || stage.kind === 'failed' ? ` ${stage.message}` : '';
  const message = `${verdict.message}${detail}`;
  return withCondition(
    conditions,
    { type: 'Ready', status: 'False', reason: verdict.reason, message, ...observed },
    now,
  );
}

/** Nothing is issued while one of these stands: to a cert-manager that takes over, True would mean to issue now. */
const idle: ReadonlySet<string> = new Set([
  'Suspended',
  'NamesNotAllowed',
  'IssuerNotAllowed',
  'NamespaceReserved',
  'NamespaceDraining',
  'RenewalDisabled',
  'KeystorePasswordSecretNotFound',
  'KeystorePasswordMissing',
]);

function withIssuing(conditions: readonly Condition[], certificate: Certificate, stage: Stage, now: number) {
  const generation = certificate.metadata.generation;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  switch (stage.kind) {
    case 'ready':
      return withoutCondition(conditions, 'Issuing');
    case 'failed':
      return withCondition(
        conditions,
        { type: 'Issuing', status: 'False', reason: 'Failed', message: stage.message, ...observed },
        now,
      );
    case 'blocked':
      // A failure's own generation is what tells later whether the spec has changed since: keep it.
      if (stage.reason === 'Failed' && conditionOf(conditions, 'Issuing') !== undefined) return conditions;
      return withCondition(
        conditions,
        {
          type: 'Issuing',
          status: idle.has(stage.reason) ? 'False' : 'True',
          reason: isAsked(conditions) && !idle.has(stage.reason) ? manually : stage.reason,
          message: stage.message,
          ...observed,
        },
        now,
      );
    case 'issuing':
      return withCondition(
        conditions,
        { type: 'Issuing', status: 'True', reason: stage.reason, message: stage.message, ...observed },
        now,
      );
    default:
      return stage satisfies never;
  }
}

/** The CA's word, or Certway's own for it: the limit, whose it is, and until when. */
const limits: ReadonlySet<string> = new Set(['RateLimited', 'CAPaused']);

function withRateLimit(conditions: readonly Condition[], { metadata }: Certificate, stage: Stage, now: number) {
  const type = 'RateLimited';
  if (stage.kind !== 'blocked' || !limits.has(stage.reason)) return withoutCondition(conditions, type);
  const { generation: observedGeneration } = metadata;
  const { reason, message } = stage;
  const observed = { ...(observedGeneration !== undefined && { observedGeneration }) };
  return withCondition(conditions, { type, status: 'True', reason, message, ...observed }, now);
}

/** What a person asked for stands nowhere else: an obstacle must not make it forgotten. */
function isAsked(conditions: readonly Condition[]): boolean {
  const issuing = conditionOf(conditions, 'Issuing');
  return issuing?.status === 'True' && issuing.reason === manually;
}

const manually = 'ManuallyTriggered';

function equal(a: CertificateStatus, b: CertificateStatus): boolean {
  return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
}

function canonical(status: CertificateStatus): unknown {
  const conditions = (status.conditions ?? []).map((each) => [
    each.type,
    each.status,
    each.reason ?? '',
    each.message ?? '',
    each.observedGeneration ?? 0,
  ]);
  const { notBefore, notAfter, renewalTime, revision, lastFailureTime, failedIssuanceAttempts } = status;
  return [conditions, notBefore, notAfter, renewalTime, revision, lastFailureTime, failedIssuanceAttempts ?? 0];
}
