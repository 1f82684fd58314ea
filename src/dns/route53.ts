// A zone at AWS Route 53. Made by make-provider.ts.

import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { Reply } from '../api/reply.ts';
import { type AwsLink, type AwsOptions, attempt, openAws } from './aws.ts';
import { bare, upwards } from './names.ts';
import { type DnsProblem, failed } from './problem.ts';
import { type DnsProvider, done, type PresentedNote, type TxtRecord } from './provider.ts';
import { additions, removals } from './route53-changes.ts';

export interface Route53Options extends AwsOptions {
  /** Spares the search for the zone, and the right to it. */
  readonly hostedZoneId: string | undefined;
}

/** Others may change the same name meanwhile; then the changes are planned anew. */
const attempts = 4;

export function route53Provider(options: Route53Options): DnsProvider {
  return {
    present: (record, signal) =>
      linked(options, async (link) => {
        const zoneId = await zoneIdOf(link, options, record, signal);
        if (!zoneId.ok) return zoneId;
        const changed = await change(link, options, { zoneId: zoneId.value, record, plan: additions }, signal);
        if (!changed.ok) return changed;
        const changeId = changed.value === undefined ? {} : { changeId: changed.value };
        return { ok: true, value: { zoneId: zoneId.value, ...changeId } };
      }),
    settled: (note, signal) => linked(options, (link) => settled(link, options, note, signal)),
    cleanUp: (record, note, signal) =>
      linked(options, async (link) => {
        const noted = note?.zoneId;
        const zoneId =
          noted === undefined ? await zoneIdOf(link, options, record, signal) : ({ ok: true, value: noted } as const);
        if (!zoneId.ok) return zoneId;
        const changed = await change(link, options, { zoneId: zoneId.value, record, plan: removals }, signal);
        return changed.ok ? done : changed;
      }),
  };
}

async function linked<T>(
  options: Route53Options,
  work: (link: AwsLink) => Promise<Reply<T, DnsProblem>>,
): Promise<Reply<T, DnsProblem>> {
  const opened = await openAws(options);
  if (!opened.ok) return opened;
  using link = opened.value;
  return await work(link);
}

/** The servers of Route 53 have what was written when its change is INSYNC, after half a minute or so. */
async function settled(
  { client, sdk }: AwsLink,
  options: Route53Options,
  note: PresentedNote,
  signal: AbortSignal,
): Promise<Reply<'yes' | 'not yet', DnsProblem>> {
  const { changeId } = note;
  if (changeId === undefined) return { ok: true, value: 'yes' };
  const command = new sdk.GetChangeCommand({ Id: changeId });
  const answer = await attempt(() => client.send(command, { abortSignal: signal }), options.now);
  if (answer.ok) return { ok: true, value: answer.value.ChangeInfo?.Status === 'INSYNC' ? 'yes' : 'not yet' };
  // Changes are forgotten after a while.
  return answer.code === 'NoSuchChange' ? { ok: true, value: 'yes' } : { ok: false, problem: answer.problem };
}

interface Wish {
  readonly zoneId: string;
  readonly record: TxtRecord;
  readonly plan: (sets: readonly ResourceRecordSet[], record: TxtRecord) => readonly Change[];
}

/** The id of the change; undefined where nothing had to be changed. */
async function change(
  { client, sdk }: AwsLink,
  options: Route53Options,
  { zoneId, record, plan }: Wish,
  signal: AbortSignal,
): Promise<Reply<string | undefined, DnsProblem>> {
  let problem: DnsProblem = failed('unavailable', 'Route 53 was not asked.').problem;
  for (let left = attempts; left > 0; left -= 1) {
    const where = { HostedZoneId: zoneId, StartRecordName: record.fqdn, StartRecordType: 'TXT' } as const;
    const list = new sdk.ListResourceRecordSetsCommand(where);
    const found = await attempt(() => client.send(list, { abortSignal: signal }), options.now);
    if (!found.ok) return unlessZone(found, options, zoneId);
    const sets = (found.value.ResourceRecordSets ?? []).filter((set) => set.Name === record.fqdn && set.Type === 'TXT');
    const changes = plan(sets, record);
    if (changes.length === 0) return { ok: true, value: undefined };
    const batch = { Comment: 'ACME challenge (Certway)', Changes: [...changes] };
    const command = new sdk.ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch: batch });
    const changed = await attempt(() => client.send(command, { abortSignal: signal }), options.now);
    if (changed.ok) return { ok: true, value: changed.value.ChangeInfo?.Id };
    if (changed.code !== 'InvalidChangeBatch') return unlessZone(changed, options, zoneId);
    problem = changed.problem;
  }
  return { ok: false, problem };
}

function unlessZone(
  answer: { readonly problem: DnsProblem; readonly code: string },
  options: Route53Options,
  zoneId: string,
): Reply<never, DnsProblem> {
  if (answer.code !== 'NoSuchHostedZone' || options.hostedZoneId === undefined)
    return { ok: false, problem: answer.problem };
  return failed(
    'misconfigured',
    `Route 53 has no hosted zone ${zoneId} in this account: correct route53.hostedZoneID.`,
  );
}

/** The zone that DNS told first, then those above it. */
async function zoneIdOf(
  { client, sdk }: AwsLink,
  options: Route53Options,
  record: TxtRecord,
  signal: AbortSignal,
): Promise<Reply<string, DnsProblem>> {
  if (options.hostedZoneId !== undefined) return { ok: true, value: options.hostedZoneId };
  const candidates = upwards(record.zone).filter((name) => bare(name).includes('.') || name === record.zone);
  for (const candidate of candidates) {
    const command = new sdk.ListHostedZonesByNameCommand({ DNSName: bare(candidate), MaxItems: 10 });
    const answer = await attempt(() => client.send(command, { abortSignal: signal }), options.now);
    if (!answer.ok) return { ok: false, problem: answer.problem };
    const zones = answer.value.HostedZones ?? [];
    const ids = zones.flatMap(({ Id, Name, Config }) =>
      Id !== undefined && Name === candidate && Config?.PrivateZone !== true ? [Id.replace(/^\/hostedzone\//, '')] : [],
    );
    const [id, second] = ids;
    if (second !== undefined) {
      return failed(
        'misconfigured',
        `Route 53 has ${ids.length} public hosted zones named ${bare(candidate)}: say which in route53.hostedZoneID.`,
      );
    }
    if (id !== undefined) return { ok: true, value: id };
  }
  return failed(
    'refused',
    `The AWS account has no public hosted zone ${bare(record.zone)}: use credentials of the account that holds it.`,
  );
}
