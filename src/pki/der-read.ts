// Reads ASN.1 DER into a tree that is safe to walk: anything that is not strict DER is undefined, and nothing throws.
// Called by the files of pki/ that read requests and certificates, whose bytes come from tenants.

import { isUtf8 } from 'node:buffer';

export interface DerNode {
  readonly tag: number;
  /** The whole element, header included. */
  readonly raw: Buffer;
  readonly content: Buffer;
  /** Empty for primitive elements. */
  readonly children: readonly DerNode[];
}

const deepest = 24;

/** Exactly one element; bytes after it are refused, as are indefinite and non-minimal lengths (X.690 §10.1). */
export function parseDer(bytes: Buffer): DerNode | undefined {
  const nodes = parseAll(bytes, 0);
  return nodes?.length === 1 ? nodes[0] : undefined;
}

function parseAll(bytes: Buffer, depth: number): readonly DerNode[] | undefined {
  if (depth > deepest) return undefined;
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length; ) {
    const node = parseOne(bytes, at, depth);
    if (node === undefined) return undefined;
    nodes.push(node);
    at += node.raw.length;
  }
  return nodes;
}

function parseOne(bytes: Buffer, at: number, depth: number): DerNode | undefined {
  const tag = bytes[at];
  // Tag numbers above 30 take more bytes; X.509 has none.
  if (tag === undefined || (tag & 0x1f) === 0x1f) return undefined;
  const extent = readLength(bytes, at + 1);
  if (extent === undefined || extent.end > bytes.length) return undefined;
  const content = bytes.subarray(extent.start, extent.end);
  const children = (tag & 0x20) === 0 ? [] : parseAll(content, depth + 1);
  return children === undefined ? undefined : { tag, raw: bytes.subarray(at, extent.end), content, children };
}

function readLength(bytes: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  if (first < 0x80) return { start: at + 1, end: at + 1 + first };
  const count = first & 0x7f;
  if (count === 0 || count > 4 || at + 1 + count > bytes.length) return undefined;
  const length = bytes.readUIntBE(at + 1, count);
  const minimal = length >= 0x80 && bytes[at + 1] !== 0;
  return minimal ? { start: at + 1 + count, end: at + 1 + count + length } : undefined;
}

/** Dotted form, or undefined where the node is no OBJECT IDENTIFIER. */
export function readOid(node: DerNode | undefined): string | undefined {
  if (node?.tag !== 0x06) return undefined;
  const arcs: number[] = [];
  let arc = 0;
  if ((node.content.at(-1) ?? 0x80) >= 0x80) return undefined;
  for (const byte of node.content) {
    arc = arc * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(arc)) return undefined;
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [first = 0, ...rest] = arcs;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join('.');
}

/** The content of a BIT STRING of whole bytes. */
export function readBits(node: DerNode | undefined): Buffer | undefined {
  return node?.tag === 0x03 && node.content[0] === 0 ? node.content.subarray(1) : undefined;
}

/** The numbers of the bits that are set in a named bit list. */
export function readNamedBits(node: DerNode | undefined): readonly number[] | undefined {
  if (node?.tag !== 0x03 || node.content.length === 0) return undefined;
  const bytes = node.content.subarray(1);
  return Array.from({ length: bytes.length * 8 }, (_, bit) => bit).filter(
    (bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0,
  );
}

/** The text of a DirectoryString or IA5String; undefined for broken UTF-8. Latin-1 keeps every byte of the single-byte kinds, valid or not. */
export function readText(node: DerNode | undefined): string | undefined {
  switch (node?.tag) {
    case 0x0c:
      return isUtf8(node.content) ? node.content.toString('utf8') : undefined;
    case 0x1e:
      return node.content.length % 2 === 0 ? Buffer.from(node.content).swap16().toString('utf16le') : undefined;
    case 0x13:
    case 0x14:
    case 0x16:
      return node.content.toString('latin1');
    default:
      return undefined;
  }
}
