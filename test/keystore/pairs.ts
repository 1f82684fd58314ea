// Chains of three with a leaf for each kind of key, made once per run, and the commands that open what was written. Used by the specifications here.

import { execFileSync } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PrivateKeySpec } from '../../src/api/certmanager.ts';
import type { Chain } from '../../src/keystore/keystores.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { signCsr } from '../../src/pki/sign.ts';
import { day, keyFor, makeIntermediate, makeRoot, only, serial, start, value } from '../pki/fixtures.ts';

export const keyKinds = [
  { algorithm: 'RSA', size: 2048 },
  { algorithm: 'ECDSA', size: 256 },
  { algorithm: 'Ed25519' },
] as const satisfies readonly PrivateKeySpec[];

export interface Pair extends Chain {
  readonly key: KeyObject;
  readonly caPem: string;
}

/** The leaf, its intermediate, and the root as the issuer's ca.crt; another number is another leaf. */
export async function pairFor(spec: PrivateKeySpec, number = 0): Promise<Pair> {
  const intermediate = await makeIntermediate(await makeRoot());
  const key = await keyFor(spec, number);
  const csr = await createCsr({ key, names: only({ dnsNames: [`leaf-${number}.example.com`] }) });
  const validity = { notBefore: start, notAfter: start + 90 * day };
  const terms = { csr, issuer: intermediate, ...validity, usages: [], isCA: false, serial: serial(7 + number) };
  const { chainPem, caPem } = value(await signCsr(terms));
  return { key, chainPem, caPem };
}

/** Runs a command on the file, named `{file}` among its arguments; answers both its streams, whatever its exit code. */
export function run(command: string, args: readonly string[], file: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'certway-keystore-'));
  try {
    const path = join(folder, 'file');
    writeFileSync(path, file);
    const resolved = args.map((arg) => arg.replace('{file}', path));
    const script = `"$@" 2>&1 || echo "exit $?"`;
    return execFileSync('sh', ['-c', script, 'sh', command, ...resolved], { encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Java's own opinion, where there is a Java. */
export const keytool = ['/usr/bin/keytool', `${process.env.JAVA_HOME ?? ''}/bin/keytool`].find((path) =>
  existsSync(path),
);

/** What keytool lists; JKS files and PKCS #12 files alike. */
export function listed(file: Uint8Array, type: 'JKS' | 'PKCS12', password: string): string {
  const args = ['-list', '-v', '-keystore', '{file}', '-storetype', type, '-storepass', password];
  return run(keytool ?? 'keytool', ['-J-XX:TieredStopAtLevel=1', '-J-Duser.language=en', ...args], file);
}
