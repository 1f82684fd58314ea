// The names a certificate is for: from a spec, to and from the SAN extension (RFC 5280 §4.2.1.6), and which of them may be asked for.
// SANs are read from DER, never from text: node escapes nothing that a hostile name could not imitate.

import type { CertificateSpec } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import { isClean } from './attributes.ts';
import { type DerNode, parseDer, readOid, readText } from './der-read.ts';
import { explicit, implicit, isObjectId, objectId, sequence, tlv } from './der-write.ts';
import { canonicalIp, ipBytes, ipText } from './ip.ts';
import { parseLiteralSubject } from './literal-subject.ts';
import { oids } from './oids.ts';
import { type PkiProblem, refuse } from './problem.ts';

/** A name of a kind that its OID defines, such as a user principal name; only those whose value is a UTF8String. */
export interface OtherName {
  readonly oid: string;
  readonly utf8Value: string;
}

export interface Names {
  readonly commonName?: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly emailAddresses: readonly string[];
  /** Absent where there is none. */
  readonly otherNames?: readonly OtherName[];
}

const tags = { other: 0, email: 1, dns: 2, uri: 6, ip: 7 } as const;

/**
 * The names a Certificate asks for, each once and as first seen; DNS names in lower case, IP addresses canonical: a repeated name is
 * what ACME CAs count twice and refuse. The common name may come from the literal subject.
 */
