// Encrypts under a password as PKCS #12 files do: each call with fresh salt. Called by pkcs12.ts.

import { createCipheriv, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { derNull, integer, objectId, octetString, sequence } from '../pki/der-write.ts';
import { derive, purposes } from './derive.ts';
import { oids } from './oids.ts';
import { type Cipher, cipherIterations } from './profiles.ts';
import { encryptRc2 } from './rc2.ts';

/** On the thread pool. */
const stretch = promisify(pbkdf2);

export interface Protected {
  /** AlgorithmIdentifier with its parameters. */
  readonly algorithm: Buffer;
  readonly bytes: Buffer;
}

export async function protect(
  plain: Uint8Array,
  cipher: Cipher,
  password: string,
  saltLength: number,
): Promise<Protected> {
  const salt = randomBytes(saltLength);
  switch (cipher) {
    case 'aes':
      return protectWithAes(plain, password, salt);
    case 'tripleDes': {
      const { key, iv } = await derived(password, salt, 24);
      return { algorithm: pbe(oids.tripleDes, salt), bytes: encipher('des-ede3-cbc', key, iv, plain) };
    }
    case 'rc2': {
      const { key, iv } = await derived(password, salt, 5);
      return { algorithm: pbe(oids.rc2, salt), bytes: encryptRc2(key, iv, plain) };
    }
    default:
      throw new Error(`no such cipher: ${cipher satisfies never}`);
  }
}

async function protectWithAes(plain: Uint8Array, password: string, salt: Buffer): Promise<Protected> {
  const iv = randomBytes(16);
  const key = await stretch(password, salt, cipherIterations, 32, 'sha256');
  const parameters = sequence(stretching(salt, cipherIterations), sequence(objectId(oids.aes256Cbc), octetString(iv)));
  return { algorithm: sequence(objectId(oids.pbes2), parameters), bytes: encipher('aes-256-cbc', key, iv, plain) };
}

async function derived(password: string, salt: Buffer, length: number) {
  const from = { digest: 'sha1', password, salt, iterations: cipherIterations } as const;
  const key = await derive({ ...from, purpose: purposes.key, length });
  return { key, iv: await derive({ ...from, purpose: purposes.iv, length: 8 }) };
}

function pbe(oid: string, salt: Buffer): Buffer {
  return sequence(objectId(oid), sequence(octetString(salt), integer(numberBytes(cipherIterations))));
}

/** PBKDF2 with HMAC-SHA-256 (RFC 8018 §A.2); readers of PBMAC1 insist on the length, those of PBES2 on its absence. */
export function stretching(salt: Uint8Array, iterations: number, length?: number): Buffer {
  const prf = sequence(objectId(oids.hmacSha256), derNull);
  const bytes = length === undefined ? [] : [integer(numberBytes(length))];
  const parameters = sequence(octetString(salt), integer(numberBytes(iterations)), ...bytes, prf);
  return sequence(objectId(oids.pbkdf2), parameters);
}

export function numberBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function encipher(name: string, key: Buffer, iv: Buffer, plain: Uint8Array): Buffer {
  const cipher = createCipheriv(name, key, iv);
  return Buffer.concat([cipher.update(plain), cipher.final()]);
}
