// Names of records: absolute, in lower case, checked. Called by everything in this folder, and by whoever makes a TxtRecord. Pure.

import { createHash } from 'node:crypto';

/** In lower case with one dot at its end. */
export function absolute(name: string): string {
  return `${name.toLowerCase().replace(/\.+$/, '')}.`;
}

/** Without the dot at its end, as HTTP APIs want it. */
export function bare(name: string): string {
  return name.replace(/\.+$/, '');
}

/** Where a CA looks (RFC 8555 §8.4): a wildcard is proven at the name below which it stands. */
export function challengeName(dnsName: string): string {
  return absolute(`_acme-challenge.${dnsName.replace(/^\*\./, '')}`);
}

/** The TXT value for a key authorization (RFC 8555 §8.4). */
export function challengeValue(keyAuthorization: string): string {
  return createHash('sha256').update(keyAuthorization).digest('base64url');
}

/**
 * Whether an absolute name can be put into a message and compared as text: RFC 1035 §2.3.4 lengths, and the letters that hosts and
 * service labels use. Targets of CNAMEs come from strangers.
 */
export function isPlainName(name: string): boolean {
  return name.length <= 254 && /^([a-z0-9_*]([a-z0-9_-]{0,62})\.)+$/i.test(name);
}

/** By label; a name is within itself. Both absolute. */
export function isWithin(name: string, zone: string): boolean {
  return zone === '.' || name === zone || name.endsWith(`.${zone}`);
}

/** The name and all names above it but the root, the closest first. */
export function upwards(name: string): readonly string[] {
  const labels = bare(name).split('.');
  return labels.map((_, index) => `${labels.slice(index).join('.')}.`);
}
