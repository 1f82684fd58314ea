// The port to whoever holds a zone: one TXT value is added, one is removed. Made by make-provider.ts, called by the driver of orders.

import type { Reply } from '../api/reply.ts';
import type { DnsProblem } from './problem.ts';

/** One value at one name. Other values at that name belong to others, and stay. Names are absolute, in lower case. */
export interface TxtRecord {
  /** The name that is proven, without `*.`; webhooks are told it. */
  readonly dnsName: string;
  /** Where the value is written: `_acme-challenge.<name>.`, or where CNAMEs lead from there. */
  readonly fqdn: string;
  readonly zone: string;
  /** challengeValue(key authorization). */
  readonly value: string;
  /** Seconds; providers raise it to their minimum. */
  readonly ttl: number;
}

/** What a provider wants to be told at clean-up. Safe to keep as JSON where people can read it; clean-up works without it, more slowly. */
export type PresentedNote = Readonly<Record<string, string>>;

export interface DnsProvider {
  /** Adds the value; that it is there already is a success. */
  present(record: TxtRecord, signal: AbortSignal): Promise<Reply<PresentedNote, DnsProblem>>;
  /** Whether the provider's own servers all have what `present` wrote, where the provider can tell; the others answer `yes`. Never waits. */
  settled(note: PresentedNote, signal: AbortSignal): Promise<Reply<'yes' | 'not yet', DnsProblem>>;
  /** Removes the value; that it is gone already is a success. `note` is undefined when a crash took it. */
  cleanUp(
    record: TxtRecord,
    note: PresentedNote | undefined,
    signal: AbortSignal,
  ): Promise<Reply<undefined, DnsProblem>>;
}

export const done = { ok: true, value: undefined } as const;

/** For providers whose answer to `present` is all that there is to know. */
export async function settledAtOnce(): Promise<Reply<'yes', never>> {
  return { ok: true, value: 'yes' };
}
