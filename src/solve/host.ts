// What a hostname is called in labels and how Gateway listeners match it. Called by route.ts, listener.ts and whoever labels Orders.

import { createHash } from 'node:crypto';

/** The name part of the label that marks everything about one hostname; hashed, since hostnames are longer than label names may be. */
export function hostLabel(host: string): string {
  return createHash('sha256').update(host.toLowerCase()).digest('hex').slice(0, 40);
}

/**
 * How closely a listener's hostname matches, or undefined where it does not: a longer hostname is closer, none is the widest (0).
 * `*.x` stands for every name below x, however deep, but not for x (Gateway API, Listener.hostname).
 */
export function matchHost(pattern: string | undefined, host: string): number | undefined {
  if (pattern === undefined || pattern === '') return 0;
  const [wanted, given] = [pattern.toLowerCase(), host.toLowerCase()];
  if (wanted.startsWith('*.'))
    return given.endsWith(wanted.slice(1)) && given.length >= wanted.length ? wanted.length : undefined;
  // An exact hostname beats any wildcard; no hostname is longer than 253.
  return wanted === given ? 1000 : undefined;
}
