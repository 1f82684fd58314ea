// What each PKCS #12 profile of cert-manager means, as a table: which ciphers, which MAC, how many rounds. Called by pkcs12.ts and fit-pkcs12.ts.

import type { Pkcs12Profile } from '../api/certmanager.ts';

/** `rc2`: pbeWithSHAAnd40BitRC2-CBC · `tripleDes`: pbeWithSHAAnd3-KeyTripleDES-CBC · `aes`: PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC. */
export type Cipher = 'rc2' | 'tripleDes' | 'aes';
/** `pbmac1`: RFC 9579 with PBKDF2-HMAC-SHA-256 and HMAC-SHA-256; the others are the MACs of RFC 7292. */
export type Mac = 'sha1' | 'sha256' | 'pbmac1';

export interface Profile {
  readonly certificates: Cipher;
  readonly key: Cipher;
  readonly mac: Mac;
  readonly macIterations: number;
  /** Bytes. */
  readonly saltLength: number;
}

/** Rounds of every key derivation but that of the older MACs. */
export const cipherIterations = 2048;

export const profiles: Readonly<Record<Pkcs12Profile, Profile>> = {
  LegacyRC2: { certificates: 'rc2', key: 'tripleDes', mac: 'sha1', macIterations: 1, saltLength: 8 },
  LegacyDES: { certificates: 'tripleDes', key: 'tripleDes', mac: 'sha1', macIterations: 1, saltLength: 8 },
  Modern2023: { certificates: 'aes', key: 'aes', mac: 'sha256', macIterations: 2048, saltLength: 16 },
  Modern2026: { certificates: 'aes', key: 'aes', mac: 'pbmac1', macIterations: 2048, saltLength: 16 },
};

export const defaultProfile: Pkcs12Profile = 'LegacyRC2';
