// Whether a keystore that stands in a Secret is still right: ours, and those that cert-manager's own libraries wrote, so that a move rewrites none.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Pkcs12Profile } from '../../src/api/certmanager.ts';
import { type KeystoreTerms, makeKeystores, unfitKeystores } from '../../src/keystore/keystores.ts';
import { trustName } from '../../src/keystore/trust-name.ts';
import { openCertificate } from '../../src/pki/certificate.ts';
import { pairFor } from './pairs.ts';

const password = 'changeit';
const profiles: readonly Pkcs12Profile[] = ['LegacyRC2', 'LegacyDES', 'Modern2023', 'Modern2026'];
const wanted: readonly KeystoreTerms[] = [
  ...profiles.map((profile) => ({ kind: 'pkcs12', profile, password }) as const),
  { kind: 'jks', alias: 'certificate', password },
];

const theirs = JSON.parse(readFileSync(join(import.meta.dirname, 'cert-manager.json'), 'utf8'));

describe('a keystore that cert-manager wrote', () => {
  const pair = { chainPem: String(theirs.chain), caPem: String(theirs.ca) };
  const found = (name: string) => {
    const file = (key: string) => Buffer.from(String(theirs.files[key]), 'base64');
    const ending = name === 'jks' ? 'jks' : 'p12';
    return new Map([
      [`keystore.${ending}`, file(name)],
      [`truststore.${ending}`, file(`${name}-trust`)],
    ]);
  };

  it.each(wanted)('is right as it is: $kind $profile', async (terms) => {
    const files = found(terms.kind === 'jks' ? 'jks' : terms.profile);
    expect(await unfitKeystores([terms], pair, files)).toEqual([]);
  });

  it('lists its authorities under the names that we give them', () => {
    expect(trustName(openCertificate(pair.caPem)?.raw ?? Buffer.alloc(0))).toBe(theirs.truststoreAlias);
  });
});

describe.each(wanted)('a keystore of ours: $kind $profile', { timeout: 60_000 }, (terms) => {
  const ending = terms.kind === 'jks' ? 'jks' : 'p12';
  const both = [`keystore.${ending}`, `truststore.${ending}`];
  const standing = async () => {
    const pair = await pairFor({ algorithm: 'ECDSA' });
    return { pair, files: await makeKeystores([terms], pair.key, pair, 1) };
  };

  it('is right', async () => {
    const { pair, files } = await standing();
    expect(await unfitKeystores([terms], pair, files)).toEqual([]);
  });

  it('is wrong once the password is another', async () => {
    const { pair, files } = await standing();
    expect(await unfitKeystores([{ ...terms, password: 'changed' }], pair, files)).toEqual(both);
  });

  it('is wrong for another leaf', async () => {
    const { files } = await standing();
    const other = await pairFor({ algorithm: 'ECDSA' }, 1);
    expect(await unfitKeystores([terms], other, files)).toContain(both[0]);
  });

  it('is wrong where a file is missing, or torn, or a byte of what it holds is another', async () => {
    const { pair, files } = await standing();
    expect(await unfitKeystores([terms], pair, new Map())).toEqual(both);
    for (const at of [0.1, 0.3, 0.5, 0.7, 0.8]) {
      const broken = new Map([...files].map(([name, file]) => [name, flipped(file, at)] as const));
      expect(await unfitKeystores([terms], pair, broken)).toEqual(both);
    }
    const torn = new Map([...files].map(([name, file]) => [name, file.subarray(0, -30)] as const));
    expect(await unfitKeystores([terms], pair, torn)).toEqual(both);
  });

  it('wants no truststore where the issuer gave no CA', async () => {
    const { pair, files } = await standing();
    const { chainPem } = pair;
    const alone = await makeKeystores([terms], pair.key, { chainPem }, 1);
    expect(await unfitKeystores([terms], { chainPem }, alone)).toEqual([]);
    expect([...files.keys()]).toEqual(both);
  });
});

it('a keystore of one profile is wrong for every other', { timeout: 60_000 }, async () => {
  const pair = await pairFor({ algorithm: 'ECDSA' });
  for (const profile of profiles) {
    const files = await makeKeystores([{ kind: 'pkcs12', profile, password }], pair.key, pair, 1);
    for (const other of profiles) {
      const unfit = await unfitKeystores([{ kind: 'pkcs12', profile: other, password }], pair, files);
      expect([profile, other, unfit.length > 0]).toEqual([profile, other, profile !== other]);
    }
  }
});

it('another alias makes a Java keystore wrong, its spelling in capitals does not', async () => {
  const pair = await pairFor({ algorithm: 'ECDSA' });
  const files = await makeKeystores([{ kind: 'jks', alias: 'Schlüssel 🔑', password }], pair.key, pair, 1);
  const unfit = (alias: string) => unfitKeystores([{ kind: 'jks', alias, password }], pair, files);
  expect(await unfit('SCHLÜSSEL 🔑')).toEqual([]);
  expect(await unfit('other')).toEqual(['keystore.jks']);
});

function flipped(file: Buffer, part: number): Buffer {
  const copy = Buffer.from(file);
  const at = Math.floor(copy.length * part);
  copy[at] = (copy[at] ?? 0) ^ 0x5a;
  return copy;
}
