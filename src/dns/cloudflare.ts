// A zone at Cloudflare. Each value is a record of its own there, so values never meet. Made by make-provider.ts.

import { fieldOf, listOf, readText } from '../acme/json.ts';
import type { Reply } from '../api/reply.ts';
import { askCloudflare, type CloudflareOptions } from './cloudflare-api.ts';
import { bare, upwards } from './names.ts';
import { type DnsProblem, failed } from './problem.ts';
import { type DnsProvider, done, type PresentedNote, settledAtOnce, type TxtRecord } from './provider.ts';

// Error codes of the API that mean: as it should be already.
const standsAlready = new Set([81057, 81058]);
const goneAlready = new Set([81044]);
/** Seconds; less is refused outside enterprise plans. */
const shortestTtl = 60;

export function cloudflareProvider(options: CloudflareOptions): DnsProvider {
  return {
    present: (record, signal) => present(options, record, signal),
    settled: settledAtOnce,
    cleanUp: async (record, note, signal) => {
      const { zoneId: knownZone, recordId: knownRecord } = note ?? {};
      if (knownZone !== undefined && knownRecord !== undefined)
        return remove(options, knownZone, [knownRecord], signal);
      const zoneId = await zoneIdOf(options, record, signal);
      if (!zoneId.ok) return zoneId;
      const ids = await recordIdsOf(options, zoneId.value, record, signal);
      return ids.ok ? remove(options, zoneId.value, ids.value, signal) : ids;
    },
  };
}

async function present(
  options: CloudflareOptions,
  record: TxtRecord,
  signal: AbortSignal,
): Promise<Reply<PresentedNote, DnsProblem>> {
  const zoneId = await zoneIdOf(options, record, signal);
  if (!zoneId.ok) return zoneId;
  const path = `/zones/${encodeURIComponent(zoneId.value)}/dns_records`;
  const ttl = Math.max(shortestTtl, record.ttl);
  const body = {
    type: 'TXT',
    name: bare(record.fqdn),
    content: `"${record.value}"`,
    ttl,
    comment: 'ACME challenge (Certway)',
  };
  const made = await askCloudflare(options, { method: 'POST', path, body }, signal);
  if (!made.ok) {
    return made.codes.some((code) => standsAlready.has(code))
      ? { ok: true, value: {} }
      : { ok: false, problem: made.problem };
  }
  const recordId = readId(made.value);
  return { ok: true, value: recordId === undefined ? {} : { zoneId: zoneId.value, recordId } };
}

async function remove(
  options: CloudflareOptions,
  zoneId: string,
  recordIds: readonly string[],
  signal: AbortSignal,
): Promise<Reply<undefined, DnsProblem>> {
  for (const recordId of recordIds) {
    const path = `/zones/${encodeURIComponent(zoneId)}/dns_records/${encodeURIComponent(recordId)}`;
    const removed = await askCloudflare(options, { method: 'DELETE', path }, signal);
    if (!removed.ok && !removed.codes.some((code) => goneAlready.has(code)))
      return { ok: false, problem: removed.problem };
  }
  return done;
}

/** The zone that DNS told first, then those above it: a subdomain may be delegated to the same account without a zone of its own. */
async function zoneIdOf(
  options: CloudflareOptions,
  record: TxtRecord,
  signal: AbortSignal,
): Promise<Reply<string, DnsProblem>> {
  const candidates = upwards(record.zone).filter((name) => bare(name).includes('.') || name === record.zone);
  for (const candidate of candidates) {
    const path = `/zones?name=${encodeURIComponent(bare(candidate))}`;
    const found = await askCloudflare(options, { method: 'GET', path }, signal);
    if (!found.ok) return { ok: false, problem: found.problem };
    const ids = listOf(found.value, readId);
    if (ids === undefined) return failed('unavailable', 'Cloudflare’s answer is no list of zones.');
    const [id] = ids;
    if (id !== undefined) return { ok: true, value: id };
  }
  const remedy = 'use credentials of the account that holds it; a token needs Zone:Read and DNS:Edit for it';
  return failed(
    'refused',
    `The Cloudflare credentials from ${options.origin} see no zone ${bare(record.zone)}: ${remedy}.`,
  );
}

async function recordIdsOf(
  options: CloudflareOptions,
  zoneId: string,
  record: TxtRecord,
  signal: AbortSignal,
): Promise<Reply<readonly string[], DnsProblem>> {
  const query = `type=TXT&per_page=100&name=${encodeURIComponent(bare(record.fqdn))}`;
  const path = `/zones/${encodeURIComponent(zoneId)}/dns_records?${query}`;
  const found = await askCloudflare(options, { method: 'GET', path }, signal);
  if (!found.ok) return { ok: false, problem: found.problem };
  const ids = listOf(found.value, (member) => (holds(member, record) ? readId(member) : undefined));
  return ids === undefined
    ? failed('unavailable', 'Cloudflare’s answer is no list of records.')
    : { ok: true, value: ids };
}

/** Contents come back with or without the quotes that they were written with. */
function holds(member: unknown, record: TxtRecord): boolean {
  const content = readText(fieldOf(member, 'content'));
  const name = readText(fieldOf(member, 'name'));
  return content?.replace(/^"(.*)"$/, '$1') === record.value && name?.toLowerCase() === bare(record.fqdn);
}

function readId(value: unknown): string | undefined {
  const id = readText(fieldOf(value, 'id'));
  return id !== undefined && /^[A-Za-z0-9_-]{1,64}$/.test(id) ? id : undefined;
}
