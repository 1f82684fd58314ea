// The usage names of cert-manager.io/v1 `spec.usages` and what each means in X.509: the one table of them.
// Called when requests and certificates are built, and when a CSR's wishes are compared with what was approved.

import type { PkiProblem } from './problem.ts';

/** Bits of KeyUsage, RFC 5280 §4.2.1.3. */
const keyUsageBits: ReadonlyMap<string, number> = new Map(
  Object.entries({
    signing: 0,
    'digital signature': 0,
    'content commitment': 1,
    'key encipherment': 2,
    'data encipherment': 3,
    'key agreement': 4,
    'cert sign': 5,
    'crl sign': 6,
    'encipher only': 7,
    'decipher only': 8,
  }),
);

/** Purposes of ExtendedKeyUsage, RFC 5280 §4.2.1.12 and their vendors. */
const purposes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    any: '2.5.29.37.0',
    'server auth': '1.3.6.1.5.5.7.3.1',
    'client auth': '1.3.6.1.5.5.7.3.2',
    'code signing': '1.3.6.1.5.5.7.3.3',
    'email protection': '1.3.6.1.5.5.7.3.4',
    's/mime': '1.3.6.1.5.5.7.3.4',
    'ipsec end system': '1.3.6.1.5.5.7.3.5',
    'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
    'ipsec user': '1.3.6.1.5.5.7.3.7',
    timestamping: '1.3.6.1.5.5.7.3.8',
    'ocsp signing': '1.3.6.1.5.5.7.3.9',
    'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
    'netscape sgc': '2.16.840.1.113730.4.1',
  }),
);

const certSign = 5;
const defaultUsages: readonly string[] = ['digital signature', 'key encipherment'];

export interface Usages {
  /** Bit numbers of KeyUsage, ascending. */
  readonly bits: readonly number[];
  /** OIDs of ExtendedKeyUsage, each once, in the order asked for: issuers built on cert-manager compare the order with spec.usages. */
  readonly purposes: readonly string[];
}

/** None given means digital signature and key encipherment, as in cert-manager; a CA certificate always gets cert sign. */
export function readUsages(names: readonly string[] | undefined, isCA: boolean): Usages {
  const given = names === undefined || names.length === 0 ? defaultUsages : names;
  const bits = given.flatMap((name) => keyUsageBits.get(name) ?? []);
  return {
    bits: [...new Set(isCA ? [...bits, certSign] : bits)].sort((a, b) => a - b),
    purposes: [...new Set(given.flatMap((name) => purposes.get(name) ?? []))],
  };
}

export function unknownUsage(names: readonly string[] | undefined): string | undefined {
  return names?.find((name) => !keyUsageBits.has(name) && !purposes.has(name));
}

/** The first of spec.usages that does not exist, as a problem. */
export function usageFault(names: readonly string[] | undefined): PkiProblem | undefined {
  const unknown = unknownUsage(names);
  if (unknown === undefined) return undefined;
  return { kind: 'unsupported', what: 'usage', message: `There is no key usage ${JSON.stringify(unknown)}.` };
}

export function maySignCertificates(bits: readonly number[] | undefined): boolean {
  return bits === undefined || bits.includes(certSign);
}

/** The order of purposes means nothing to us. */
export function sameUsages(a: Usages, b: Usages): boolean {
  const key = ({ bits, purposes }: Usages) => `${bits.join()} ${[...new Set(purposes)].sort().join()}`;
  return key(a) === key(b);
}

/** For a sentence: by name, the commoner where there are two; purposes that have none by their OID. */
export function usageNames({ bits, purposes: given }: Usages): string {
  const nameOf = <T>(table: ReadonlyMap<string, T>, value: T) => [...table].findLast(([, each]) => each === value)?.[0];
  const names = [
    ...bits.map((bit) => nameOf(keyUsageBits, bit) ?? `bit ${bit}`),
    ...given.map((oid) => nameOf(purposes, oid) ?? oid),
  ];
  return names.length === 0 ? '(none)' : names.join(', ');
}
