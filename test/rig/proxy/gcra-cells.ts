// Which of Boulder's rate-limit cells concern an order: one of its account, one of each registered domain and each identifier, one of its exact set.
// Pure; asked by the referee and by the bound that its figures are held against.

import { isIP } from 'node:net';
import { getDomain } from 'tldts';

/** By the fragment of Let's Encrypt's documentation, which a refusal links to. */
export type LimitFragment =
  | 'new-orders-per-account'
  | 'new-certificates-per-registered-domain'
  | 'new-certificates-per-exact-set-of-identifiers'
  | 'authorization-failures-per-identifier-per-account';

export interface Cell {
  readonly limit: LimitFragment;
  readonly subject: string;
}

export interface Cells {
  readonly orders: Cell;
  readonly domains: readonly Cell[];
  readonly exactSet: Cell;
  readonly failures: readonly Cell[];
}

export function cellsOf({ account, names }: { readonly account: string; readonly names: readonly string[] }): Cells {
  const sorted = [...new Set(names.map((name) => name.toLowerCase()))].sort();
  const covers = [...new Set(sorted.map(registered))];
  return {
    orders: { limit: 'new-orders-per-account', subject: account },
    domains: covers.map((subject) => ({ limit: 'new-certificates-per-registered-domain', subject })),
    exactSet: { limit: 'new-certificates-per-exact-set-of-identifiers', subject: sorted.join(' ') },
    // Of an identifier as the order has it: a wildcard and its base have one each.
    failures: sorted.map((name) => ({
      limit: 'authorization-failures-per-identifier-per-account',
      subject: `${account} ${name}`,
    })),
  };
}

/** A public suffix, private ones included, counts as itself; of IPv6 the /64. */
function registered(name: string): string {
  if (isIP(name) === 4) return name;
  if (isIP(name) === 6) return `${groupsOf(name).slice(0, 4).join(':')}::/64`;
  const plain = name.replace(/^\*\./, '');
  return getDomain(plain, { allowPrivateDomains: true }) ?? plain;
}

function groupsOf(ipv6: string): readonly string[] {
  const [left = [], right] = ipv6.split('::').map((side) => side.split(':').filter((group) => group !== ''));
  const gap = right === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...gap, ...(right ?? [])].map((group) => Number.parseInt(group, 16).toString(16));
}
