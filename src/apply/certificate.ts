// One reconcile of one Certificate: observe, plan, perform, until the plan rests. Called by the work queue in main.ts.

import { type CertificateAction, planCertificate } from '../plan/certificate.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { type Attempt, newAttempt, renewAttempt } from './attempt.ts';
import { orderTurn, requestTurn } from './certificate-turn.ts';
import { observeCertificate } from './observe-certificate.ts';
import { createOrder, noteWait, recordOrder } from './order-writes.ts';
import { afterProblem } from './outcome.ts';
import { type Done, onward, type Turn } from './perform.ts';
import { issueRequest, takeCertificate, writeStatus } from './perform-issued.ts';
import { createRequest, deleteKey, deleteRequest, dropKey, loadKey, makeKey, storeKey } from './perform-key.ts';
import { advanceOrder } from './perform-order.ts';
import { revocations } from './perform-revoke.ts';
import { rewriteSecret, writeSecret, writeTemporary } from './perform-secret.ts';
import { sign } from './perform-sign.ts';
import type { Ports } from './ports.ts';
import { replacedCertificate } from './renewal-info-last.ts';
import { writeApproved, writeFailed } from './request-status.ts';
import type { Signers } from './signers.ts';
import { withdraw } from './withdraw.ts';

/** No issuance takes more actions than this; a plan that does not end is a bug that must not spin. */
const mostActions = 60;

/** The reconcile function for keys "namespace/name"; it holds the attempts of this process. */
export function certificateReconciler(ports: Ports, signers: Signers): (key: string) => Promise<Outcome> {
  /** Of the Certificate with that uid: another one of its name begins anew. */
  const attempts = new Map<string, { readonly uid: string | undefined; readonly attempt: Attempt }>();
  const revoking = revocations(ports);
  /** Keys that did not come to rest, and until when (epoch ms) they are left alone. */
  const spinning = new Map<string, number>();
  return async (key) => {
    const until = spinning.get(key) ?? 0;
    if (until > ports.now()) return { kind: 'revisit', at: until };
    spinning.delete(key);
    const revocation = await revoking(key);
    if (!revocation.ok) ports.log.warn({ certificate: key, problem: revocation.problem }, 'revocation');
    const { replace, revisitAt } = revocation.ok ? revocation.value : {};
    for (let count = 0; count < mostActions; count++) {
      const certificate = ports.stores.certificates.get(key);
      if (certificate === undefined) {
        attempts.delete(key);
        return { kind: 'settled' };
      }
      const revision = (certificate.status?.revision ?? 0) + 1;
      const { uid } = certificate.metadata;
      const last = attempts.get(key);
      const attempt = renewAttempt(
        last?.uid === uid && last !== undefined ? last.attempt : newAttempt(revision),
        revision,
      );
      attempts.set(key, { uid, attempt });
      const observed = await observeCertificate(ports, certificate, attempt, signers);
      if (observed.kind === 'waiting') return restUntil(observed.until);
      if (observed.kind === 'problem') return afterProblem(observed.problem, ports.now());
      const seen = { ...observed.seen, ...(replace !== undefined && { replacement: replace }) };
      const action = planCertificate(seen, revision, ports.now());
      if (action.kind === 'rest') return restUntil(action.revisitAt, revisitAt);
      ports.log.debug({ certificate: key, action: action.kind }, 'certificate');
      const turn = { ports, about: certificate, certificate, seen, attempt };
      const done = await perform(turn, action, signers);
      if (done.kind === 'stop') return done.outcome;
    }
    ports.log.error(
      { certificate: key, actions: mostActions },
      'no rest after so many actions: a bug; left alone for a minute',
    );
    spinning.set(key, ports.now() + 60_000);
    return { kind: 'revisit', at: ports.now() + 60_000 };
  };
}

/** At the earlier moment of those that there are. */
function restUntil(...moments: readonly (number | undefined)[]): Outcome {
  const known = moments.filter((each) => each !== undefined);
  return known.length === 0 ? { kind: 'settled' } : { kind: 'revisit', at: Math.min(...known) };
}

function perform(turn: Turn, action: CertificateAction, signers: Signers): Promise<Done> | Done {
  switch (action.kind) {
    case 'makeKey':
      return makeKey(turn);
    case 'storeKey':
      return storeKey(turn);
    case 'loadKey':
      return loadKey(turn);
    case 'deleteKey':
      return deleteKey(turn, action.secretName);
    case 'dropKey':
      return dropKey(turn);
    case 'createRequest':
      return createRequest(turn, action.why);
    case 'deleteRequest':
      return deleteRequest(turn, action.name);
    case 'approve':
    case 'sign':
    case 'createOrder':
    case 'failRequest':
      return serve(turn, action, signers);
    case 'takeCertificate':
      return takeCertificate(turn);
    case 'advanceOrder':
    case 'noteWait':
    case 'recordOrder':
      return pursue(turn, action);
    case 'writeSecret':
      return writeSecret(turn);
    case 'writeTemporary':
      return writeTemporary(turn);
    case 'rewriteSecret':
      return rewriteSecret(turn);
    case 'withdraw':
      return withdraw(turn, action.standing);
    case 'issueRequest':
      return issueRequest(turn);
    case 'writeStatus':
      return writeStatus(turn, action.status, action.stage);
    case 'rest':
      return { kind: 'stop', outcome: { kind: 'settled' } };
    default:
      return action satisfies never;
  }
}

type Action<Kind extends CertificateAction['kind']> = CertificateAction & { readonly kind: Kind };

/** What is done to the Certificate's request as to any other. */
function serve(
  turn: Turn,
  action: Action<'approve' | 'sign' | 'createOrder' | 'failRequest'>,
  signers: Signers,
): Promise<Done> | Done {
  const request = turn.seen.request?.object;
  if (request === undefined) return onward;
  if (action.kind === 'approve') return writeApproved(turn, request);
  if (action.kind === 'failRequest') return writeFailed(turn, request, action);
  const requested = requestTurn(turn);
  if (requested === undefined) return onward;
  if (action.kind === 'createOrder') {
    const { ports, certificate, seen, attempt } = turn;
    return createOrder(requested, replacedCertificate(ports, certificate, seen.secret, attempt));
  }
  const { key } = turn.attempt;
  return sign(requested, signers, key?.kind === 'lost' ? undefined : key?.key);
}

function pursue(turn: Turn, action: Action<'advanceOrder' | 'noteWait' | 'recordOrder'>): Promise<Done> | Done {
  const ordered = orderTurn(turn);
  if (ordered === undefined) return onward;
  switch (action.kind) {
    case 'advanceOrder':
      return advanceOrder(ordered);
    case 'noteWait':
      return noteWait(ordered);
    case 'recordOrder':
      return recordOrder(ordered, action.phase, action.reason);
    default:
      return action satisfies never;
  }
}
