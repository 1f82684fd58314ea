// Writes ASN.1 DER (X.690 §10): just the types that PKCS #10 and X.509 need. Called by the files of pki/ that build requests and certificates.
// Written here rather than taken from @peculiar/x509, which costs 150 ms of CPU to import and 8 ms per certificate (measured), five times ours.

export function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([header(tag, length), ...parts]);
}

function header(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.from([tag, length]);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Buffer.from([tag, 0x80 | digits.length, ...digits]);
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tlv(0x30, ...parts);
}

/** DER wants the members of a SET OF sorted by their encoding (X.690 §11.6). */
export function setOf(...parts: readonly Buffer[]): Buffer {
  return tlv(0x31, ...parts.toSorted(Buffer.compare));
}

/** An unsigned big-endian number; leading zeros are dropped, a sign byte is added where the first bit is set. */
export function integer(magnitude: Uint8Array): Buffer {
  const start = magnitude.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.from([0]) : Buffer.from(magnitude.subarray(start));
  return (digits[0] ?? 0) >= 0x80 ? tlv(0x02, Buffer.from([0]), digits) : tlv(0x02, digits);
}

export const derTrue = Buffer.from([0x01, 0x01, 0xff]);
export const derNull = Buffer.from([0x05, 0x00]);

export function octetString(content: Uint8Array): Buffer {
  return tlv(0x04, content);
}

export function bitString(content: Uint8Array): Buffer {
  return tlv(0x03, Buffer.from([0]), content);
}

/** A named bit list: bit 0 is the first; trailing zero bits are left out (X.690 §11.2.2). */
export function namedBits(bits: readonly number[]): Buffer {
  const highest = Math.max(-1, ...bits);
  const bytes = Buffer.alloc(Math.floor(highest / 8) + 1);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return tlv(0x03, Buffer.from([highest < 0 ? 0 : 7 - (highest % 8)]), bytes);
}

const encodedOids = new Map<string, Buffer>();
/** Ours are a few dozen; the rest come from users, who could name any number of them. */
const mostOids = 256;

/** `dotted` must have passed isObjectId where it comes from a user. */
export function objectId(dotted: string): Buffer {
  const known = encodedOids.get(dotted);
  if (known !== undefined) return known;
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const encoded = tlv(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
  if (encodedOids.size < mostOids) encodedOids.set(dotted, encoded);
  return encoded;
}

// Go reads no larger arc, and with it most of what a cluster runs.
const largestArc = 2 ** 31 - 1;

/** X.660: arcs from 0, without leading zeros; below the roots 0 and 1 there are forty. */
export function isObjectId(dotted: string): boolean {
  if (!/^[0-2](\.(0|[1-9]\d{0,9}))+$/.test(dotted)) return false;
  const arcs = dotted.split('.').map(Number);
  const [first = 0, second = 0] = arcs;
  return (first === 2 ? second + 80 <= largestArc : second < 40) && arcs.every((arc) => arc <= largestArc);
}

function base128(arc: number): number[] {
  const digits = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) | 0x80);
  return digits;
}

/** PrintableString where its alphabet suffices, as old readers expect, else UTF8String (RFC 5280 §4.1.2.4). */
export function directoryString(text: string): Buffer {
  return /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text)
    ? tlv(0x13, Buffer.from(text, 'latin1'))
    : tlv(0x0c, Buffer.from(text));
}

/** UTCTime through 2049 and GeneralizedTime after it (RFC 5280 §4.1.2.5); `at` in ms, whole seconds are kept. */
export function time(at: number): Buffer {
  const digits = `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
  return digits < '2050' ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits));
}

export function explicit(number: number, ...parts: readonly Uint8Array[]): Buffer {
  return tlv(0xa0 | number, ...parts);
}

export function implicit(number: number, content: Uint8Array): Buffer {
  return tlv(0x80 | number, content);
}
