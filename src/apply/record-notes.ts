// The TXT records of an order as its Order remembers them: written before the first one is presented, gone with the last one. Called by records.ts and
// order-cleanup.ts. Nothing in it is secret: the values stand in public DNS.

import type { Dns01Solver } from '../api/dns01-solver.ts';
import { annotations } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import type { DnsProvider, PresentedNote, TxtRecord } from '../dns/provider.ts';

export interface KeptRecord {
  /** The name that is proven, with its `*.`. */
  readonly name: string;
  readonly record: TxtRecord;
  /** As it was when the record was planned: an edited issuer must not hide what has to be removed. */
  readonly solver: Dns01Solver;
}

/** What this process knows of a record; of those that it knows nothing of, an earlier process may have presented some. */
export type RecordMemory =
  /** Noted on the Order by this process, and refused by its provider ever since: there is nothing to remove. */
  { readonly kind: 'planned' } | PresentedRecord;

export interface PresentedRecord {
  readonly kind: 'presented';
  /** With the credentials of that moment: a namespace that is deleted takes the Secret along before the record is gone. */
  readonly provider: DnsProvider;
  readonly note: PresentedNote;
  /** Epoch ms. */
  readonly at: number;
  /** Why the last look did not find it everywhere, as a sentence. */
  readonly lack?: string;
  /** A nameserver answered without it: it is presented once more, for somebody may have removed it. */
  readonly doubted?: true;
  /** Why it could not be presented once more, as a sentence. */
  readonly failure?: string;
}

/** By `recordKey`. */
export type RecordMemories = Map<string, RecordMemory>;

export function presentedRecord(memories: RecordMemories, key: string): PresentedRecord | undefined {
  const found = memories.get(key);
  return found?.kind === 'presented' ? found : undefined;
}

export function recordKey(order: Order, { record, solver }: Pick<KeptRecord, 'record' | 'solver'>): string {
  return JSON.stringify([order.metadata.uid, record.fqdn, record.value, solver]);
}

export function keptRecords(order: Order): readonly KeptRecord[] {
  const text = order.metadata.annotations?.[annotations.records];
  if (text === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed.filter(isKept) : [];
  } catch {
    // Somebody edited it: what it said is lost, and so are the records that it named.
    return [];
  }
}

export function spellRecords(records: readonly KeptRecord[]): string {
  return JSON.stringify(records);
}

/** What was planned before stays: it may have been presented, by this issuer's earlier spec or by an earlier process. */
export function withRecords(order: Order, planned: readonly KeptRecord[]): readonly KeptRecord[] {
  const kept = keptRecords(order);
  const known = new Set(kept.map((each) => recordKey(order, each)));
  return [...kept, ...planned.filter((each) => !known.has(recordKey(order, each)))];
}

function isKept(value: unknown): value is KeptRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { name, record, solver } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof solver !== 'object' || solver === null) return false;
  if (typeof record !== 'object' || record === null) return false;
  const { dnsName, fqdn, zone, value: content, ttl } = record as Record<string, unknown>;
  return [dnsName, fqdn, zone, content].every((each) => typeof each === 'string') && typeof ttl === 'number';
}
