// Requests: what stands in them, and which of other people's are refused.

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createCsr, derToPem, readCsr } from '../../src/pki/csr.ts';
import { sequence, tlv } from '../../src/pki/der-write.ts';
import type { Names } from '../../src/pki/names.ts';
import { keyFor, only, value } from './fixtures.ts';
import { openssl } from './openssl.ts';

const pemOf = (der: Buffer) => derToPem('CERTIFICATE REQUEST', der);
const textOf = (der: Buffer) => openssl(['req', '-in', '{csr}', '-text', '-noout'], { csr: pemOf(der) });

/** A request as openssl makes it, with this subjectAltName. */
function foreign(san: string, subject = '/CN=foo.com', algorithm = 'ec:prime256v1'): string {
  const key = algorithm.startsWith('ec:')
    ? generateKeyPairSync('ec', { namedCurve: algorithm.slice(3) })
    : generateKeyPairSync('rsa', { modulusLength: Number(algorithm.slice(4)) });
  const pem = key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return openssl(['req', '-new', '-key', '{key}', '-subj', subject, '-addext', `subjectAltName=${san}`], { key: pem });
}

describe('createCsr', () => {
  test('marks the alternative names critical exactly when the subject is empty', async () => {
    const key = await keyFor({ algorithm: 'ECDSA' });
    const bare = await createCsr({ key, names: only({ dnsNames: ['foo.com'] }) });
    expect(textOf(bare)).toMatch(/Subject Alternative Name: critical\s+DNS:foo\.com/);
    const named = await createCsr({ key, names: only({ commonName: 'foo.com', dnsNames: ['foo.com'] }) });
    expect(textOf(named)).toMatch(/Subject Alternative Name: \n\s+DNS:foo\.com/);
    const subject = { organizations: ['Example'] };
    expect(textOf(await createCsr({ key, names: only({ dnsNames: ['foo.com'] }), subject }))).not.toContain(
      'Name: critical',
    );
  });

  test('asks for cert-manager’s default usages, and for no constraints', async () => {
    const text = textOf(
      await createCsr({ key: await keyFor({ algorithm: 'Ed25519' }), names: only({ dnsNames: ['a.b'] }) }),
    );
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Key Encipherment\n/);
    expect(text).not.toContain('Extended Key Usage');
    expect(text).not.toContain('Basic Constraints');
  });

  test('asks for what a CA needs when it is to be one', async () => {
    const key = await keyFor({ algorithm: 'ECDSA' });
    const text = textOf(
      await createCsr({ key, names: only({ commonName: 'ca' }), isCA: true, usages: ['crl sign', 'server auth'] }),
    );
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    expect(text).toMatch(/Extended Key Usage: \n\s+TLS Web Server Authentication/);
  });

  test('writes every part of the subject', async () => {
    const subject = {
      countries: ['DE'],
      organizations: ['A', 'B'],
      organizationalUnits: ['U'],
      localities: ['Köln'],
      provinces: ['NRW'],
      streetAddresses: ['S 1'],
      postalCodes: ['50667'],
      serialNumber: '42',
    };
    const csr = await createCsr({
      key: await keyFor({ algorithm: 'ECDSA' }),
      names: only({ commonName: 'x' }),
      subject,
    });
    expect(value(readCsr(csr)).subject.parts).toEqual(subject);
    expect(value(readCsr(csr)).subject.text).toBe(
      'C=DE,O=A,O=B,OU=U,L=Köln,ST=NRW,STREET=S 1,postalCode=50667,CN=x,serialNumber=42',
    );
  });
});

describe('createCsr, of the rarer wishes,', () => {
  test('writes other names that openssl reads', async () => {
    const otherNames = [
      { oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'who@example.com' },
      { oid: '1.2.3.4', utf8Value: 'Bücher' },
    ];
    const csr = await createCsr({ key: await keyFor({ algorithm: 'ECDSA' }), names: only({ otherNames }) });
    expect(textOf(csr)).toMatch(
      /Alternative Name: critical\s+othername: UPN::who@example\.com, othername: 1\.2\.3\.4::Bücher\n/,
    );
    expect(value(readCsr(csr)).names.otherNames).toEqual(otherNames);
  });

  test('leaves the usages out where asked, but not what makes a CA', async () => {
    const key = await keyFor({ algorithm: 'ECDSA' });
    const wish = { key, names: only({ commonName: 'x' }), usages: ['server auth'], isCA: true };
    const text = textOf(await createCsr({ ...wish, encodeUsagesInRequest: false }));
    expect(text).not.toContain('Key Usage');
    expect(text).toContain('CA:TRUE');
    expect(textOf(await createCsr({ ...wish, encodeUsagesInRequest: true }))).toContain('Extended Key Usage');
    const bare = await createCsr({ ...wish, isCA: false, encodeUsagesInRequest: false });
    expect(textOf(bare)).not.toMatch(/X509v3|Usage/);
    expect(value(readCsr(bare)).names.commonName).toBe('x');
  });

  test('keeps the purposes in the order asked for, which issuers built on cert-manager compare', async () => {
    const usages = ['client auth', 'server auth', 'client auth', 'code signing'];
    const csr = await createCsr({
      key: await keyFor({ algorithm: 'ECDSA' }),
      names: only({ dnsNames: ['a.b'] }),
      usages,
    });
    expect(textOf(csr)).toMatch(/TLS Web Client Authentication, TLS Web Server Authentication, Code Signing\n/);
  });

  test.each([
    [{ algorithm: 'RSA', size: 2048 }, 'SHA512WithRSA', 'sha512WithRSAEncryption'],
    [{ algorithm: 'RSA', size: 2048 }, undefined, 'sha256WithRSAEncryption'],
    [{ algorithm: 'ECDSA', size: 256 }, 'ECDSAWithSHA384', 'ecdsa-with-SHA384'],
    [{ algorithm: 'ECDSA', size: 521 }, 'ECDSAWithSHA256', 'ecdsa-with-SHA256'],
    [{ algorithm: 'Ed25519' }, 'PureEd25519', 'ED25519'],
  ] as const)('signs with a key of %j by %s: openssl says %s', async (spec, asked, name) => {
    const wish = { key: await keyFor(spec), names: only({ dnsNames: ['a.b'] }) };
    const csr = await createCsr({ ...wish, ...(asked !== undefined && { signatureAlgorithm: asked }) });
    expect(openssl(['req', '-in', '{csr}', '-verify', '-text', '-noout'], { csr: pemOf(csr) })).toMatch(
      new RegExp(`Signature Algorithm: ${name}\n`, 'i'),
    );
    expect(value(readCsr(csr)).signatureAlgorithm).toBe(asked ?? 'SHA256WithRSA');
  });

  test('throws for what checkRequest refuses', async () => {
    const wish = { key: await keyFor({ algorithm: 'ECDSA' }), names: only({ dnsNames: ['a.b'] }) };
    await expect(createCsr({ ...wish, signatureAlgorithm: 'PureEd25519' })).rejects.toThrow('no signature scheme');
    await expect(createCsr({ ...wish, literalSubject: 'x' })).rejects.toThrow('spec.literalSubject');
    await expect(createCsr({ ...wish, names: only({ dnsNames: ['a b'] }) })).rejects.toThrow('cannot carry');
  });
});

