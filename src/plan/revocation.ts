// Decides what happens to a certificate that its owner wants revoked, by the annotation `certway.dev/revoke: reason@SERIAL`, with " now" after it for those who
// cannot wait. Called by apply/perform-revoke.ts after each of its actions. What serves users: a certificate that is still served is replaced first, by one
// with a new key, and revoked when the new one is in its Secret.
//
//   served ──keep──▶ a copy of the pair is durable ──replace (the Certificate's plan)──▶ another is served ──revoke the kept one──▶ told ──drop──▶ over
//   now:   served ──revoke──▶ told ──replace──▶ another is served           cessationOfOperation: served ──revoke──▶ told, and nothing comes after it

import type { Certificate } from '../api/certmanager.ts';
import type { Condition } from '../api/meta.ts';
import { annotations } from '../api/names.ts';
import { type RevocationReason, reasonNamed } from '../api/revocation.ts';
import { conditionOf, timestamp } from './conditions.ts';
import type { Failure } from './issuer-seen.ts';
import { retryAt } from './issuer-status.ts';

export const revokedCondition = 'Revoked';

export interface RevocationWish {
  readonly reason: RevocationReason;
  /** Hexadecimal in upper case, without leading zeros. */
  readonly serial: string;
  readonly when: 'replaced' | 'now';
}

export interface RevocationSeen {
  readonly certificate: Certificate;
  /** `acme`: its CA can be asked. */
  readonly issuer: 'acme' | 'unready' | 'other';
  /** What the target Secret holds, where the private key beside it belongs to it: whoever holds that may have it revoked. */
  readonly served?: { readonly serial: string; readonly fingerprint: string };
  /** The serial of the pair that was put aside; `strange`: a Secret of that name which is not ours. */
  readonly kept?: string | 'strange';
  readonly failure?: Failure;
}

export type RevocationAction =
  | { readonly kind: 'keep' }
  | { readonly kind: 'revoke'; readonly pair: 'served' | 'kept'; readonly wish: RevocationWish }
  | { readonly kind: 'drop' }
  | { readonly kind: 'tell'; readonly condition: Omit<Condition, 'lastTransitionTime'> }
  | { readonly kind: 'rest'; readonly revisitAt?: number };

/** What the Certificate's plan must know: a good certificate is to be replaced all the same, and whether its key may be used again. */
export interface Replacement {
  /** SHA-256 of the certificate that is not to be served any more, as CertificateFacts has it: another one is as good as any. */
  readonly fingerprint: string;
  readonly freshKey: boolean;
  readonly message: string;
}

/** Undefined: nothing is asked; a sentence: it cannot be understood. */
export function revocationWish({ metadata }: Certificate): RevocationWish | string | undefined {
  const text = metadata.annotations?.[annotations.revoke]?.trim() ?? '';
  if (text === '') return undefined;
  const [, name = '', serial = '', now] = /^([A-Za-z]+)@([0-9A-Fa-f:]{1,80})(\s+now)?$/.exec(text) ?? [];
  const reason = reasonNamed(name);
  if (reason === undefined || serial === '') return misread;
  return { reason, serial: plainSerial(serial), when: now === undefined ? 'replaced' : 'now' };
}

const misread =
  `The annotation ${annotations.revoke} is not "reason@SERIAL" with one of the reasons unspecified, keyCompromise, affiliationChanged, ` +
  'superseded, cessationOfOperation and the serial number in hexadecimal.';

export function plainSerial(serial: string): string {
  return serial
    .replaceAll(':', '')
    .toUpperCase()
    .replace(/^0+(?=.)/, '');
}

/** Whether the condition says that this certificate is revoked. */
export function isRevoked({ status }: Certificate, { serial }: RevocationWish): boolean {
  const said = conditionOf(status?.conditions, revokedCondition);
  return said?.status === 'True' && said.message?.startsWith(`Certificate ${serial} `) === true;
}

