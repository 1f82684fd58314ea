// Each issued row's chain, judged against the roots of its own issuer. Pure.

import type { X509Certificate } from 'node:crypto';
import { verifyChain } from './chain.ts';
import type { Row, Verdicts } from './rows.ts';
import type { Seen } from './seen.ts';

/** By "namespace/secretName"; rows without a Secret have no verdict. */
export function verdictsOn(
  rows: readonly Row[],
  seen: Seen,
  roots: ReadonlyMap<string, readonly X509Certificate[]>,
  now: number,
): Verdicts {
  return new Map(
    rows.flatMap((row) => {
      const key = `${row.namespace}/${row.secretName}`;
      const data = seen.secrets.get(`Secret/${key}`)?.object.data;
      if (data === undefined) {
        return [];
      }
      const stored = { chainPem: decode(data['tls.crt']), keyPem: decode(data['tls.key']) };
      return [[key, verifyChain(stored, row.hostname, roots.get(row.issuer) ?? [], now)] as const];
    }),
  );
}

function decode(base64 = ''): string {
  return Buffer.from(base64, 'base64').toString();
}
