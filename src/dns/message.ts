// Questions and answers as bytes. What comes from the network is taken only when it is a whole answer to the very question. Called by ask.ts.

import * as packet from 'dns-packet';

export type RecordType = 'A' | 'AAAA' | 'CNAME' | 'NS' | 'SOA' | 'TXT';

export interface Question {
  /** Absolute. */
  readonly name: string;
  readonly type: RecordType;
  /** `none` asks a server for what it knows itself. */
  readonly recursion: 'desired' | 'none';
}

export interface Answer {
  /** NOERROR, NXDOMAIN, SERVFAIL, REFUSED … */
  readonly code: string;
  readonly truncated: boolean;
  readonly answers: readonly packet.Answer[];
  readonly authorities: readonly packet.Answer[];
}

// What passes every network in one piece (dnsflagday.net/2020); larger answers come over TCP.
const largestDatagram = 1232;

/** With EDNS (RFC 6891). `id` has 16 random bits. */
export function encodeQuestion({ name, type, recursion }: Question, id: number): Buffer {
  return packet.encode({
    type: 'query',
    id,
    flags: recursion === 'desired' ? packet.RECURSION_DESIRED : 0,
    questions: [{ name: name.replace(/\.$/, ''), type, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: largestDatagram,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
}

/** Undefined for what is not the answer to this question: noise, or somebody's guess (RFC 5452 §4). */
export function decodeAnswer(bytes: Buffer, { name, type }: Question, id: number): Answer | undefined {
  const decoded = decode(bytes);
  if (decoded === undefined || decoded.type !== 'response' || decoded.id !== id) return undefined;
  const code = codeOf(bytes);
  const [asked] = decoded.questions ?? [];
  // A server that could not read the question need not repeat it.
  const repeated =
    asked === undefined ? code !== 'NOERROR' && code !== 'NXDOMAIN' : sameName(asked.name, name) && asked.type === type;
  if (!repeated) return undefined;
  return {
    code,
    truncated: decoded.flag_tc,
    answers: decoded.answers ?? [],
    authorities: decoded.authorities ?? [],
  };
}

export function sameName(a: string, b: string): boolean {
  return a.toLowerCase().replace(/\.$/, '') === b.toLowerCase().replace(/\.$/, '');
}

const codes = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
] as const;

/** The response code of a message's header (RFC 1035 §4.1.1, RFC 2136 §2.2) by name. */
export function codeOf(bytes: Buffer): string {
  const code = (bytes[3] ?? 0) & 0x0f;
  return codes[code] ?? `response code ${code}`;
}

function decode(bytes: Buffer): packet.DecodedPacket | undefined {
  try {
    return packet.decode(bytes);
  } catch {
    return undefined;
  }
}
