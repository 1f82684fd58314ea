// All keystores of one Secret: which files they are, how they are made, and which of those that stand there must be made anew.
// Called by apply/ when it writes the target Secret and when it looks for drift.

import { type KeyObject, X509Certificate } from 'node:crypto';
import type { Pkcs12Profile } from '../api/certmanager.ts';
import { splitPem } from '../pki/certificate.ts';
import { fitsJks } from './fit-jks.ts';
import { fitsPkcs12 } from './fit-pkcs12.ts';
import { jksKeystore, jksTruststore } from './jks.ts';
import { pkcs12Keystore, pkcs12Truststore } from './pkcs12.ts';

export const keystoreFiles = {
  pkcs12: { keystore: 'keystore.p12', truststore: 'truststore.p12' },
  jks: { keystore: 'keystore.jks', truststore: 'truststore.jks' },
} as const;

export type KeystoreFile = (typeof keystoreFiles)['pkcs12' | 'jks']['keystore' | 'truststore'];

export type KeystoreTerms =
  | { readonly kind: 'pkcs12'; readonly profile: Pkcs12Profile; readonly password: string }
  | { readonly kind: 'jks'; readonly alias: string; readonly password: string };

export interface Chain {
  /** PEM, leaf first. */
  readonly chainPem: string;
  /** PEM of what the issuer says to trust; without it there are no truststores. */
  readonly caPem?: string;
}

/** The files by the name of their Secret key. `now` is epoch ms. Gives the loop a turn every 1 to 2 ms of work. */
export async function makeKeystores(
  wanted: readonly KeystoreTerms[],
  key: KeyObject,
  pair: Chain,
  now: number,
): Promise<ReadonlyMap<KeystoreFile, Buffer>> {
  const [chain, authorities] = [certificatesOf(pair.chainPem), certificatesOf(pair.caPem ?? '')];
  const made = new Map<KeystoreFile, Buffer>();
  for (const terms of wanted) {
    const { keystore, truststore } = keystoreFiles[terms.kind];
    switch (terms.kind) {
      case 'pkcs12':
        made.set(keystore, await pkcs12Keystore(key, chain, authorities, terms));
        if (authorities.length > 0) made.set(truststore, await pkcs12Truststore(authorities, terms));
        break;
      case 'jks':
        made.set(keystore, jksKeystore(key, chain, authorities, { ...terms, createdAt: now }));
        if (authorities.length > 0) made.set(truststore, jksTruststore(authorities, { ...terms, createdAt: now }));
        break;
      default:
        throw new Error(`no such keystore: ${terms satisfies never}`);
    }
  }
  return made;
}

/** Of the files that are wanted, those that are missing, or do not open, or hold another certificate. */
export async function unfitKeystores(
  wanted: readonly KeystoreTerms[],
  pair: Chain,
  found: ReadonlyMap<string, Buffer>,
): Promise<readonly KeystoreFile[]> {
  const [chain, authorities] = [certificatesOf(pair.chainPem), certificatesOf(pair.caPem ?? '')];
  const unfit: KeystoreFile[] = [];
  for (const terms of wanted) {
    const { keystore, truststore } = keystoreFiles[terms.kind];
    const files = authorities.length > 0 ? [keystore, truststore] : [keystore];
    for (const name of files) {
      const file = found.get(name);
      if (file === undefined || !(await fits(file, terms, name === keystore ? chain : [], authorities))) {
        unfit.push(name);
      }
    }
  }
  return unfit;
}

/** An empty chain stands for a truststore. */
async function fits(
  file: Buffer,
  terms: KeystoreTerms,
  chain: readonly Buffer[],
  authorities: readonly Buffer[],
): Promise<boolean> {
  if (terms.kind === 'pkcs12') return fitsPkcs12(file, terms, chain[0]);
  const key = chain.length === 0 ? {} : { key: { alias: terms.alias, chain } };
  return fitsJks(file, { password: terms.password, ...key, authorities });
}

/** DER of each certificate in the text. */
function certificatesOf(pem: string): readonly Buffer[] {
  return splitPem(pem).map((each) => new X509Certificate(each).raw);
}
