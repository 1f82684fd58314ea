// The world's DNS server: one port, UDP and TCP (Pebble asks by TCP only). A records come from the table; every other type is
// answered empty, so that CAA and AAAA never stand in the way. Forwarded zones are asked elsewhere, for all types, and their CNAMEs followed.

import * as packet from 'dns-packet';
import { forward } from './forward.ts';
import { listenDns } from './listen.ts';
import { type Answer, createTable, type Forward, isForward, type Table } from './table.ts';

export interface DnsServer extends Table, AsyncDisposable {
  /** 127.0.0.1:port */
  readonly address: string;
}

// Answers are gone with the next query: a test that changes a name must not wait for a cache.
const ttlSeconds = 0;

/** Listens on `port`, or on a free one. */
export async function startDns(port?: number): Promise<DnsServer> {
  const table = createTable();
  const listener = await listenDns('127.0.0.1', port, (message, over) => respond(message, table, over));
  return {
    ...table,
    address: `127.0.0.1:${listener.port}`,
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

/** The answer, or undefined where silence is the answer: a dropped name, no question at all, or a forwarded one without answer. */
async function respond(message: Buffer, table: Table, over: 'udp' | 'tcp', hops = 8): Promise<Buffer | undefined> {
  const query = decode(message);
  const question = query?.questions?.[0];
  if (query === undefined || question === undefined) return undefined;
  const answer = table.lookup(question.name);
  if (answer === 'DROP') return undefined;
  if (isForward(answer)) {
    const reply = await forward(message, answer.forward, over);
    const target = reply === undefined || hops === 0 ? undefined : openEnd(packet.decode(reply), question);
    if (reply === undefined || target === undefined) return reply;
    const onward = packet.encode({ ...query, questions: [{ ...question, name: target }] });
    return joined(packet.decode(reply), await respond(onward, table, over, hops - 1));
  }
  return packet.encode({
    type: 'response',
    ...(query.id === undefined ? {} : { id: query.id }),
    flags: packet.AUTHORITATIVE_ANSWER | ((query.flags ?? 0) & packet.RECURSION_DESIRED) | responseCode(answer),
    questions: [question],
    answers: records(question, answer),
  });
}

/** Where a CNAME leads that the server did not follow, because the target is in nobody's zone there. */
function openEnd({ answers = [] }: packet.Packet, { type }: packet.Question): string | undefined {
  const last = answers.findLast((record) => record.type === 'CNAME');
  const answered = type === 'CNAME' || answers.some((record) => record.type === type);
  return answered || last?.type !== 'CNAME' ? undefined : last.data;
}

/** As a resolver answers: the CNAME, and what stands where it leads. */
function joined(first: packet.DecodedPacket, onward: Buffer | undefined): Buffer | undefined {
  if (onward === undefined) return undefined;
  const { answers = [], authorities = [], flags = 0 } = packet.decode(onward);
  return packet.encode({ ...first, flags, answers: [...(first.answers ?? []), ...answers], authorities });
}

function decode(message: Buffer): packet.DecodedPacket | undefined {
  try {
    const query = packet.decode(message);
    return query.type === 'query' ? query : undefined;
  } catch {
    return undefined; // not DNS
  }
}

// RFC 1035 §4.1.1: 2 is a server failure, 3 says that the name does not exist.
function responseCode(answer: Exclude<Answer, Forward>): number {
  if (answer === 'SERVFAIL') return 2;
  return answer === 'NXDOMAIN' ? 3 : 0;
}

function records({ name, type }: packet.Question, answer: Exclude<Answer, Forward>): packet.Answer[] {
  if (type !== 'A' || typeof answer === 'string') return [];
  return answer.map((data) => ({ type: 'A', name, data, ttl: ttlSeconds }));
}
