// Reads spec.literalSubject, the text form of a distinguished name (RFC 4514), into the relative names that subject.ts writes.
// Called by names.ts (its common name), by createCsr, and by the checks and comparisons of a spec.

import { isUtf8 } from 'node:buffer';
import type { Reply } from '../api/reply.ts';
import { attributeNames, attributeOid } from './attributes.ts';
import { parseDer, readText } from './der-read.ts';
import { directoryString, isObjectId } from './der-write.ts';
import { type PkiProblem, refuse } from './problem.ts';
import type { NameAttribute, RelativeName } from './subject.ts';

/**
 * In the order of the certificate, which is the reverse of the text (RFC 4514 §2.1). More is read than the RFC writes, as cert-manager does:
 * spaces around separators, a semicolon for a comma, plain text after a dotted OID. Texts are encoded as cert-manager encodes them
 * (PrintableString, else UTF8String, for DC too), so that a name has the same bytes before and after a move; `#` gives any other type.
 */
export function parseLiteralSubject(text: string): Reply<readonly RelativeName[], PkiProblem> {
  const names: NameAttribute[][] = [];
  for (let at = 0, joins = false; ; ) {
    const type = readType(text, at);
    if (typeof type === 'string') return wrong(type);
    const value = readValue(text, type.end);
    if (typeof value === 'string') return wrong(`the value of ${type.name} ${value}`);
    const attribute = { oid: type.oid, text: value.text, value: value.der };
    const last = names.at(-1);
    if (joins && last !== undefined) last.push(attribute);
    else names.push([attribute]);
    if (value.end === text.length) return { ok: true, value: names.toReversed() };
    joins = text[value.end] === '+';
    at = value.end + 1;
  }
}

function wrong(what: string): Reply<never, PkiProblem> {
  return refuse({ kind: 'unsupported', what: 'subject', message: `spec.literalSubject: ${what}.` });
}

interface AttributeType {
  readonly oid: string;
  readonly name: string;
  /** Where the value begins. */
  readonly end: number;
}

/** The second half of a sentence where there is none. */
function readType(text: string, at: number): AttributeType | string {
  const found = /\s*([^\s=,;+\\]+)\s*=/y;
  found.lastIndex = at;
  const [, name] = found.exec(text) ?? [];
  if (name === undefined) {
    const where = at === 0 ? 'it' : `what follows ${quote(text.slice(0, at))}`;
    return `${where} does not begin with an attribute, as in CN=foo,O=Example`;
  }
  const oid = isObjectId(name) ? name : attributeOid(name);
  return oid === undefined
    ? `there is no attribute ${quote(name)}; use ${attributeNames.join(', ')} or an OID such as 2.5.4.3`
    : { oid, name, end: found.lastIndex };
}

interface Value {
  /** Undefined where the bytes after `#` are no text. */
  readonly text: string | undefined;
  readonly der: Buffer;
  /** Where the separator stands, or the end of the text. */
  readonly end: number;
}

function readValue(text: string, from: number): Value | string {
  const start = from + (/^ */.exec(text.slice(from))?.[0].length ?? 0);
  if (text[start] === '#') return readHex(text, start + 1);
  if (text[start] === '"') return 'begins with a quotation mark; write it as \\", and a comma inside the value as \\,';
  const bytes: Buffer[] = [];
  let kept = 0;
  let at = start;
  while (at < text.length && !isSeparator(text[at])) {
    const piece = readPiece(text, at);
    if (piece === undefined) return `has a backslash before ${quote(text.slice(at + 1, at + 3))}; ${escapes}`;
    bytes.push(piece.bytes);
    // Spaces at the end belong to the separator, unless they are escaped.
    if (text[at] !== ' ') kept = bytes.length;
    at = piece.end;
  }
  const content = Buffer.concat(bytes.slice(0, kept));
  if (!isUtf8(content)) return 'is not UTF-8 once its escapes are read';
  const value = content.toString('utf8');
  return { text: value, der: directoryString(value), end: at };
}

const escapes = 'one of "#+,;<=>\\ or a space may follow it, or two hexadecimal digits';

/** One character or escape (RFC 4514 §2.4), as bytes: an escaped byte may be the half of a character. */
function readPiece(text: string, at: number): { readonly bytes: Buffer; readonly end: number } | undefined {
  if (text[at] !== '\\') {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    return { bytes: Buffer.from(character), end: at + character.length };
  }
  const special = text[at + 1] ?? '';
  if (special !== '' && ' "#+,;<=>\\'.includes(special)) return { bytes: Buffer.from(special), end: at + 2 };
  const pair = text.slice(at + 1, at + 3);
  return /^[0-9A-Fa-f]{2}$/.test(pair) ? { bytes: Buffer.from(pair, 'hex'), end: at + 3 } : undefined;
}

function readHex(text: string, from: number): Value | string {
  const digits = /[^,;+]*/y;
  digits.lastIndex = from;
  const [hex = ''] = digits.exec(text) ?? [];
  const trimmed = hex.trimEnd();
  const node = /^([0-9A-Fa-f]{2})+$/.test(trimmed) ? parseDer(Buffer.from(trimmed, 'hex')) : undefined;
  if (node === undefined) return 'begins with #, and what follows is not one DER value in hexadecimal digits';
  return { text: readText(node), der: node.raw, end: digits.lastIndex };
}

function isSeparator(character: string | undefined): boolean {
  return character === ',' || character === ';' || character === '+';
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
