// Decides what happens next to one Certificate, and when to look again. Called after every action by apply/certificate.ts until it
// answers `rest`: each action is one write or one question, so a crash before or after it leaves a state that this table knows.

import type { CertificateStatus } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import { effectOf } from '../order/step.ts';
import { assess, isSuspended, isWithheld, type Stage } from './assess.ts';
import { awaitedApproval, awaitedIssuer } from './awaited.ts';
import { conditionOf } from './conditions.ts';
import { keepsSecrets } from './infra-hold.ts';
import { judgeSecret, type Verdict } from './judge.ts';
import { failureOf, isIssued } from './request-end.ts';
import type { CertificateSeen } from './seen.ts';
import { isStanding, type Standing } from './standing.ts';
import { changedStatus } from './status.ts';

export type CertificateAction =
  | { readonly kind: 'makeKey' }
  | { readonly kind: 'storeKey' }
  | { readonly kind: 'loadKey' }
  | { readonly kind: 'deleteKey'; readonly secretName: string }
  /** Forgets the key in the making, its Secret included. */
  | { readonly kind: 'dropKey' }
  /** `why` it is asked for, for people. */
  | { readonly kind: 'createRequest'; readonly why: string }
  | { readonly kind: 'deleteRequest'; readonly name: string }
  | { readonly kind: 'approve' }
  | { readonly kind: 'sign' }
  | { readonly kind: 'takeCertificate' }
  | { readonly kind: 'createOrder' }
  | { readonly kind: 'advanceOrder' }
  | { readonly kind: 'noteWait' }
  | { readonly kind: 'writeSecret' }
  | { readonly kind: 'writeTemporary' }
  /** The same pair again, in the form that the spec wants now. */
  | { readonly kind: 'rewriteSecret' }
  | { readonly kind: 'withdraw'; readonly standing: Standing }
  | {
      readonly kind: 'recordOrder';
      readonly phase: 'valid' | 'invalid' | 'expired' | 'errored';
      readonly reason: string;
    }
  | { readonly kind: 'issueRequest' }
  | { readonly kind: 'failRequest'; readonly reason: 'Failed' | 'Denied'; readonly message: string }
  | { readonly kind: 'writeStatus'; readonly status: CertificateStatus; readonly stage: Stage }
  | { readonly kind: 'rest'; readonly revisitAt?: number };

/** A wait shorter than this (ms) is not worth a status write. */
const worthTelling = 5_000;

/** The next action for the Certificate whose revision in the making is `revision`; `rest` carries when (epoch ms) to look again. */
export function planCertificate(seen: CertificateSeen, revision: number, now: number): CertificateAction {
  if (seen.certificate.metadata.deletionTimestamp !== undefined) return { kind: 'rest' };
  const pair = judgeSecret(seen.certificate, seen.secret, now);
  const action = planFor(seen, pair, revision, now);
  if (action.kind !== 'rest' || pair.kind === 'bad') return action;
  // Whatever it waits for, it is Ready only until it expires.
  return { kind: 'rest', revisitAt: Math.min(action.revisitAt ?? pair.notAfter, pair.notAfter) };
}

function planFor(seen: CertificateSeen, pair: Verdict, revision: number, now: number): CertificateAction {
  if (isFinished(seen, pair)) {
    return finish(seen) ?? report(seen, pair, settled(seen), revision, now) ?? { kind: 'rest' };
  }
  const verdict = outdated(seen, pair) ?? pair;
  if (seen.issuer.kind === 'unseen' && verdict.kind === 'bad') return { kind: 'rest' };
  const stage = assess(seen, verdict, now);
  const held = seen.certificate.status?.revision;
  if (isWithheld(stage) && isStanding(seen.standing)) {
    // Nothing may be proven through it any more; the order takes its path up again when admission or the domain is back.
    return { kind: 'withdraw', standing: seen.standing };
  }
  if (stage.kind !== 'issuing') {
    return report(seen, verdict, stage, held, now) ?? mend(seen, verdict, stage, now) ?? tidy(seen, stage);
  }
  const wait = waitOf(seen, now);
  if (wait === undefined) {
    const approval = awaitedApproval(seen);
    const next: CertificateAction = approval === undefined ? advance(seen, stage) : { kind: 'rest' };
    const awaited = next.kind === 'rest' ? (approval ?? awaitedIssuer(seen)) : undefined;
    return (awaited === undefined ? undefined : report(seen, verdict, awaited, held, now)) ?? next;
  }
  const { reason, message, inLine } = wait;
  const told: Stage = { kind: 'blocked', reason, message, ...(inLine && { inLine }) };
  const rest: CertificateAction = { kind: 'rest', revisitAt: wait.until };
  if (wait.until - now < worthTelling || wait.reason === 'Processing') {
    return (isPastLimits(seen) ? report(seen, verdict, stage, held, now) : undefined) ?? rest;
  }
  const isKept = seen.order === undefined || isNoted(seen, wait.until);
  return report(seen, verdict, told, held, now) ?? (isKept ? rest : { kind: 'noteWait' });
}

