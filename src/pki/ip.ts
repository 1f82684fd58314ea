// IP addresses as text and as the bytes of a SAN. Called by names.ts; the text is always the canonical one (RFC 5952).

import { isIPv4, isIPv6 } from 'node:net';

/** 4 or 16 bytes; an IPv4-mapped IPv6 address is the IPv4 address. Undefined for anything else, zones included. */
export function ipBytes(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) return undefined;
  // The URL parser knows every spelling, embedded IPv4 included, and answers in groups of hexadecimal digits.
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back];
  const bytes = Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
  return isMappedIpv4(bytes) ? bytes.subarray(12) : bytes;
}

function isMappedIpv4(bytes: Buffer): boolean {
  return bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff;
}

/** Undefined where the bytes are neither an IPv4 nor an IPv6 address. */
export function ipText(bytes: Buffer): string | undefined {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return undefined;
  if (isMappedIpv4(bytes)) return bytes.subarray(12).join('.');
  const groups = bytes.toString('hex').match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** The canonical spelling, or the text itself where it is no address. */
export function canonicalIp(text: string): string {
  const bytes = ipBytes(text);
  return bytes === undefined ? text : (ipText(bytes) ?? text);
}

/** `10.0.0.0/8` → address and mask, 8 or 32 bytes, as in name constraints (RFC 5280 §4.2.1.10); bits below the prefix are cleared, as Go does. */
export function rangeBytes(text: string): Buffer | undefined {
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const bytes = ipBytes(address);
  const length = Number(digits);
  // An IPv4 address in IPv6 clothes leaves open whose prefix is meant.
  if (bytes === undefined || (bytes.length === 4) === address.includes(':')) return undefined;
  if (digits === '' || length > bytes.length * 8) return undefined;
  const mask = Buffer.from(bytes.map((_, at) => (0xff00 >> Math.min(8, Math.max(0, length - at * 8))) & 0xff));
  return Buffer.concat([Buffer.from(bytes.map((byte, at) => byte & (mask[at] ?? 0))), mask]);
}

/** Undefined where the bytes are no address with a mask of leading ones. */
export function rangeText(bytes: Buffer): string | undefined {
  if (bytes.length !== 8 && bytes.length !== 32) return undefined;
  const half = bytes.length / 2;
  const bits = [...bytes.subarray(half)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const length = bits.indexOf('0') < 0 ? bits.length : bits.indexOf('0');
  const address = ipText(bytes.subarray(0, half));
  return bits.includes('1', length) || address === undefined ? undefined : `${address}/${length}`;
}