describe('readCsr', () => {
  test('reads what openssl writes', () => {
    const san = 'DNS:foo.com,DNS:*.bar.com,IP:192.0.2.7,IP:2001:db8::1,email:a@b.c,URI:https://x/y';
    const names: Names = {
      commonName: 'foo.com',
      dnsNames: ['foo.com', '*.bar.com'],
      ipAddresses: ['192.0.2.7', '2001:db8::1'],
      emailAddresses: ['a@b.c'],
      uris: ['https://x/y'],
    };
    expect(value(readCsr(foreign(san))).names).toEqual(names);
    expect(value(readCsr(foreign('DNS:foo.com', '/CN=foo.com', 'rsa:2048'))).names.dnsNames).toEqual(['foo.com']);
  });

  test.each([
    ['a space', 'DNS:foo .com'],
    ['a wildcard in the middle', 'DNS:a.*.com'],
    ['a partial wildcard', 'DNS:f*.com'],
    ['an empty label', 'DNS:foo..com'],
    ['a trailing dot', 'DNS:foo.com.'],
    ['a control character in a URI', 'URI:https://x/\ty'],
    ['an email address without a domain', 'email:nobody'],
    ['an other name that is no UTF-8 text', 'otherName:1.3.6.1.4.1.311.20.2.3;IA5:who@example.com'],
    ['a registered id', 'RID:1.2.3.4'],
  ])('refuses %s', (_, san) => {
    const reply = readCsr(foreign(san));
    expect(reply).toMatchObject({ ok: false, problem: { kind: 'unsupported', what: 'name' } });
  });

  test.each([
    ['a weak RSA key', 'rsa:1024'],
    ['a curve that no CA signs', 'ec:secp256k1'],
  ])('refuses %s', (_, algorithm) => {
    expect(readCsr(foreign('DNS:foo.com', '/', algorithm))).toMatchObject({
      ok: false,
      problem: { kind: 'unsupported', what: 'key' },
    });
  });

  test('refuses a request that was changed after it was signed', async () => {
    const csr = await createCsr({ key: await keyFor({ algorithm: 'ECDSA' }), names: only({ dnsNames: ['foo.com'] }) });
    const changed = Buffer.from(csr.toString('latin1').replace('foo.com', 'bar.com'), 'latin1');
    expect(readCsr(changed)).toMatchObject({ ok: false, problem: { kind: 'badSignature' } });
  });

  test('refuses a SHA-1 signature', () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 })
      .privateKey.export({ format: 'pem', type: 'pkcs8' })
      .toString();
    const pem = openssl(['req', '-new', '-sha1', '-key', '{key}', '-subj', '/CN=x'], { key });
    expect(readCsr(pem)).toMatchObject({ ok: false, problem: { kind: 'unsupported', what: 'signature' } });
  });

  test.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['a frame of nothing', pemOf(Buffer.alloc(0))],
    ['an empty sequence', pemOf(sequence())],
    ['bytes after the end', pemOf(Buffer.concat([sequence(), Buffer.from([0])]))],
    ['more than fits', pemOf(tlv(0x30, Buffer.alloc(300_000)))],
  ])('refuses %s as malformed', (_, pem) => {
    expect(readCsr(pem)).toMatchObject({ ok: false, problem: { kind: 'malformed', what: 'csr' } });
  });

  test('never throws, whichever byte is flipped', async () => {
    const csr = await createCsr({
      key: await keyFor({ algorithm: 'ECDSA' }),
      names: only({ commonName: 'x', dnsNames: ['foo.com'], ipAddresses: ['10.0.0.1'] }),
    });
    for (let at = 0; at < csr.length; at += 1) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = Buffer.from(csr);
        changed[at] = (changed[at] ?? 0) ^ flip;
        expect(readCsr(changed).ok).toBe(false);
      }
    }
  });
});
