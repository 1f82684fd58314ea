// Whether a JKS file is what would be written now: opened by the password, with these certificates under these aliases. Called by keystores.ts.
// The certificates stand in the clear; the digest proves the password over all of it, the protected key included.

import { timingSafeEqual } from 'node:crypto';
import { authorityAliases, javaText, jksAlias, jksDigest, jksMagic, jksTags, jksVersion } from './jks.ts';

export interface WantedJks {
  readonly password: string;
  /** Absent in a truststore. */
  readonly key?: { readonly alias: string; readonly chain: readonly Buffer[] };
  readonly authorities: readonly Buffer[];
}

const digestLength = 20;

export function fitsJks(file: Buffer, wanted: WantedJks): boolean {
  const content = file.subarray(0, -digestLength);
  if (file.length < digestLength + 12 || content.readUInt32BE(0) !== jksMagic) return false;
  if (!timingSafeEqual(jksDigest(wanted.password, content), file.subarray(-digestLength))) return false;
  const found = readEntries(content);
  const expected = expectedEntries(wanted);
  return found !== undefined && found.size === expected.size && [...expected].every(([k, v]) => found.get(k) === v);
}

/** By kind and alias; the value is the certificates. */
function expectedEntries({ key, authorities }: WantedJks): ReadonlyMap<string, string> {
  const alias = key === undefined ? undefined : jksAlias(key.alias);
  const aliases = authorityAliases(authorities.length, alias);
  return new Map([
    ...(key === undefined ? [] : [[entryName(jksTags.key, javaText(jksAlias(key.alias))), joined(key.chain)] as const]),
    ...authorities.map(
      (each, at) => [entryName(jksTags.trusted, javaText(aliases[at] ?? '')), joined([each])] as const,
    ),
  ]);
}

/** The alias as the file spells it, as not every sequence of Java's units is UTF-8. */
function entryName(tag: number, alias: Buffer): string {
  return `${tag}/${alias.toString('hex')}`;
}

function joined(certificates: readonly Buffer[]): string {
  return certificates.map((each) => each.toString('base64')).join(' ');
}

/** Undefined where the bytes are not that format. */
function readEntries(content: Buffer): ReadonlyMap<string, string> | undefined {
  const take = reader(content);
  const entries = new Map<string, string>();
  try {
    take.number();
    if (take.number() !== jksVersion) return undefined;
    const count = take.number();
    for (let entry = 0; entry < count; entry++) {
      const tag = take.number();
      const alias = take.text();
      take.bytes(8);
      if (tag === jksTags.key) take.bytes(take.number());
      const certificates = tag === jksTags.key ? take.number() : 1;
      const chain: Buffer[] = [];
      while (chain.length < certificates) {
        take.text();
        chain.push(take.bytes(take.number()));
      }
      entries.set(entryName(tag, alias), joined(chain));
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return take.isAtEnd() ? entries : undefined;
}

/** Throws a RangeError behind the end. */
function reader(content: Buffer) {
  let at = 0;
  const bytes = (length: number): Buffer => {
    if (at + length > content.length) throw new RangeError('behind the end');
    at += length;
    return content.subarray(at - length, at);
  };
  return {
    bytes,
    number: () => bytes(4).readUInt32BE(0),
    text: () => {
      const length = bytes(2);
      return Buffer.concat([length, bytes(length.readUInt16BE(0))]);
    },
    isAtEnd: () => at === content.length,
  };
}
