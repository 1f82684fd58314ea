// Requests that two readers could understand differently, or that hide a name: rightly signed, and refused all the same.

import { describe, expect, test } from 'vitest';
import { readCsr } from '../../src/pki/csr.ts';
import { directoryString, explicit, objectId, sequence, setOf, tlv } from '../../src/pki/der-write.ts';
import { altNames, version, writeExtensions } from '../../src/pki/extensions.ts';
import { publicHalf } from '../../src/pki/keys.ts';
import { signed } from '../../src/pki/signature.ts';
import { keyFor, only } from './fixtures.ts';

/** A request with a subject and attributes that createCsr would not write, rightly signed. */
async function requestWith(subject: Buffer, attributes: readonly Buffer[]): Promise<Buffer> {
  const key = await keyFor({ algorithm: 'ECDSA' });
  const publicKey = publicHalf(key).export({ format: 'der', type: 'spki' });
  return signed(sequence(version(0), subject, publicKey, explicit(0, ...attributes)), key);
}

const attribute = (oid: string, text: Buffer) => setOf(sequence(objectId(oid), text));
const cn = (text: Buffer) => attribute('2.5.4.3', text);
const extensionsOf = (host: string) => writeExtensions(altNames(only({ dnsNames: [host] }), 'empty'));
const san = (host: string, type = '1.2.840.113549.1.9.14') => sequence(objectId(type), setOf(extensionsOf(host)));

describe('readCsr', () => {
  test.each([
    ['a control character in its subject', [attribute('2.5.4.10', directoryString('a\nb'))], 'control characters'],
    ['a NUL in a common name that is not the last', [cn(directoryString('a\0b')), cn(directoryString('x'))], 'control'],
    ['a common name that is no text', [cn(tlv(0x1c, Buffer.from('000000610000002e', 'hex')))], 'no text'],
    ['a common name of broken UTF-8', [cn(tlv(0x0c, Buffer.from('61ff', 'hex')))], 'no text'],
    ['an empty set in its subject', [setOf()], 'not a PKCS #10'],
  ])('refuses %s', async (_, names, message) => {
    const reply = readCsr(await requestWith(sequence(...names), [san('a.com')]));
    expect(reply.ok ? '' : reply.problem.message).toContain(message);
  });

  test.each([
    ['extension requests', '1.2.840.113549.1.9.14', '1.2.840.113549.1.9.14'],
    ['places for extensions, one of them Microsoft’s', '1.2.840.113549.1.9.14', '1.3.6.1.4.1.311.2.1.14'],
  ])('refuses two %s, of which CAs might read the other', async (_, first, second) => {
    const reply = readCsr(await requestWith(sequence(), [san('a.com', first), san('bank.com', second)]));
    expect(reply).toMatchObject({ ok: false, problem: { kind: 'malformed' } });
  });

  test('refuses an extension request of two values', async () => {
    const two = setOf(extensionsOf('a.com'), extensionsOf('bank.com'));
    const twice = sequence(objectId('1.2.840.113549.1.9.14'), two);
    expect(readCsr(await requestWith(sequence(), [twice]))).toMatchObject({ problem: { kind: 'malformed' } });
    expect(readCsr(await requestWith(sequence(), [san('a.com')])).ok).toBe(true);
  });

  test('refuses a second set of attributes', async () => {
    const key = await keyFor({ algorithm: 'ECDSA' });
    const publicKey = publicHalf(key).export({ format: 'der', type: 'spki' });
    const head = [version(0), sequence(), publicKey];
    const [first, second] = [explicit(0, san('a.com')), explicit(0, san('bank.com'))];
    for (const info of [sequence(...head, first, second), sequence(...head, explicit(1, san('a.com')))]) {
      expect(readCsr(await signed(info, key))).toMatchObject({ problem: { kind: 'malformed' } });
    }
    expect(readCsr(await signed(sequence(...head, first), key)).ok).toBe(true);
  });

  test.each(['a\0b', '', 'a\u0085'])('refuses an other name of %j', async (utf8Value) => {
    const names = altNames(only({ otherNames: [{ oid: '1.2.3', utf8Value }] }), 'empty');
    const request = sequence(objectId('1.2.840.113549.1.9.14'), setOf(writeExtensions(names)));
    expect(readCsr(await requestWith(sequence(), [request]))).toMatchObject({
      problem: { kind: 'unsupported', what: 'name' },
    });
  });
});
