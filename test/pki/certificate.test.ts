// Reading certificates: what hostile ones may not pretend, and what is taken from honest ones.

import { describe, expect, test } from 'vitest';
import { keyIdentifier } from '../../src/pki/authority.ts';
import { readCertificate, splitPem } from '../../src/pki/certificate.ts';
import { derToPem } from '../../src/pki/csr.ts';
import * as der from '../../src/pki/der-write.ts';
import { writeExtensions } from '../../src/pki/extensions.ts';
import { publicHalf } from '../../src/pki/keys.ts';
import { oids } from '../../src/pki/oids.ts';
import { signatureAlgorithm, signed } from '../../src/pki/signature.ts';
import { writeSubject } from '../../src/pki/subject.ts';
import { day, keyFor, makeRoot, serial, start, value } from './fixtures.ts';
import { openssl } from './openssl.ts';

/** A certificate with any subjectAltName bytes at all, as a hostile CA may sign it. */
async function certificateWith(san: Buffer, subject = writeSubject(undefined, 'hostile')): Promise<string> {
  const key = await keyFor({ algorithm: 'ECDSA' });
  const spki = publicHalf(key).export({ format: 'der', type: 'spki' });
  const extensions = writeExtensions([{ oid: oids.subjectAltName, critical: false, value: san }]);
  const body = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    der.integer(serial(7)),
    signatureAlgorithm(key),
    subject,
    der.sequence(der.time(start), der.time(start + day)),
    subject,
    spki,
    der.explicit(3, extensions),
  );
  return derToPem('CERTIFICATE', await signed(body, key));
}

const dns = (text: string) => der.implicit(2, Buffer.from(text, 'latin1'));

describe('a hostile certificate', () => {
  test.each([
    ['foo.com, DNS:bank.com'],
    ['foo.com\0.evil.com'],
    ['foo.com"'],
    ['foo.com\nDNS:bank.com'],
    ['IP Address:10.0.0.1'],
    ['ünï.com'],
    [''],
  ])('keeps the name %j one name, byte for byte', async (name) => {
    const facts = value(readCertificate(await certificateWith(der.sequence(dns(name), dns('b.com')))));
    expect(facts.names.dnsNames).toEqual([name, 'b.com']);
  });

  test('does not hide names behind kinds that we do not read', async () => {
    const other = der.explicit(0, der.objectId('1.2.3'), der.explicit(0, der.directoryString('x')));
    const san = der.sequence(other, der.implicit(8, Buffer.from([42])), dns('a.com'), der.implicit(7, Buffer.alloc(5)));
    const facts = value(readCertificate(await certificateWith(san)));
    expect(facts.names).toEqual({
      commonName: 'hostile',
      dnsNames: ['a.com'],
      ipAddresses: [],
      uris: [],
      emailAddresses: [],
    });
  });

  test('cannot forge separators in the text of its subject', async () => {
    const subject = writeSubject({ organizations: ['x,CN=bank.com'] }, 'a+b\n');
    const facts = value(readCertificate(await certificateWith(der.sequence(dns('a.com')), subject)));
    expect(facts.subject).toBe('O=x\\,CN\\=bank.com,CN=a\\+b?');
  });

  test.each([
    ['an unfinished length', Buffer.from([0x30, 0x84])],
    ['an indefinite length', Buffer.from([0x30, 0x80, 0, 0])],
    ['another type', der.octetString(Buffer.from('x'))],
    [
      'a thousand nested sequences',
      Array.from({ length: 1000 }).reduce<Buffer>((inner) => der.sequence(inner), Buffer.alloc(0)),
    ],
  ])('is refused when its names are %s', async (_, san) => {
    expect(readCertificate(await certificateWith(san))).toMatchObject({ ok: false, problem: { kind: 'malformed' } });
  });

  test.each([['leaf'], ['CA']])('never makes the reader throw, whichever byte of a %s is flipped', async (kind) => {
    const pem = kind === 'CA' ? ((await makeRoot()).chain[0] ?? '') : await certificateWith(der.sequence(dns('a.com')));
    const raw = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64');
    for (let at = 0; at < raw.length; at += 1) {
      for (const flip of [0x01, 0x02, 0x80, 0xff]) {
        const changed = Buffer.from(raw);
        changed[at] = (changed[at] ?? 0) ^ flip;
        expect(() => readCertificate(derToPem('CERTIFICATE', changed))).not.toThrow();
      }
    }
  });
});

describe('readCertificate', () => {
  test('tells what renewal, ARI and status reports need', async () => {
    const root = await makeRoot();
    const [pem = ''] = root.chain;
    const facts = value(readCertificate(pem));
    const spki = publicHalf(root.key).export({ format: 'der', type: 'spki' });
    expect(facts).toMatchObject({
      notBefore: start,
      notAfter: start + 3650 * day,
      serial: serial(1).toString('hex').toUpperCase(),
      subject: 'CN=Test Root',
      issuer: 'CN=Test Root',
      isCA: true,
    });
    expect(facts.subjectKeyId).toEqual(keyIdentifier(spki));
    const printed = openssl(['x509', '-in', '{cert}', '-noout', '-fingerprint', '-sha256'], { cert: pem });
    expect(printed.trim()).toMatch(new RegExp(`=${facts.fingerprint256}$`));
  });

  test('reads what openssl signs, subject of several values in one set included', () => {
    const args = ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-keyout', '/dev/null', '-multivalue-rdn'];
    const subject = ['-subj', '/C=DE+O=Example/CN=foo.com', '-addext', 'subjectAltName=DNS:Foo.com,IP:::ffff:10.0.0.1'];
    const facts = value(readCertificate(splitPem(openssl([...args, ...subject], {}))[0] ?? ''));
    expect(facts.subjectParts).toEqual({ countries: ['DE'], organizations: ['Example'] });
    expect(facts.names).toMatchObject({ commonName: 'foo.com', dnsNames: ['Foo.com'], ipAddresses: ['10.0.0.1'] });
  });

  test.each(['', 'hello', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])('refuses %j', (text) => {
    expect(readCertificate(text)).toMatchObject({ ok: false, problem: { kind: 'malformed', what: 'certificate' } });
  });
});

test('splitPem gives each certificate of a bundle, whatever stands between them', async () => {
  const [a = ''] = (await makeRoot()).chain;
  const [b = ''] = (await makeRoot({ algorithm: 'Ed25519' })).chain;
  expect(splitPem(`# first\n${a}\n\nsubject=x\n${b.replaceAll('\n', '\r\n')}`)).toEqual([a, b]);
  expect(splitPem('no certificate here')).toEqual([]);
});
