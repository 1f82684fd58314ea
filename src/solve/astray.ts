// Whether a name's addresses are its Gateway's, and the sentence where they are not. Called by preflight.ts. Pure.

import { canonicalIp } from '../pki/ip.ts';

/** Those found that are none of the expected, however they are written. A CA may take any address of a name, an IPv6 one first. */
export function strangers(found: readonly string[], expected: readonly string[]): readonly string[] {
  const home = new Set(expected.map(canonicalIp));
  return found.filter((address) => !home.has(canonicalIp(address)));
}

/** Sorted and bounded, so that a condition says the same each time. */
export function astray(host: string, strays: readonly string[], expected: readonly string[]): string {
  const remedy = 'point all its A and AAAA records at the Gateway';
  return `${host} leads to ${listed(strays)}, and the Gateway is at ${listed(expected)}: ${remedy}.`;
}

const most = 4;

function listed(addresses: readonly string[]): string {
  const sorted = [...new Set(addresses)].toSorted();
  const shown = sorted.slice(0, most).join(', ');
  return sorted.length > most ? `${shown} and ${sorted.length - most} more` : shown;
}
