// What a CA's renewal information (RFC 9773) comes to: the moment chosen in its window, kept while the window stays, and whether the next order says
// which certificate it replaces. Pure; called by apply/renewal-info.ts when the CA has answered, and where an Order is made.

import type { SuggestedWindow } from './renewal-class.ts';
import { fraction, type Life } from './renewal-spread.ts';

export interface Suggested {
  /** `over`: it had ended when it was heard of; the CA wants the certificate replaced at once, or nobody was there in time. */
  readonly kind: 'coming' | 'over';
  readonly window: SuggestedWindow;
  /** Chosen in it, epoch ms. */
  readonly moment: number;
  /** However long it is over, not before this, epoch ms. */
  readonly soonest: number;
}

export interface Heard {
  /** RFC 9773 §4.1. */
  readonly certId: string;
  readonly window: SuggestedWindow;
  readonly soonest: number;
  /** The moment that was chosen before, in this process or as status.renewalTime remembers it. */
  readonly last?: Pick<Suggested, 'moment'> | undefined;
}

/**
 * The moment depends on the certificate and its window alone, so whoever hears of the same window again chooses the same. Windows that are over move
 * on with each answer of some CAs: a moment that has come stays then, or each answer would be news.
 */
export function suggestionOf({ certId, window, soonest, last }: Heard, now: number): Suggested {
  const kind = window.end <= now ? 'over' : 'coming';
  const isPast = kind === 'over' && last !== undefined && last.moment <= now;
  return { kind, window, moment: isPast ? last.moment : chosenIn(window, certId), soonest };
}

/** §4.2: a uniformly random time within the window; in whole seconds where one lies inside. */
export function chosenIn({ start, end }: SuggestedWindow, certId: string): number {
  const at = start + fraction(`${certId} ${start} ${end}`) * (end - start);
  const second = Math.floor(at / 1000) * 1000;
  return second >= start ? second : Math.min(second + 1000, end - 1);
}

const day = 86_400_000;

/**
 * Before which a window that is over changes nothing: a CA that says «at once» of each new certificate would be asked for ever. One that itself came
 * by such a renewal (`orderedAt`, epoch ms, of an order with `replaces`) is kept for a day, or a third of its life where that is less.
 */
export function soonestReplacement({ notBefore, notAfter }: Life, orderedAt: number | undefined): number {
  return orderedAt === undefined ? 0 : orderedAt + Math.min(day, (notAfter - notBefore) / 3);
}

export interface Replaced {
  readonly certId: string;
  /** As this process has heard it. */
  readonly window: SuggestedWindow | undefined;
  /** Accounts by their URL: with which its renewal information was heard of, and which would order now. */
  readonly heardBy: string;
  readonly account: string;
}

/**
 * The certificate that the next order names as replaced (§5): from the opening of its window on, with the account that it was heard of with. Before,
 * Let's Encrypt gives no exemption for it, and afterwards none either; but then the CA learns that a revoked one is gone.
 */
export function replaces({ certId, window, heardBy, account }: Replaced, now: number): string | undefined {
  if (window === undefined || window.start > now || heardBy !== account) return undefined;
  return certId;
}

/** Whether the CA suggests it before half of the life is over: an incident, which people should hear of. */
export function isRecall({ kind, window }: Suggested, { notBefore, notAfter }: Life): boolean {
  return kind === 'over' && window.end < notBefore + (notAfter - notBefore) / 2;
}