export function namesOfSpec(spec: CertificateSpec): Names {
  const commonName = spec.literalSubject ? literalCommonName(spec.literalSubject) : spec.commonName;
  const otherNames = (spec.otherNames ?? []).map(({ oid = '', utf8Value = '' }) => ({ oid, utf8Value }));
  return {
    ...(commonName === undefined || commonName === '' ? {} : { commonName }),
    dnsNames: unique((spec.dnsNames ?? []).map((name) => name.toLowerCase())),
    ipAddresses: unique((spec.ipAddresses ?? []).map(canonicalIp)),
    uris: unique(spec.uris ?? []),
    emailAddresses: unique(spec.emailAddresses ?? []),
    ...(otherNames.length === 0 ? {} : { otherNames: distinct(otherNames) }),
  };
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

function distinct(names: readonly OtherName[]): readonly OtherName[] {
  return [...new Map(names.map((name) => [otherNameText(name), name])).values()];
}

/** For comparison and for rules about names: `1.2.3:value`. */
export function otherNameText({ oid, utf8Value }: OtherName): string {
  return `${oid}:${utf8Value}`;
}

/** The last in the certificate's order, as readSubject takes it; undefined for a text that checkRequest refuses. */
function literalCommonName(literal: string): string | undefined {
  const names = parseLiteralSubject(literal);
  const attributes = names.ok ? names.value.flat() : [];
  return attributes.findLast(({ oid }) => oid === oids.commonName)?.text;
}

const label = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const dnsName = new RegExp(`^(\\*\\.)?${label}(\\.${label})*$`);
const email = /^[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,255}$/;
const uri = /^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$/;

/** Whether these names can stand in a request at all: syntax only, not who may have them. */
export function checkNames(names: Names): Reply<Names, PkiProblem> {
  const bad =
    (names.commonName !== undefined && !/^[^\p{Cc}]{1,64}$/u.test(names.commonName) ? 'the common name' : undefined) ??
    offender('DNS name', names.dnsNames, (name) => name.length <= 253 && dnsName.test(name)) ??
    offender('IP address', names.ipAddresses, (name) => ipBytes(name) !== undefined) ??
    offender('URI', names.uris, (name) => uri.test(name)) ??
    offender('email address', names.emailAddresses, (name) => email.test(name)) ??
    otherNameFault(names.otherNames ?? []);
  return bad === undefined
    ? { ok: true, value: names }
    : refuse({ kind: 'unsupported', what: 'name', message: `A certificate cannot carry ${bad}.` });
}

function offender(what: string, names: readonly string[], allowed: (name: string) => boolean): string | undefined {
  const bad = names.find((name) => !allowed(name));
  return bad === undefined ? undefined : `the ${what} ${JSON.stringify(bad.slice(0, 80))}`;
}

function otherNameFault(names: readonly OtherName[]): string | undefined {
  const oid = names.find((name) => !isObjectId(name.oid))?.oid;
  if (oid !== undefined) {
    return `the other name of type ${JSON.stringify(oid.slice(0, 80))}: its oid must be dotted numbers, as in 1.3.6.1.4.1.311.20.2.3`;
  }
  const bad = names.find(({ utf8Value }) => utf8Value === '' || !isClean(utf8Value));
  if (bad === undefined) return undefined;
  const fault = bad.utf8Value === '' ? 'it has no utf8Value' : 'its utf8Value has control characters or broken Unicode';
  return `the other name of type ${bad.oid}: ${fault}`;
}

/** GeneralNames; undefined where there is none to write. The names must have passed checkNames. */
export function writeAltNames(names: Names): Buffer | undefined {
  const parts = [
    ...names.dnsNames.map((name) => implicit(tags.dns, Buffer.from(name, 'latin1'))),
    ...names.emailAddresses.map((name) => implicit(tags.email, Buffer.from(name, 'latin1'))),
    ...names.ipAddresses.map((name) => implicit(tags.ip, ipBytes(name) ?? Buffer.alloc(0))),
    ...names.uris.map((name) => implicit(tags.uri, Buffer.from(name, 'latin1'))),
    ...(names.otherNames ?? []).map(writeOtherName),
  ];
  return parts.length === 0 ? undefined : sequence(...parts);
}

/** `[0] { type-id, [0] value }`: implicit, as the module of RFC 5280 appendix A.2 is. */
function writeOtherName({ oid, utf8Value }: OtherName): Buffer {
  return explicit(tags.other, objectId(oid), explicit(0, tlv(0x0c, Buffer.from(utf8Value))));
}

export interface AltNames extends Names {
  /** How many names are of kinds that we do not read, such as a directory name. */
  readonly unread: number;
}

/** Undefined where the bytes are no GeneralNames. Texts are given as they stand: compare them, but check them before use. */
export function readAltNames(value: Buffer | undefined): AltNames | undefined {
  if (value === undefined) return { dnsNames: [], ipAddresses: [], uris: [], emailAddresses: [], unread: 0 };
  const root = parseDer(value);
  if (root?.tag !== 0x30) return undefined;
  const texts = (number: number): readonly string[] =>
    root.children.filter((node) => node.tag === (0x80 | number)).map((node) => node.content.toString('latin1'));
  const ips = root.children.filter(isIp).flatMap((node) => ipText(node.content) ?? []);
  const otherNames = root.children.flatMap((node) => readOtherName(node) ?? []);
  const [dnsNames, emailAddresses, uris] = [texts(tags.dns), texts(tags.email), texts(tags.uri)];
  const read = dnsNames.length + emailAddresses.length + uris.length + ips.length + otherNames.length;
  const unread = root.children.length - read;
  const others = otherNames.length === 0 ? {} : { otherNames };
  return { dnsNames, ipAddresses: ips, uris, emailAddresses, ...others, unread };
}

function isIp(node: DerNode): boolean {
  return node.tag === (0x80 | tags.ip);
}

function readOtherName(node: DerNode): OtherName | undefined {
  const [type, wrapper, ...more] = node.children;
  const value = wrapper?.children[0];
  if (node.tag !== (0xa0 | tags.other) || wrapper?.tag !== 0xa0 || value?.tag !== 0x0c) return undefined;
  const oid = readOid(type);
  const utf8Value = readText(value);
  if (oid === undefined || utf8Value === undefined || wrapper.children.length > 1 || more.length > 0) return undefined;
  return { oid, utf8Value };
}
