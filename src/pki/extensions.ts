// X.509 extensions (RFC 5280 §4.2), written for requests and certificates and read back. Called by csr.ts, sign.ts and certificate.ts.

import { type DerNode, parseDer, readNamedBits, readOid } from './der-read.ts';
import { derTrue, explicit, implicit, integer, namedBits, objectId, octetString, sequence } from './der-write.ts';
import { type Names, writeAltNames } from './names.ts';
import { oids } from './oids.ts';
import type { Usages } from './usages.ts';

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** DER of the extension's own type. */
  readonly value: Buffer;
}

export function writeExtensions(extensions: readonly Extension[]): Buffer {
  const written = extensions.map(({ oid, critical, value }) =>
    sequence(objectId(oid), ...(critical ? [derTrue] : []), octetString(value)),
  );
  return sequence(...written);
}

/** By OID; undefined where the node is no Extensions or one stands twice, which RFC 5280 §4.2 forbids. */
export function readExtensions(node: DerNode | undefined): ReadonlyMap<string, Extension> | undefined {
  if (node?.tag !== 0x30) return undefined;
  const found = new Map<string, Extension>();
  for (const child of node.children) {
    const oid = readOid(child.children[0]);
    const value = child.children.at(-1);
    if (oid === undefined || value?.tag !== 0x04 || found.has(oid)) return undefined;
    found.set(oid, { oid, critical: child.children[1]?.raw.equals(derTrue) ?? false, value: value.content });
  }
  return found;
}

/** The SAN stands alone in an empty subject's place, and is critical then (RFC 5280 §4.2.1.6). */
export function altNames(names: Names, subject: 'empty' | 'given'): readonly Extension[] {
  const value = writeAltNames(names);
  return value === undefined ? [] : [{ oid: oids.subjectAltName, critical: subject === 'empty', value }];
}

export function usageExtensions(usages: Usages): readonly Extension[] {
  const purposes = usages.purposes.map(objectId);
  return [
    ...(usages.bits.length === 0 ? [] : [{ oid: oids.keyUsage, critical: true, value: namedBits(usages.bits) }]),
    ...(purposes.length === 0 ? [] : [{ oid: oids.extendedKeyUsage, critical: false, value: sequence(...purposes) }]),
  ];
}

/** Undefined where neither extension is there. */
export function requestedUsages(extensions: ReadonlyMap<string, Extension>): Usages | undefined {
  const bits = extensions.get(oids.keyUsage);
  const purposes = extensions.get(oids.extendedKeyUsage);
  if (bits === undefined && purposes === undefined) return undefined;
  return {
    bits: (bits === undefined ? undefined : readNamedBits(parseDer(bits.value))) ?? [],
    purposes: (purposes === undefined ? [] : (parseDer(purposes.value)?.children ?? [])).flatMap(
      (node) => readOid(node) ?? [],
    ),
  };
}

export function basicConstraints(role: 'authority' | 'leaf'): Extension {
  return { oid: oids.basicConstraints, critical: true, value: role === 'authority' ? sequence(derTrue) : sequence() };
}

export interface Constraints {
  readonly isCA: boolean;
  /** How many CA certificates may follow; undefined is any number. */
  readonly pathLength?: number;
}

export function readConstraints(extensions: ReadonlyMap<string, Extension>): Constraints {
  const extension = extensions.get(oids.basicConstraints);
  const parts = extension === undefined ? [] : (parseDer(extension.value)?.children ?? []);
  const length = parts.find((part) => part.tag === 0x02)?.content;
  return {
    isCA: parts[0]?.raw.equals(derTrue) ?? false,
    // Longer than one byte is longer than any chain, and says as little as none.
    ...(length?.length === 1 ? { pathLength: length.readUInt8(0) } : {}),
  };
}

export function subjectKeyId(id: Buffer): Extension {
  return { oid: oids.subjectKeyId, critical: false, value: octetString(id) };
}

export function authorityKeyId(id: Buffer): Extension {
  return { oid: oids.authorityKeyId, critical: false, value: sequence(implicit(0, id)) };
}

export function readSubjectKeyId(extensions: ReadonlyMap<string, Extension>): Buffer | undefined {
  const extension = extensions.get(oids.subjectKeyId);
  const node = extension === undefined ? undefined : parseDer(extension.value);
  return node?.tag === 0x04 ? node.content : undefined;
}

export function readAuthorityKeyId(extensions: ReadonlyMap<string, Extension>): Buffer | undefined {
  const extension = extensions.get(oids.authorityKeyId);
  const node = extension === undefined ? undefined : parseDer(extension.value);
  return node?.children.find((child) => child.tag === 0x80)?.content;
}

/** One DistributionPoint per URL, as cert-manager writes them (RFC 5280 §4.2.1.13). */
export function crlDistributionPoints(urls: readonly string[]): readonly Extension[] {
  if (urls.length === 0) return [];
  const points = urls.map((url) => sequence(explicit(0, explicit(0, uriName(url)))));
  return [{ oid: oids.crlDistributionPoints, critical: false, value: sequence(...points) }];
}

/** RFC 5280 §4.2.2.1. */
export function authorityInfo(ocsp: readonly string[], issuers: readonly string[]): readonly Extension[] {
  const entries = [
    ...ocsp.map((url) => sequence(objectId(oids.ocsp), uriName(url))),
    ...issuers.map((url) => sequence(objectId(oids.caIssuers), uriName(url))),
  ];
  return entries.length === 0 ? [] : [{ oid: oids.authorityInfoAccess, critical: false, value: sequence(...entries) }];
}

function uriName(url: string): Buffer {
  return implicit(6, Buffer.from(url, 'latin1'));
}

/** `[number] INTEGER` for the version fields of CSRs (0) and certificates (2, which means v3). */
export function version(number: number): Buffer {
  return integer(Buffer.from([number]));
}
