// The identifiers that we order certificates for: DNS names (RFC 8555 §9.7.7) and IP addresses (RFC 8738). Called by the parsers of this folder.

import { isIP } from 'node:net';
import type { CaIdentifier } from '../order/ca.ts';
import { fieldOf, readText } from './json.ts';

/** Undefined for unknown types and for values that could be neither a name nor an address. */
export function readIdentifier(value: unknown): CaIdentifier | undefined {
  const name = readText(fieldOf(value, 'value')) ?? '';
  switch (fieldOf(value, 'type')) {
    case 'dns':
      return /^(\*\.)?[A-Za-z0-9_.-]{1,253}$/.test(name) ? { type: 'dns', value: name } : undefined;
    case 'ip':
      return isIP(name) === 0 ? undefined : { type: 'ip', value: name };
    default:
      return undefined;
  }
}
