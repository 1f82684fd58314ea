// Whether an order is to be proven at another directory of its CA first (certway.dev/rehearse on the issuer), and what its Order remembers of that. Pure;
// called by apply/rehearse.ts, by the budget's readers of Orders and by `certway status`.

import type { Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import type { Urgency } from '../budget/ask.ts';
import type { LastCertificate } from './renewal-class.ts';

export type RehearsalPlace =
  | { readonly kind: 'none' }
  | { readonly kind: 'at'; readonly directory: string }
  /** As a sentence. */
  | { readonly kind: 'unreadable'; readonly message: string };

/** The directories for rehearsals that CAs have themselves. */
const stagingOf: ReadonlyMap<string, string> = new Map([
  ['https://acme-v02.api.letsencrypt.org/directory', 'https://acme-staging-v02.api.letsencrypt.org/directory'],
]);

/** Where the issuer's orders are rehearsed. What is stamped does as its template does: tenants may write on it, and its key is not theirs to send about. */
export function rehearsalPlace(issuer: Issuer, template?: Issuer): RehearsalPlace {
  const { spec } = issuer;
  const text = annotated(template ?? issuer);
  if (text === '') return { kind: 'none' };
  const own = spec.acme?.server ?? '';
  const directory = text === 'staging' ? stagingOf.get(own) : urlIn(text);
  if (directory !== undefined && placeIn(directory) !== placeIn(own)) return { kind: 'at', directory };
  return { kind: 'unreadable', message: `The issuer’s annotation ${annotations.rehearse} ${whyNot(text, directory)}` };
}

function annotated(issuer: Issuer | undefined): string {
  return issuer?.metadata.annotations?.[annotations.rehearse]?.trim() ?? '';
}

function whyNot(text: string, directory: string | undefined): string {
  if (directory !== undefined) return 'names the issuer’s own directory; name another one of that CA, or remove it.';
  if (text !== 'staging')
    return 'is neither "staging" nor the https:// URL of an ACME directory; correct or remove it.';
  return 'says "staging", which is known of Let’s Encrypt’s production directory alone; write the URL of the staging directory.';
}

function urlIn(text: string): string | undefined {
  if (text.length > 2048 || !URL.canParse(text)) return undefined;
  const { protocol, href, username, password } = new URL(text);
  return protocol === 'https:' && username === '' && password === '' ? href : undefined;
}

/** Where it is, by whatever spelling. */
function placeIn(text: string): string {
  if (!URL.canParse(text)) return text;
  const { hostname, port, pathname } = new URL(text);
  return `${hostname.replace(/\.$/, '')}:${port}${pathname}`;
}

/** What an Order remembers. */
export interface RehearsalNote {
  readonly directory: string;
  /** `open`: it has been placed there, at `url`. */
  readonly state: 'open' | 'passed' | 'failed';
  readonly url?: string;
  /** Epoch ms. */
  readonly at: number;
}

export function rehearsalNote(note: RehearsalNote): string {
  return JSON.stringify({ ...note, at: new Date(note.at).toISOString() });
}

/** Undefined where nothing is noted, or somebody has edited it: it is rehearsed once more then. */
export function notedRehearsal({ metadata }: Order): RehearsalNote | undefined {
  const text = metadata.annotations?.[annotations.rehearsal];
  if (text === undefined) return undefined;
  try {
    const noted: unknown = JSON.parse(text);
    if (typeof noted !== 'object' || noted === null) return undefined;
    const { directory, state, url, at: said } = noted as Record<string, unknown>;
    const at = typeof said === 'string' ? Date.parse(said) : Number.NaN;
    if (typeof directory !== 'string' || Number.isNaN(at)) return undefined;
    if (state !== 'open' && state !== 'passed' && state !== 'failed') return undefined;
    return { directory, state, at, ...(typeof url === 'string' && { url }) };
  } catch {
    return undefined;
  }
}

/** It has begun to be rehearsed and has not passed: the issuer's own CA cannot have heard of it. */
export function isRehearsing(order: Order): boolean {
  const note = notedRehearsal(order);
  return note !== undefined && note.state !== 'passed';
}

export interface RehearsalNeed {
  readonly directory: string;
  readonly order: Order;
  readonly urgency: Urgency;
  /** What the order's certificate takes the place of. */
  readonly last: LastCertificate | undefined;
  /** In a row, of the Certificate. */
  readonly failedAttempts: number;
  /** Other Orders of the issuer for the same names. */
  readonly equals: readonly Order[];
}

/**
 * Once for each set of names, and again when something has failed in production since. What is about to end is asked for at once: a staging
 * directory that is down must not cost a certificate.
 */
export function isToBeRehearsed({ directory, order, urgency, last, failedAttempts, equals }: RehearsalNeed): boolean {
  const own = notedRehearsal(order);
  if (own?.state === 'passed' && own.directory === directory) return false;
  if (urgency === 'urgent') return false;
  if (failedAttempts > 0) return true;
  if (last?.issuer === 'same' && urgency !== 'new') return false;
  const ends = equals.flatMap((each) => endOf(each, directory)).toSorted((a, b) => b.at - a.at);
  return ends[0]?.kind !== 'good';
}

/** What the Order proves of its names, and since when. */
function endOf(order: Order, directory: string): readonly { readonly kind: 'good' | 'bad'; readonly at: number }[] {
  const { state, failureTime } = order.status ?? {};
  const created = Date.parse(order.metadata.creationTimestamp ?? '') || 0;
  if (state === 'valid') return [{ kind: 'good', at: created }];
  if (state === 'invalid' || state === 'expired' || state === 'errored') {
    return [{ kind: 'bad', at: Date.parse(failureTime ?? '') || created }];
  }
  const note = notedRehearsal(order);
  return note?.state === 'passed' && note.directory === directory ? [{ kind: 'good', at: note.at }] : [];
}
