// Whom a limit counts for: the registered domain of a name, the exact set of an order, and the keys of cells. Called by ask.ts.

import { createHash } from 'node:crypto';
import { getDomain } from 'tldts';
import { canonicalIp, ipBytes, ipText } from '../pki/ip.ts';
import type { LimitName } from './limits.ts';

/** All requests leave from one address, as far as we can know. */
export const ownAddress = 'this address';

/** By the public suffix list with its private part, as Boulder does; a bare suffix counts as itself, an address as its network. */
export function registeredDomain(name: string): string {
  const host = name.toLowerCase().replace(/^\*\./, '');
  if (isAddress(host)) return ipSubject(host);
  return getDomain(host, { allowPrivateDomains: true, extractHostname: false, validateHostname: false }) ?? host;
}

/** IPv4 as it is, IPv6 as its /64. */
export function ipSubject(address: string): string {
  const bytes = ipBytes(address);
  if (bytes === undefined) return address;
  if (bytes.length === 4) return ipText(bytes) ?? address;
  const network = Buffer.concat([bytes.subarray(0, 8), Buffer.alloc(8)]);
  return `${ipText(network) ?? address}/64`;
}

/** One name is its own set; several are told by their first, how many more there are, and 128 bits of their hash. Order and case do not matter. */
export function exactSet(identifiers: readonly string[]): string {
  const names = sortedNames(identifiers);
  const [first = ''] = names;
  if (names.length < 2) return first;
  const hash = createHash('sha256').update(names.join('\n')).digest().subarray(0, 16).toString('base64url');
  return `${first}+${names.length - 1}:${hash}`;
}

/** In their canonical spelling, each once, in the order of their text. */
export function sortedNames(identifiers: readonly string[]): readonly string[] {
  return [...new Set(identifiers.map(spelt))].sort();
}

export type CellKey = `${LimitName} ${string}`;

export function cellKey(limit: LimitName, subject: string): CellKey {
  return `${limit} ${subject}`;
}

function spelt(identifier: string): string {
  const text = identifier.toLowerCase();
  return isAddress(text) ? canonicalIp(text) : text;
}

/** Digits at the end or a colon: no name of the DNS that a CA signs has either. */
function isAddress(host: string): boolean {
  return (host.includes(':') || /\d$/.test(host)) && ipBytes(host) !== undefined;
}