/** The Secret holds what the request in the making asked for: only bookkeeping is left. */
function isFinished(seen: CertificateSeen, verdict: Verdict): boolean {
  const { request } = seen;
  if (verdict.kind !== 'good' || request === undefined) return false;
  // A key that is kept does not tell one issuance from the next: the certificate does.
  if (keepsKey(seen)) return request.issued === verdict.fingerprint;
  // What waits for somebody's approval has not been issued, whatever the Secret holds.
  const { approval } = request;
  if (approval.kind === 'open' && approval.approver === 'theirs' && !isIssued(request.object)) return false;
  return request.keyFingerprint === verdict.keyFingerprint;
}

function keepsKey({ certificate, request }: CertificateSeen): boolean {
  return certificate.spec.privateKey?.rotationPolicy === 'Never' || request?.key === 'kept';
}

/** cert-manager's RequestChanged: the pair was asked for by another spec, whether or not the certificate shows it. */
function outdated({ requestChanged }: CertificateSeen, verdict: Verdict): Verdict | undefined {
  const isSound = verdict.kind === 'good' || verdict.reason === 'SecretMismatch' || verdict.reason === 'Expired';
  if (!isSound || requestChanged === undefined) return undefined;
  return { kind: 'bad', reason: 'RequestChanged', message: requestChanged };
}

function finish(seen: CertificateSeen): CertificateAction | undefined {
  if (isStanding(seen.standing)) return { kind: 'withdraw', standing: seen.standing };
  if (seen.order !== undefined && seen.order.status?.state !== 'valid') {
    return { kind: 'recordOrder', phase: 'valid', reason: '' };
  }
  return seen.request === undefined || isIssued(seen.request.object) ? undefined : { kind: 'issueRequest' };
}

function settled(seen: CertificateSeen): Stage {
  return { kind: 'ready', ...(seen.renewAt !== undefined && { revisitAt: seen.renewAt }) };
}

function waitOf(seen: CertificateSeen, now: number) {
  const { order: state, wait } = seen.attempt;
  if (seen.request?.matchesSpec !== true) return undefined;
  if (wait !== undefined && wait.until > now) return wait;
  if (state === undefined) return undefined;
  return effectOf(state, now).kind === 'wait' && 'wait' in state ? state.wait : undefined;
}

/** The CA has taken the order, and the Certificate still says that it does not. */
function isPastLimits({ certificate, order }: CertificateSeen): boolean {
  const isTold = conditionOf(certificate.status?.conditions, 'RateLimited') !== undefined;
  return isTold && order?.status?.url !== undefined;
}

/** Whether the Order says already that it waits until then; a restart must not shorten a wait. */
function isNoted(seen: CertificateSeen, until: number): boolean {
  const noted = seen.order?.metadata.annotations?.[annotations.state];
  return noted?.includes(new Date(until).toISOString()) === true;
}

function advance(seen: CertificateSeen, why: Issuing): CertificateAction {
  const { request, attempt } = seen;
  if (request === undefined) return prepare(seen, why);
  const { name } = request.object.metadata;
  // A failed request has been told and waited for, else the stage would not be `issuing`.
  if (!request.matchesSpec || failureOf(request.object) !== undefined) return { kind: 'deleteRequest', name };
  if (attempt.key === 'none' && seen.issuer.kind !== 'local') return { kind: 'loadKey' };
  // Without its key the request is worthless: a locally signed one is simply made again (signing is free).
  if (attempt.key === 'none' || attempt.key === 'lost' || attempt.keyFingerprint !== request.keyFingerprint) {
    return { kind: 'deleteRequest', name };
  }
  if (request.approval.kind === 'denied') {
    return { kind: 'failRequest', reason: 'Denied', message: request.approval.message };
  }
  if (attempt.failure !== undefined) return { kind: 'failRequest', reason: 'Failed', message: attempt.failure };
  // Where the key is kept, the certificate must be on record first: by it alone the Secret is known to be the new one.
  if (attempt.signed) return { kind: keepsKey(seen) && !isIssued(request.object) ? 'issueRequest' : 'writeSecret' };
  if (isIssued(request.object)) return { kind: 'takeCertificate' };
  if (wantsStandIn(seen)) return { kind: 'writeTemporary' };
  return obtain(seen);
}

