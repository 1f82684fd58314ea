// A zone on one's own nameserver, changed by dynamic updates (RFC 2136), signed by TSIG where the issuer names a key. Made by make-provider.ts.

import { randomInt } from 'node:crypto';
import type { Reply } from '../api/reply.ts';
import { type Address, exchange } from './exchange.ts';
import { codeOf } from './message.ts';
import { bare } from './names.ts';
import { spellNameserver } from './nameserver.ts';
import { type DnsProblem, failed } from './problem.ts';
import { type DnsProvider, done, settledAtOnce, type TxtRecord } from './provider.ts';
import { judge, sign, type TsigKey, type Verdict } from './tsig.ts';
import { answersUpdate, type Change, encodeUpdate } from './update.ts';

export interface Rfc2136Options {
  readonly server: Address;
  readonly protocol: 'udp' | 'tcp';
  /** Undefined: the server knows us by our address. */
  readonly key: TsigKey | undefined;
  readonly now: () => number;
}

// An update is idempotent, so a lost datagram is sent again, once.
const tries = { udp: [2_000, 4_000], tcp: [6_000] } as const;

export function rfc2136Provider(options: Rfc2136Options): DnsProvider {
  return {
    present: async (record, signal) => {
      const added = await update(options, 'add', record, signal);
      return added.ok ? { ok: true, value: {} } : added;
    },
    settled: settledAtOnce,
    cleanUp: (record, _, signal) => update(options, 'remove', record, signal),
  };
}

async function update(
  options: Rfc2136Options,
  change: Change,
  record: TxtRecord,
  signal: AbortSignal,
): Promise<Reply<undefined, DnsProblem>> {
  const { server: to, protocol: over } = options;
  let problem: DnsProblem | undefined;
  for (const timeoutMs of tries[over]) {
    // Signed anew each time: the signature holds the time, and the id is part of what is signed.
    const id = randomInt(0x10000);
    const unsigned = encodeUpdate(change, record, id);
    const signed = options.key === undefined ? undefined : sign(unsigned, options.key, secondsOf(options));
    const accept = (bytes: Buffer) => (answersUpdate(bytes, id) ? bytes : undefined);
    const message = signed?.message ?? unsigned;
    const answer = await exchange({ to, over, message, accept, timeoutMs, signal });
    if (answer.ok) return outcomeOf(options, record, answer.value, signed?.mac);
    problem = answer.problem;
    if (signal.aborted) break;
  }
  return { ok: false, problem: problem ?? { kind: 'network', message: 'The update was not sent.' } };
}

function secondsOf({ now }: Rfc2136Options): number {
  return Math.floor(now() / 1000);
}

function outcomeOf(
  options: Rfc2136Options,
  record: TxtRecord,
  answer: Buffer,
  mac: Buffer | undefined,
): Reply<undefined, DnsProblem> {
  const code = codeOf(answer);
  const { key } = options;
  if (key === undefined || mac === undefined) return code === 'NOERROR' ? done : refusal(options, record, code);
  const verdict = judge(answer, mac, key, secondsOf(options));
  if (verdict.kind === 'genuine') return code === 'NOERROR' ? done : refusal(options, record, code);
  // A server that cannot check our signature cannot sign its answer; only a success must never be believed unsigned.
  if (verdict.kind === 'unsigned' && code !== 'NOERROR') return refusal(options, record, code);
  return distrust(options, key, verdict);
}

function distrust(options: Rfc2136Options, key: TsigKey, verdict: Exclude<Verdict, { kind: 'genuine' }>) {
  const server = serverOf(options);
  const name = bare(key.name);
  switch (verdict.kind) {
    case 'badTime': {
      const skew = Math.round(Math.abs(secondsOf(options) - verdict.serverSeconds) / 60);
      const clocks = `the clocks of ${server} and of this controller differ by about ${skew} minutes`;
      return failed('unavailable', `${server} refuses the signature for its age (BADTIME): ${clocks}; set them right.`);
    }
    case 'error':
      return failed('refused', `${server} refuses the TSIG key ${name} (${verdict.code}): ${remedyOf(verdict.code)}.`);
    case 'unsigned':
      return failed(
        'unavailable',
        `${server} says that the update was made, but does not sign its answer with the TSIG key ${name}.`,
      );
    case 'forged':
      return failed(
        'unavailable',
        `The answer of ${server} is not signed with the TSIG key ${name}; somebody may be in between.`,
      );
    default:
      return verdict satisfies never;
  }
}

function remedyOf(code: string): string {
  switch (code) {
    case 'BADKEY':
      return 'it knows no key of this name with this algorithm; compare tsigKeyName and tsigAlgorithm with the server’s configuration';
    case 'BADSIG':
      return 'the Secret that tsigSecretSecretRef names holds another secret than the server has for the key';
    default:
      return 'compare tsigAlgorithm with the server’s configuration';
  }
}

function refusal(options: Rfc2136Options, record: TxtRecord, code: string): Reply<never, DnsProblem> {
  const server = serverOf(options);
  const zone = bare(record.zone);
  const name = bare(record.fqdn);
  switch (code) {
    case 'REFUSED': {
      const who =
        options.key === undefined ? 'this address without a TSIG key' : `the TSIG key ${bare(options.key.name)}`;
      return failed(
        'refused',
        `${server} does not let ${who} change TXT records at ${name} (REFUSED); allow it in the update policy of the zone ${zone}.`,
      );
    }
    case 'NOTAUTH':
      return failed(
        'misconfigured',
        `${server} is not authoritative for the zone ${zone} (NOTAUTH): rfc2136.nameserver must be the zone’s primary.`,
      );
    case 'NOTZONE':
      return failed(
        'misconfigured',
        `${server} says that ${name} is not in the zone ${zone} (NOTZONE): look for a zone cut in between.`,
      );
    case 'NOTIMP':
    case 'FORMERR':
      return failed('misconfigured', `${server} does not take dynamic updates (${code}).`);
    default:
      return failed('unavailable', `${server} answers ${code} to the update of ${name}.`);
  }
}

function serverOf({ server }: Rfc2136Options): string {
  return `The nameserver ${spellNameserver({ kind: 'dns', ...server })}`;
}
