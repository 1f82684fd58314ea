// The names a certificate is for: from a spec, to and from the SAN extension (RFC 5280 §4.2.1.6), and which of them may be asked for.
// SANs are read from DER, never from text: node escapes nothing that a hostile name could not imitate.

import type { CertificateSpec } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import { type DerNode, parseDer } from './der-read.ts';
import { implicit, sequence } from './der-write.ts';
import { canonicalIp, ipBytes, ipText } from './ip.ts';
import { type PkiProblem, refuse } from './problem.ts';

export interface Names {
  readonly commonName?: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly emailAddresses: readonly string[];
}

const tags = { email: 1, dns: 2, uri: 6, ip: 7 } as const;

/** The names a Certificate asks for; DNS names in lower case, IP addresses canonical. */
export function namesOfSpec(spec: CertificateSpec): Names {
  return {
    ...(spec.commonName === undefined || spec.commonName === '' ? {} : { commonName: spec.commonName }),
    dnsNames: (spec.dnsNames ?? []).map((name) => name.toLowerCase()),
    ipAddresses: (spec.ipAddresses ?? []).map(canonicalIp),
    uris: spec.uris ?? [],
    emailAddresses: spec.emailAddresses ?? [],
  };
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
    offender('email address', names.emailAddresses, (name) => email.test(name));
  return bad === undefined
    ? { ok: true, value: names }
    : refuse({ kind: 'unsupported', what: 'name', message: `A certificate cannot carry ${bad}.` });
}

function offender(what: string, names: readonly string[], allowed: (name: string) => boolean): string | undefined {
  const bad = names.find((name) => !allowed(name));
  return bad === undefined ? undefined : `the ${what} ${JSON.stringify(bad.slice(0, 80))}`;
}

/** GeneralNames; undefined where there is none to write. The names must have passed checkNames. */
export function writeAltNames(names: Names): Buffer | undefined {
  const parts = [
    ...names.dnsNames.map((name) => implicit(tags.dns, Buffer.from(name, 'latin1'))),
    ...names.emailAddresses.map((name) => implicit(tags.email, Buffer.from(name, 'latin1'))),
    ...names.ipAddresses.map((name) => implicit(tags.ip, ipBytes(name) ?? Buffer.alloc(0))),
    ...names.uris.map((name) => implicit(tags.uri, Buffer.from(name, 'latin1'))),
  ];
  return parts.length === 0 ? undefined : sequence(...parts);
}

export interface AltNames extends Names {
  /** How many names are of kinds that we do not read, such as otherName. */
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
  const [dnsNames, emailAddresses, uris] = [texts(tags.dns), texts(tags.email), texts(tags.uri)];
  const unread = root.children.length - dnsNames.length - emailAddresses.length - uris.length - ips.length;
  return { dnsNames, ipAddresses: ips, uris, emailAddresses, unread };
}

function isIp(node: DerNode): boolean {
  return node.tag === (0x80 | tags.ip);
}
