// Whether a PKCS #12 file is what would be written now: made by the profile, opened by the password, holding the leaf. Called by keystores.ts.
// Nothing is decrypted: the MAC proves the password over everything, and the key's bag names its leaf in the clear.

import { timingSafeEqual } from 'node:crypto';
import { type DerNode, parseDer, readOid } from '../pki/der-read.ts';
import { type MacTerms, macOf } from './mac.ts';
import { oids } from './oids.ts';
import { leafId, type Pkcs12Terms } from './pkcs12.ts';
import { type Cipher, type Profile, profiles } from './profiles.ts';

/** `leaf` is DER, and absent for a truststore. */
export async function fitsPkcs12(file: Buffer, terms: Pkcs12Terms, leaf: Buffer | undefined): Promise<boolean> {
  const profile = profiles[terms.profile];
  const [, info, macData] = parseDer(file)?.children ?? [];
  const safe = contentOf(info, oids.data);
  const contents = safe === undefined ? [] : (parseDer(safe)?.children ?? []);
  if (safe === undefined || macData === undefined) return false;
  const cipher = contents[0]?.children[1]?.children[0]?.children[1]?.children[1];
  if (readOid(contents[0]?.children[0]) !== oids.encryptedData || !isMadeBy(cipher, profile.certificates)) return false;
  if (leaf !== undefined && !holdsKeyOf(contents[1], leaf, profile)) return false;
  return opens(safe, macData, profile, terms.password);
}

/** The octets in a ContentInfo of this type. */
function contentOf(info: DerNode | undefined, type: string): Buffer | undefined {
  const octets = info?.children[1]?.children[0];
  return readOid(info?.children[0]) === type && octets?.tag === 0x04 ? octets.content : undefined;
}

function isMadeBy(algorithm: DerNode | undefined, cipher: Cipher): boolean {
  const wanted = { rc2: oids.rc2, tripleDes: oids.tripleDes, aes: oids.pbes2 }[cipher];
  return readOid(algorithm?.children[0]) === wanted;
}

function holdsKeyOf(info: DerNode | undefined, leaf: Buffer, profile: Profile): boolean {
  const bags = parseDer(contentOf(info, oids.data) ?? Buffer.alloc(0))?.children ?? [];
  const [type, value, attributes] = bags[0]?.children ?? [];
  if (bags.length !== 1 || readOid(type) !== oids.shroudedKeyBag) return false;
  const named = attributes?.children.find((each) => readOid(each.children[0]) === oids.localKeyId);
  const id = named?.children[1]?.children[0]?.content;
  return id?.equals(leafId(leaf)) === true && isMadeBy(value?.children[0]?.children[0], profile.key);
}

async function opens(safe: Buffer, macData: DerNode, profile: Profile, password: string): Promise<boolean> {
  const [info, salt, iterations] = macData.children;
  const [algorithm, digest] = info?.children ?? [];
  const wanted = { sha1: oids.sha1, sha256: oids.sha256, pbmac1: oids.pbmac1 }[profile.mac];
  if (readOid(algorithm?.children[0]) !== wanted || digest === undefined) return false;
  const terms = profile.mac === 'pbmac1' ? stretchedBy(algorithm) : plainly(salt, iterations);
  // Other counts than the profile's are another's work, and a count of billions would be an attack on our time.
  if (terms === undefined || terms.iterations !== profile.macIterations) return false;
  const expected = await macOf(safe, { ...terms, mac: profile.mac, password });
  return expected.length === digest.content.length && timingSafeEqual(expected, digest.content);
}

type Rounds = Pick<MacTerms, 'salt' | 'iterations'>;

function plainly(salt: DerNode | undefined, iterations: DerNode | undefined): Rounds | undefined {
  return salt === undefined
    ? undefined
    : { salt: salt.content, iterations: iterations === undefined ? 1 : smallNumber(iterations) };
}

/** PBMAC1-params → PBKDF2-params. */
function stretchedBy(algorithm: DerNode | undefined): Rounds | undefined {
  const [salt, iterations] = algorithm?.children[1]?.children[0]?.children[1]?.children ?? [];
  return salt?.tag === 0x04 && iterations !== undefined
    ? { salt: salt.content, iterations: smallNumber(iterations) }
    : undefined;
}

/** Of a positive INTEGER; 0 where it is none that could be a count. */
function smallNumber({ tag, content }: DerNode): number {
  return tag === 0x02 && content.length > 0 && content.length <= 5 ? content.readIntBE(0, content.length) : 0;
}
