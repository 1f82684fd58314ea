// Keys made once per run, a CA to sign with, and seeded random numbers. Used by the specifications in this folder.

import type { KeyObject } from 'node:crypto';
import type { PrivateKeySpec } from '../../src/api/certmanager.ts';
import { splitPem } from '../../src/pki/certificate.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { generateKey } from '../../src/pki/keys.ts';
import type { Names } from '../../src/pki/names.ts';
import { type Issued, selfSign, signCsr } from '../../src/pki/sign.ts';

export const keySpecs = [
  { algorithm: 'RSA', size: 2048 },
  { algorithm: 'RSA', size: 3072 },
  { algorithm: 'ECDSA', size: 256 },
  { algorithm: 'ECDSA', size: 384 },
  { algorithm: 'ECDSA', size: 521 },
  { algorithm: 'Ed25519' },
] as const satisfies readonly PrivateKeySpec[];

const made = new Map<string, Promise<KeyObject>>();

/** The same key for the same spec and number. */
export function keyFor(spec: PrivateKeySpec, number = 0): Promise<KeyObject> {
  const name = `${spec.algorithm}/${spec.size}/${number}`;
  const key = made.get(name) ?? generateKey(spec);
  made.set(name, key);
  return key;
}

export const day = 86_400_000;
export const start = Date.UTC(2026, 10, 21);

/** A serial that says what it is for. */
export function serial(number: number): Buffer {
  const bytes = Buffer.alloc(16, 0xab);
  bytes.writeUInt32BE(number, 12);
  return bytes;
}

export function only(names: Partial<Names>): Names {
  return { dnsNames: [], ipAddresses: [], uris: [], emailAddresses: [], ...names };
}

export function value<T>(reply: { ok: true; value: T } | { ok: false; problem: unknown }): T {
  if (!reply.ok) throw new Error(`unexpected problem: ${JSON.stringify(reply.problem)}`);
  return reply.value;
}

export interface TestCa {
  readonly key: KeyObject;
  readonly chain: readonly string[];
}

export async function makeRoot(spec: PrivateKeySpec = { algorithm: 'ECDSA' }, years = 10): Promise<TestCa> {
  const key = await keyFor(spec, 1);
  const csr = await createCsr({ key, names: only({ commonName: 'Test Root' }), isCA: true });
  const validity = { notBefore: start, notAfter: start + years * 365 * day };
  const root = value(await selfSign({ csr, key, ...validity, usages: [], isCA: true, serial: serial(1) }));
  return { key, chain: [root.chainPem] };
}

export async function makeIntermediate(parent: TestCa, spec: PrivateKeySpec = { algorithm: 'ECDSA' }): Promise<TestCa> {
  const key = await keyFor(spec, 2);
  const csr = await createCsr({ key, names: only({ commonName: 'Test Intermediate' }), isCA: true });
  const signed = await signCsr({
    csr,
    issuer: parent,
    notBefore: start,
    notAfter: start + 1000 * day,
    usages: [],
    isCA: true,
    serial: serial(2),
  });
  const issued: Issued = value(signed);
  return { key, chain: [...splitPem(issued.chainPem), issued.caPem] };
}

export type Random = (below: number) => number;

/** mulberry32: the same numbers for the same seed, on every machine. */
export function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