/** Listeners become ready with it, so that HTTP-01 can pass where a data plane serves nothing before every Secret is there. */
function wantsStandIn({ certificate, secret, issuer }: CertificateSeen): boolean {
  const asked = certificate.metadata.annotations?.[annotations.issueTemporary] === 'true';
  return asked && secret.kind === 'absent' && issuer.kind !== 'local';
}

type Issuing = Extract<Stage, { kind: 'issuing' }>;

function prepare(seen: CertificateSeen, why: Issuing): CertificateAction {
  const { key } = seen.attempt;
  if (key === 'stale') return { kind: 'dropKey' };
  if (key === 'none' || key === 'lost') return { kind: 'makeKey' };
  if (key === 'held' && seen.issuer.kind !== 'local') return { kind: 'storeKey' };
  return { kind: 'createRequest', why: `${why.reason}: ${why.message}` };
}

function obtain(seen: CertificateSeen): CertificateAction {
  const { issuer, request } = seen;
  if (issuer.kind === 'local' || issuer.kind === 'remote') return { kind: 'sign' };
  // Ours are approved in the write that issues them; another issuer waits to see it.
  if (issuer.kind === 'external' && request?.approval.kind === 'open') return { kind: 'approve' };
  if (issuer.kind !== 'acme') return { kind: 'rest' };
  if (seen.order === undefined) return { kind: 'createOrder' };
  const state = seen.attempt.order;
  if (state?.kind !== 'failed') return { kind: 'advanceOrder' };
  if (isStanding(seen.standing)) return { kind: 'withdraw', standing: seen.standing };
  if (seen.order.status?.state !== state.phase) {
    return { kind: 'recordOrder', phase: state.phase, reason: state.reason };
  }
  return { kind: 'failRequest', reason: 'Failed', message: state.reason };
}

function report(
  seen: CertificateSeen,
  verdict: Verdict,
  stage: Stage,
  revision: number | undefined,
  now: number,
): CertificateAction | undefined {
  const { certificate, renewAt } = seen;
  const input = {
    certificate,
    verdict,
    stage,
    ...(revision !== undefined && { revision }),
    ...(renewAt !== undefined && { renewAt }),
  };
  const status = changedStatus(input, now);
  return status === undefined ? undefined : { kind: 'writeStatus', status, stage };
}

/** Labels, formats and keystores follow the spec without another issuance, whatever keeps the next one waiting. */
function mend(seen: CertificateSeen, verdict: Verdict, stage: Stage, now: number): CertificateAction | undefined {
  const { drift, keystores, refusal } = seen;
  if (verdict.kind === 'bad' || drift.length === 0 || keystores.kind === 'obstacle') return undefined;
  if (isSuspended(stage) || keepsSecrets(seen.infra)) return undefined;
  return refusal !== undefined && refusal.until > now ? undefined : { kind: 'rewriteSecret' };
}

/** What earlier revisions left behind goes once the status stands. */
function tidy(seen: CertificateSeen, stage: Stage): CertificateAction {
  if (stage.kind === 'ready' && !keepsSecrets(seen.infra)) {
    const [keySecret] = seen.leftovers.keySecrets;
    if (keySecret !== undefined) return { kind: 'deleteKey', secretName: keySecret };
    const [name] = seen.leftovers.requests;
    if (name !== undefined) return { kind: 'deleteRequest', name };
    // The edit that wanted it was taken back.
    if (seen.request !== undefined && seen.request.maker !== 'somebody') {
      return { kind: 'deleteRequest', name: seen.request.object.metadata.name };
    }
  }
  const revisitAt = 'revisitAt' in stage ? stage.revisitAt : undefined;
  return revisitAt === undefined ? { kind: 'rest' } : { kind: 'rest', revisitAt };
}
