// A question to one server, or to the first of the view's servers that has an answer. Called by cname.ts, zone.ts and propagation.ts.

import { randomInt } from 'node:crypto';
import type { Reply } from '../api/reply.ts';
import { type Address, exchange } from './exchange.ts';
import { type Answer, decodeAnswer, encodeQuestion, type Question, type RecordType } from './message.ts';
import { bare } from './names.ts';
import { type Nameserver, spellNameserver } from './nameserver.ts';
import { type DnsProblem, failed } from './problem.ts';
import type { DnsView } from './view.ts';

// A lost datagram costs this long before TCP is tried.
const udpMs = 2_000;
const tcpMs = 3_000;

/** Whatever the server says, error codes included. UDP first; TCP when the answer is cut (RFC 7766 §5) or does not come. */
export async function ask(
  server: Nameserver,
  question: Question,
  https: DnsView['https'],
  signal: AbortSignal,
): Promise<Reply<Answer, DnsProblem>> {
  if (server.kind === 'https') return askHttps(server.url, question, https, signal);
  const udp = await askOver('udp', server, question, signal);
  if (signal.aborted || (udp.ok && !udp.value.truncated)) return udp;
  const tcp = await askOver('tcp', server, question, signal);
  return !tcp.ok && !udp.ok ? udp : tcp;
}

async function askOver(
  over: 'udp' | 'tcp',
  to: Address,
  question: Question,
  signal: AbortSignal,
): Promise<Reply<Answer, DnsProblem>> {
  const id = randomInt(0x10000);
  const accept = (bytes: Buffer) => decodeAnswer(bytes, question, id);
  const timeoutMs = over === 'udp' ? udpMs : tcpMs;
  return exchange({ to, over, message: encodeQuestion(question, id), accept, timeoutMs, signal });
}

const dnsMessage = 'application/dns-message';

// RFC 8484 §4.1: by POST, with the id 0.
async function askHttps(
  url: string,
  question: Question,
  https: DnsView['https'],
  signal: AbortSignal,
): Promise<Reply<Answer, DnsProblem>> {
  const headers = { 'content-type': dnsMessage, accept: dnsMessage };
  const sent = await https.send({ method: 'POST', url, headers, body: encodeQuestion(question, 0), signal });
  if (!sent.ok) return sent;
  const { status, body } = sent.value;
  const answer = status === 200 ? decodeAnswer(body, question, 0) : undefined;
  if (answer !== undefined) return { ok: true, value: answer };
  return failed('unavailable', `${url} does not answer as a DNS server over HTTPS (status ${status}).`);
}

/** What the view's servers know of a name: NOERROR or NXDOMAIN. A server that fails is passed over; when all fail, the first tells why. */
export async function lookUp(
  view: DnsView,
  name: string,
  type: RecordType,
  signal: AbortSignal,
): Promise<Reply<Answer, DnsProblem>> {
  let first: DnsProblem | undefined;
  for (const server of view.nameservers) {
    const answer = await ask(server, { name, type, recursion: 'desired' }, view.https, signal);
    if (answer.ok && isKnowledge(answer.value)) return answer;
    first ??= answer.ok ? unhelpful(server, name, type, answer.value) : answer.problem;
    if (signal.aborted) break;
  }
  if (first !== undefined) return { ok: false, problem: first };
  return failed('misconfigured', 'There is no DNS server to ask: set --dns01-recursive-nameservers.');
}

/** Whether the server says what there is, even if that is nothing. */
export function isKnowledge({ code }: Answer): boolean {
  return code === 'NOERROR' || code === 'NXDOMAIN';
}

function unhelpful(server: Nameserver, name: string, type: RecordType, { code }: Answer): DnsProblem {
  const message = `The nameserver ${spellNameserver(server)} answers ${code} for ${bare(name)} ${type}.`;
  return { kind: 'unavailable', message };
}
