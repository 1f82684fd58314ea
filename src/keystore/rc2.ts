// RC2 in CBC mode (RFC 2268), which OpenSSL 3 keeps out of its default provider. Called by protect.ts for the profile LegacyRC2 alone.
// Written here because node-forge, the alternative, costs 84 ms to import (measured) for these two screens.

/** The bytes of RFC 2268 §2: a permutation derived from the digits of π. */
const permutation = Buffer.from(
  [
    'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2',
    '179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82',
    '54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626',
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7',
    '08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec',
    'c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731',
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9',
    '0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad',
  ].join(''),
  'hex',
);

const blockLength = 8;
const rotations = [1, 2, 3, 5] as const;
/** After which of the sixteen mixing rounds the words are mashed (§3.3). */
const mashedAfter: ReadonlySet<number> = new Set([4, 10]);

/** PKCS #7 padded CBC; the effective key length is the key's own. */
export function encryptRc2(key: Uint8Array, iv: Uint8Array, plain: Uint8Array): Buffer {
  const words = expandKey(key);
  const padding = blockLength - (plain.length % blockLength);
  const padded = Buffer.concat([plain, Buffer.alloc(padding, padding)]);
  let last = iv;
  for (let at = 0; at < padded.length; at += blockLength) {
    const block = padded.subarray(at, at + blockLength);
    for (let i = 0; i < blockLength; i++) block[i] = (block[i] ?? 0) ^ (last[i] ?? 0);
    encryptBlock(words, block);
    last = block;
  }
  return padded;
}

/** RFC 2268 §2, where T1 is eight times the length of the key, so that TM is 0xff. */
export function expandKey(key: Uint8Array): Uint16Array {
  const bytes = Buffer.alloc(128);
  bytes.set(key);
  const length = key.length;
  const at = (index: number) => bytes[index] ?? 0;
  const permuted = (value: number) => permutation[value & 0xff] ?? 0;
  for (let i = length; i < 128; i++) bytes[i] = permuted(at(i - 1) + at(i - length));
  bytes[128 - length] = permuted(at(128 - length));
  for (let i = 127 - length; i >= 0; i--) bytes[i] = permuted(at(i + 1) ^ at(i + length));
  return Uint16Array.from({ length: 64 }, (_, i) => bytes.readUInt16LE(2 * i));
}

/** In place. */
export function encryptBlock(key: Uint16Array, block: Buffer): void {
  const r = Uint16Array.from({ length: 4 }, (_, i) => block.readUInt16LE(2 * i));
  const word = (index: number) => r[index & 3] ?? 0;
  for (let round = 0; round < 16; round++) {
    for (const [i, rotation] of rotations.entries()) {
      const mixed = (word(i + 3) & word(i + 2)) + (~word(i + 3) & word(i + 1));
      const sum = (word(i) + (key[4 * round + i] ?? 0) + mixed) & 0xffff;
      r[i] = (sum << rotation) | (sum >>> (16 - rotation));
    }
    if (!mashedAfter.has(round)) continue;
    for (let i = 0; i < 4; i++) r[i] = word(i) + (key[word(i + 3) & 63] ?? 0);
  }
  for (const [i, value] of r.entries()) block.writeUInt16LE(value, 2 * i);
}
