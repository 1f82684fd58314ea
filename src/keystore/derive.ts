// Keys from passwords as PKCS #12 derives them (RFC 7292 appendix B.2). Called by protect.ts (ciphers) and mac.ts (the older MACs).
// Node has no native call for it, and a hash costs 1 to 2 µs of this thread: the loop gets a turn after every thousand.

import { hash } from 'node:crypto';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';

/** The "ID" of appendix B.3. */
export const purposes = { key: 1, iv: 2, mac: 3 } as const;

export interface Derivation {
  readonly digest: 'sha1' | 'sha256';
  readonly purpose: (typeof purposes)[keyof typeof purposes];
  readonly password: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** Bytes wanted. */
  readonly length: number;
}

/** Hashes between two turns of the loop; the profiles' 2048 rounds are two stretches. */
const stretch = 1024;

/** The block length of both digests, "v" of the appendix, in bytes. */
const blockLength = 64;

export async function derive(wanted: Derivation): Promise<Buffer> {
  const { digest, salt, iterations, length } = wanted;
  const diversifier = Buffer.alloc(blockLength, wanted.purpose);
  const input = Buffer.concat([repeated(salt), repeated(passwordBytes(wanted.password))]);
  const blocks: Buffer[] = [];
  for (let have = 0; have < length; have += blocks.at(-1)?.length ?? length) {
    if (have > 0) addToBlocks(input, blocks.at(-1) ?? Buffer.alloc(0));
    let block = hash(digest, Buffer.concat([diversifier, input]), 'buffer');
    for (let done = 1; done < iterations; done++) {
      block = hash(digest, block, 'buffer');
      if (done % stretch === 0 || done === iterations - 1) await turnOfTheLoop();
    }
    blocks.push(block);
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** A BMPString with its terminator (appendix B.1). Signs outside the BMP become surrogates, as in OpenSSL and Java. */
function passwordBytes(password: string): Buffer {
  return Buffer.from(`${password}\0`, 'utf16le').swap16();
}

function repeated(bytes: Uint8Array): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / blockLength) * blockLength, bytes);
}

/** Step 6 C: each block of the input becomes itself + the repeated hash + 1, modulo its size. In place. */
function addToBlocks(input: Buffer, last: Buffer): void {
  const addend = Buffer.alloc(blockLength, last);
  for (let start = 0; start < input.length; start += blockLength) {
    let carry = 1;
    for (let i = blockLength - 1; i >= 0; i--) {
      const sum = (input[start + i] ?? 0) + (addend[i] ?? 0) + carry;
      input[start + i] = sum & 0xff;
      carry = sum >>> 8;
    }
  }
}