export function planRevocation(seen: RevocationSeen, now: number): RevocationAction {
  const wish = revocationWish(seen.certificate);
  if (typeof wish === 'string') return tell(seen, 'False', 'Misread', wish);
  if (wish === undefined) return isKept(seen.kept) ? { kind: 'drop' } : { kind: 'rest' };
  if (isRevoked(seen.certificate, wish)) return isKept(seen.kept) ? { kind: 'drop' } : { kind: 'rest' };
  if (seen.issuer === 'other') return tell(seen, 'False', 'NotSupported', elsewhere(wish));
  const { kept } = seen;
  const served = seen.served?.serial;
  if (kept === wish.serial && served !== wish.serial) return attempt(seen, { kind: 'revoke', pair: 'kept', wish }, now);
  if (served !== wish.serial) return tell(seen, 'False', 'NotFound', notServed(wish, served));
  if (wish.when === 'now' || wish.reason === 'cessationOfOperation') {
    return attempt(seen, { kind: 'revoke', pair: 'served', wish }, now);
  }
  if (kept === 'strange') return tell(seen, 'False', 'Failed', inTheWay);
  if (isKept(kept) && kept !== wish.serial) return { kind: 'drop' };
  return kept === wish.serial ? tell(seen, 'False', 'Replacing', replacedFirst(wish)) : { kind: 'keep' };
}

/** Undefined: the certificate may stay. The pair that is to be revoked later is put aside before. */
export function replacementFor(seen: RevocationSeen): Replacement | undefined {
  const wish = revocationWish(seen.certificate);
  if (wish === undefined || typeof wish === 'string' || wish.reason === 'cessationOfOperation') return undefined;
  if (seen.served?.serial !== wish.serial) return undefined;
  const isDue = seen.issuer === 'other' || seen.kept === wish.serial || isRevoked(seen.certificate, wish);
  if (!isDue) return undefined;
  const message = `Certificate ${wish.serial} is replaced, since it is to be revoked (${wish.reason})`;
  return { fingerprint: seen.served.fingerprint, freshKey: wish.reason === 'keyCompromise', message };
}

export function revokedMessage({ serial, reason }: RevocationWish): string {
  return `Certificate ${serial} was revoked (${reason}).`;
}

function attempt(seen: RevocationSeen, action: RevocationAction, now: number): RevocationAction {
  if (seen.issuer === 'unready')
    return tell(seen, 'False', 'IssuerNotReady', 'Its issuer is not Ready, so nothing can be revoked.');
  const { failure } = seen;
  const until = failure === undefined ? 0 : retryAt(failure);
  if (failure === undefined || until <= now) return action;
  const why = failure.problem.detail.replace(/[.\s]*$/, '.');
  const told = tell(seen, 'False', 'Failed', `The CA did not revoke it: ${why} Tried again at ${timestamp(until)}.`);
  return told.kind === 'rest' ? { kind: 'rest', revisitAt: until } : told;
}

function tell(
  { certificate }: RevocationSeen,
  status: 'True' | 'False',
  reason: string,
  message: string,
): RevocationAction {
  const last = conditionOf(certificate.status?.conditions, revokedCondition);
  const isSaid = last?.status === status && last.reason === reason && last.message === message;
  return isSaid ? { kind: 'rest' } : { kind: 'tell', condition: { type: revokedCondition, status, reason, message } };
}

function isKept(kept: string | undefined): boolean {
  return kept !== undefined && kept !== 'strange';
}

function elsewhere({ reason }: RevocationWish): string {
  const replaced = reason === 'cessationOfOperation' ? '' : ' It is replaced by another one.';
  return `Its issuer is no ACME issuer, so Certway cannot have it revoked: tell whoever runs that CA.${replaced}`;
}

function notServed({ serial }: RevocationWish, served: string | undefined): string {
  const there = served === undefined ? 'no certificate with its key' : `certificate ${served}`;
  return `Nothing is known of certificate ${serial}: the Secret holds ${there}.`;
}

function replacedFirst({ serial }: RevocationWish): string {
  return `Certificate ${serial} is revoked as soon as another one is in its Secret; write " now" after the serial number to have it revoked at once.`;
}

const inTheWay = 'A Secret that is not Certway’s has the name under which the pair would be put aside; rename it.';
