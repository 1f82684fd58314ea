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
    ['a name of another kind', 'otherName:1.3.6.1.4.1.311.20.2.3;UTF8:who@example.com'],
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
