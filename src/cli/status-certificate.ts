// What one Certificate says of itself, in one line, and who can mend it: its suspension, its conditions, what its order waits for, its age.
// Pure; called by status-chain.ts. The reasons and messages are the controller's.

import type { Certificate } from '../api/certmanager.ts';
import type { Condition } from '../api/meta.ts';
import { annotations } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { isUnfinished, resume } from '../apply/order-object.ts';
import type { Wait } from '../order/state.ts';
import { conditionOf } from '../plan/conditions.ts';
import { asOne, issuerKey, type Problem, whoMends } from './status-blame.ts';
import { type Mark, moment } from './status-node.ts';

export interface CertificateCase {
  readonly certificate: Certificate;
  /** Kind of the object that controls it. */
  readonly owner: string;
  readonly order: Order | undefined;
  /** The refusal or event that suspends it, where one is known. */
  readonly suspendedBy: Problem | undefined;
  /** In what it is not as its listeners ask. */
  readonly behind: readonly string[];
  /** What is wrong with a challenge route, which tells more than the self-check that fails because of it. */
  readonly routeProblem: Problem | undefined;
}

export interface Finding {
  readonly mark: Mark;
  readonly says: string;
  readonly problem?: Problem;
}

/** An issuance that is under way gives the reason why it is; every other reason is why it is not. */
const underWay: ReadonlySet<string> = new Set([
  'RequestChanged',
  'Revoking',
  'DoesNotExist',
  'MissingData',
  'InvalidKeyPair',
  'InvalidCertificate',
  'IncorrectIssuer',
  'IncorrectCertificate',
  'SecretMismatch',
  'Expired',
  'Renewing',
  'ManuallyTriggered',
  'TemporaryCertificate',
  'Processing',
]);

/** A renewal that is later than this (ms) has nobody who does it. */
const patience = 600_000;
const notRunning = 'if that lasts, Certway is not running here';

export function findingOf(input: CertificateCase, now: number): Finding {
  const { certificate, order } = input;
  const { status, metadata } = certificate;
  if (metadata.deletionTimestamp !== undefined) return { mark: 'busy', says: 'is being deleted' };
  const suspended = metadata.annotations?.[annotations.suspended];
  if (suspended !== undefined) return suspension(input, suspended);
  const ready = conditionOf(status?.conditions, 'Ready');
  const issuing = conditionOf(status?.conditions, 'Issuing');
  const wait = waitOf(order);
  if (issuing?.reason !== undefined && !underWay.has(issuing.reason)) return obstacle(input, issuing, wait, now);
  if (ready === undefined) return unlooked(input, 'Certway has not looked at it yet');
  if ((ready.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    return unlooked(input, 'Certway has not looked at it since its last change');
  }
  if (input.behind.length > 0) {
    return unlooked(input, `what its listeners ask for has not reached it yet (${input.behind.join(', ')})`);
  }
  if (ready.status === 'True') return overdue(input, issuing, now) ?? good(ready, issuing);
  if (wait !== undefined && wait.until > now && !underWay.has(wait.reason)) {
    const { reason, message } = wait;
    return obstacle(input, { type: 'Issuing', status: 'True', reason, message }, wait, now);
  }
  const problem = problemOf(input, 'nobody', 'it is being issued');
  return { mark: 'busy', says: `is being issued: ${asOne(ready.message ?? '')}`, problem };
}

/** What the Order says that it waits for; undefined when its life is over. */
export function waitOf(order: Order | undefined): Wait | undefined {
  if (order === undefined || !isUnfinished(order)) return undefined;
  const state = resume(order, undefined);
  return 'wait' in state ? state.wait : undefined;
}

/** A short wait is over by the time that it is read. */
export function nextAttempt({ until }: Wait, now: number): string {
  if (until > now) return `it is tried again at ${moment(until, now)}`;
  if (until + patience > now) return 'it is being tried again';
  return `it was to be tried again at ${moment(until, now)}; ${notRunning}`;
}

function problemOf({ certificate }: CertificateCase, who: Problem['who'], sentence: string): Problem {
  const { namespace, name } = certificate.metadata;
  return { key: `certificate/${namespace}/${name}`, who, sentence: `Certificate ${name}: ${sentence}` };
}

function suspension(input: CertificateCase, why: string): Finding {
  const says = `is neither issued nor renewed: ${asOne(why)}`;
  const problem = input.suspendedBy ?? problemOf(input, 'developer', asOne(why));
  return { mark: 'bad', says, problem };
}

function obstacle(input: CertificateCase, issuing: Condition, wait: Wait | undefined, now: number): Finding {
  const { certificate, owner, routeProblem } = input;
  const { reason = '', message = '' } = issuing;
  const { issuerRef, dnsNames: names = [] } = certificate.spec;
  const { kind: issuerKind = 'Issuer' } = issuerRef;
  const next = wait?.reason === reason ? `; ${nextAttempt(wait, now)}` : '';
  const sentence = `${asOne(message)}${reason === 'Failed' ? afterFailure(certificate, now) : next}`;
  const says = `${reason}: ${sentence}`;
  if (reason === 'SelfCheckFailed' && routeProblem !== undefined) return { mark: 'bad', says, problem: routeProblem };
  const who = whoMends({ reason, owner, issuerKind, names });
  const isIssuers = reason === 'IssuerNotFound' || reason === 'IssuerNotReady';
  const problem = isIssuers ? { key: issuerKey(issuerRef), who, sentence } : problemOf(input, who, sentence);
  return { mark: who === 'nobody' ? 'busy' : 'bad', says, problem };
}

function afterFailure({ status }: Certificate, now: number): string {
  const at = Date.parse(status?.lastFailureTime ?? '');
  const when = Number.isNaN(at) ? '' : ` at ${moment(at, now)}`;
  return `; attempt ${status?.failedIssuanceAttempts ?? 1} failed${when}, and others follow after 1, 10 and 100 minutes, then daily, or at once after a change of the spec`;
}

function unlooked(input: CertificateCase, says: string): Finding {
  return { mark: 'busy', says, problem: problemOf(input, 'nobody', `${says}; ${notRunning}`) };
}

/** Ready, and left behind: whoever runs Certway has to look. */
function overdue(input: CertificateCase, issuing: Condition | undefined, now: number): Finding | undefined {
  const { notAfter = '', renewalTime = '' } = input.certificate.status ?? {};
  const [end, due] = [Date.parse(notAfter), Date.parse(renewalTime)];
  const says =
    end <= now
      ? `expired at ${moment(end, now)}, and was not renewed; Certway is not running here`
      : issuing === undefined && due + patience < now
        ? `its renewal was due at ${moment(due, now)}, and has not begun; Certway is not running here`
        : undefined;
  return says === undefined ? undefined : { mark: 'bad', says, problem: problemOf(input, 'platform owner', says) };
}

function good(ready: Condition, issuing: Condition | undefined): Finding {
  if (issuing === undefined) return { mark: 'good', says: asOne(ready.message ?? 'Ready') };
  return { mark: 'good', says: `Ready, and being issued anew: ${asOne(issuing.message ?? issuing.reason ?? '')}` };
}
