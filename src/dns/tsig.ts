// Signatures of DNS messages by a shared secret (RFC 8945): made for an update, checked on its answer. Called by rfc2136.ts. Pure.
// The message's bytes are what is signed, so this reads and writes bytes, not parsed records.

import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  Cursor,
  lastRecord,
  nameBytes,
  recordBytes,
  recordClasses,
  recordTypes,
  uint16,
  uint32,
  uint48,
} from './wire.ts';

const algorithms = {
  HMACMD5: { name: 'hmac-md5.sig-alg.reg.int.', hash: 'md5' },
  HMACSHA1: { name: 'hmac-sha1.', hash: 'sha1' },
  HMACSHA256: { name: 'hmac-sha256.', hash: 'sha256' },
  HMACSHA512: { name: 'hmac-sha512.', hash: 'sha512' },
} as const;

export type TsigAlgorithm = keyof typeof algorithms;
export const tsigAlgorithms: readonly string[] = Object.keys(algorithms);

export function readAlgorithm(text: string): TsigAlgorithm | undefined {
  const upper = text.toUpperCase();
  return isAlgorithm(upper) ? upper : undefined;
}

function isAlgorithm(text: string): text is TsigAlgorithm {
  return Object.hasOwn(algorithms, text);
}

export interface TsigKey {
  /** Absolute and plain. */
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Buffer;
}

export interface Signed {
  readonly message: Buffer;
  readonly mac: Buffer;
}

/** Seconds by which the clocks may differ (RFC 8945 §10). */
const fudge = 300;

/** `seconds` since 1970. The message has no TSIG yet. */
export function sign(message: Buffer, key: TsigKey, seconds: number): Signed {
  const mac = macOf(key, [message, variables(key, { seconds, fudge, error: 0, other: Buffer.alloc(0) })]);
  const algorithm = nameBytes(algorithms[key.algorithm].name);
  const id = message.subarray(0, 2);
  const data = [algorithm, uint48(seconds), uint16(fudge), uint16(mac.length), mac, id, uint16(0), uint16(0)];
  const record = {
    name: key.name,
    type: recordTypes.tsig,
    class: recordClasses.any,
    ttl: 0,
    data: Buffer.concat(data),
  };
  return { message: Buffer.concat([withAdditional(message, 1), recordBytes(record)]), mac };
}

/** What the signature on an answer says. Without `genuine` the answer may be anybody's. */
export type Verdict =
  | { readonly kind: 'genuine' }
  /** The server says so itself; only `BADTIME` is signed. `serverSeconds` is its clock. */
  | { readonly kind: 'badTime'; readonly serverSeconds: number }
  | { readonly kind: 'error'; readonly code: TsigError }
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'forged' };

export type TsigError = 'BADSIG' | 'BADKEY' | 'BADTRUNC' | `TSIG error ${number}`;

const errorCodes: Readonly<Record<number, TsigError>> = { 16: 'BADSIG', 17: 'BADKEY', 22: 'BADTRUNC' };
const badTime = 18;

/** `requestMac` is that of the message which is answered: it is covered too (RFC 8945 §5.3.1). */
export function judge(answer: Buffer, requestMac: Buffer, key: TsigKey, seconds: number): Verdict {
  const tsig = readTsig(answer);
  if (tsig === undefined) return { kind: 'unsigned' };
  const error = tsig.error;
  if (error !== 0 && error !== badTime) return { kind: 'error', code: errorCodes[error] ?? `TSIG error ${error}` };
  const sameKey = tsig.name === key.name && tsig.algorithm === algorithms[key.algorithm].name;
  const original = Buffer.concat([tsig.originalId, withAdditional(answer.subarray(0, tsig.at), -1).subarray(2)]);
  const covered = [uint16(requestMac.length), requestMac, original, variables(key, tsig)];
  const expected = macOf(key, covered);
  if (!sameKey || tsig.mac.length !== expected.length || !timingSafeEqual(tsig.mac, expected))
    return { kind: 'forged' };
  if (error === badTime) {
    const serverSeconds = tsig.other.length === 6 ? tsig.other.readUIntBE(0, 6) : tsig.seconds;
    return { kind: 'badTime', serverSeconds };
  }
  return Math.abs(seconds - tsig.seconds) > tsig.fudge
    ? { kind: 'badTime', serverSeconds: tsig.seconds }
    : { kind: 'genuine' };
}

interface Tsig extends Stamp {
  readonly at: number;
  readonly name: string;
  readonly algorithm: string;
  readonly mac: Buffer;
  readonly originalId: Buffer;
}

/** Undefined where there is none that can be read. */
function readTsig(message: Buffer): Tsig | undefined {
  try {
    const last = lastRecord(message);
    if (last === undefined || last.type !== recordTypes.tsig || last.class !== recordClasses.any) return undefined;
    const { at, name, data } = last;
    const [algorithm, seconds, allowed] = [data.name(), data.uint48(), data.uint16()];
    const mac = data.take(data.uint16());
    const originalId = data.take(2);
    const [error, other] = [data.uint16(), data.take(data.uint16())];
    return { at, name, algorithm, seconds, fudge: allowed, mac, originalId, error, other };
  } catch (problem) {
    if (problem instanceof RangeError) return undefined;
    throw problem;
  }
}

interface Stamp {
  readonly seconds: number;
  readonly fudge: number;
  readonly error: number;
  readonly other: Buffer;
}

/** RFC 8945 §4.3.3. */
function variables(key: TsigKey, { seconds, fudge: allowed, error, other }: Stamp): Buffer {
  return Buffer.concat([
    nameBytes(key.name),
    uint16(recordClasses.any),
    uint32(0),
    nameBytes(algorithms[key.algorithm].name),
    uint48(seconds),
    uint16(allowed),
    uint16(error),
    uint16(other.length),
    other,
  ]);
}

function macOf(key: TsigKey, parts: readonly Buffer[]): Buffer {
  return createHmac(algorithms[key.algorithm].hash, key.secret).update(Buffer.concat(parts)).digest();
}

/** The message with its count of additional records changed. */
function withAdditional(message: Buffer, by: number): Buffer {
  const cursor = new Cursor(message, 10);
  return Buffer.concat([message.subarray(0, 10), uint16(cursor.uint16() + by), message.subarray(12)]);
}
