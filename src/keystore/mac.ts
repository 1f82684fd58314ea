// The MAC over a PKCS #12 file: what shows that a password opens it. Called by pkcs12.ts to write one and by fit-pkcs12.ts to try one.

import { createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { derNull, integer, objectId, octetString, sequence } from '../pki/der-write.ts';
import { derive, purposes } from './derive.ts';
import { oids } from './oids.ts';
import type { Mac } from './profiles.ts';
import { numberBytes, stretching } from './protect.ts';

const stretch = promisify(pbkdf2);
const digestLengths = { sha1: 20, sha256: 32 } as const;
const pbmac1KeyLength = 32;

export interface MacTerms {
  readonly mac: Mac;
  readonly password: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

export async function macOf(content: Uint8Array, terms: MacTerms): Promise<Buffer> {
  const { mac, password, salt, iterations } = terms;
  if (mac === 'pbmac1') {
    const key = await stretch(password, salt, iterations, pbmac1KeyLength, 'sha256');
    return createHmac('sha256', key).update(content).digest();
  }
  const key = await derive({
    digest: mac,
    purpose: purposes.mac,
    password,
    salt,
    iterations,
    length: digestLengths[mac],
  });
  return createHmac(mac, key).update(content).digest();
}

/** MacData. PBMAC1 has salt and rounds of its own, and something in the fields that others read (RFC 9579 §5). */
export async function macData(content: Uint8Array, terms: MacTerms): Promise<Buffer> {
  const { mac, salt, iterations } = terms;
  const digest = octetString(await macOf(content, terms));
  if (mac === 'pbmac1') {
    const parameters = sequence(
      stretching(salt, iterations, pbmac1KeyLength),
      sequence(objectId(oids.hmacSha256), derNull),
    );
    return sequence(
      sequence(sequence(objectId(oids.pbmac1), parameters), digest),
      octetString(Buffer.from('NOT USED')),
    );
  }
  const rounds = iterations === 1 ? [] : [integer(numberBytes(iterations))];
  return sequence(sequence(sequence(objectId(oids[mac]), derNull), digest), octetString(salt), ...rounds);
}
