// The CA and self-signed issuers: what a certificate says, and when none is signed.

import { describe, expect, test } from 'vitest';
import { readAuthority } from '../../src/pki/authority.ts';
import { readCertificate, splitPem } from '../../src/pki/certificate.ts';
import { createCsr, readCsr } from '../../src/pki/csr.ts';
import { keyFromPem } from '../../src/pki/keys.ts';
import { selfSign, signCsr } from '../../src/pki/sign.ts';
import {
  day,
  keyFor,
  keySpecs,
  makeIntermediate,
  makeRoot,
  only,
  serial,
  start,
  type TestCa,
  value,
} from './fixtures.ts';
import { openssl } from './openssl.ts';

const terms = { notBefore: start, notAfter: start + 90 * day, usages: [], isCA: false, serial: serial(9) };
const leafKey = { algorithm: 'ECDSA' } as const;

async function csrFor(wish: { usages?: readonly string[]; isCA?: boolean } = {}) {
  return createCsr({ key: await keyFor(leafKey), names: only({ dnsNames: ['foo.com'] }), ...wish });
}

const textOf = (pem: string) => openssl(['x509', '-in', '{cert}', '-text', '-noout'], { cert: pem });

describe('signCsr', () => {
  test.each(keySpecs)('signs with the algorithm that fits a CA key of %j', async (spec) => {
    const root = await makeRoot(spec);
    const issued = value(await signCsr({ ...terms, csr: await csrFor(), issuer: root }));
    expect(
      openssl(['verify', '-x509_strict', '-attime', String(start / 1000 + 9), '-CAfile', '{ca}', '{leaf}'], {
        ca: issued.caPem,
        leaf: issued.chainPem,
      }),
    ).toContain('leaf: OK');
  });

  test('writes usages, identifiers and the issuer’s addresses', async () => {
    const root = await makeRoot();
    const issued = value(
      await signCsr({
        ...terms,
        csr: await csrFor({ usages: ['server auth', 'digital signature'] }),
        issuer: root,
        usages: ['digital signature', 'server auth'],
        crlDistributionPoints: ['http://crl.example.com/a', 'http://crl.example.com/b'],
        ocspServers: ['http://ocsp.example.com'],
        issuingCertificateURLs: ['http://ca.example.com/ca.crt'],
      }),
    );
    const text = textOf(issued.chainPem);
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toMatch(/Subject Alternative Name: critical\s+DNS:foo\.com/);
    expect(text).toContain('URI:http://crl.example.com/b');
    expect(text).toContain('OCSP - URI:http://ocsp.example.com');
    expect(text).toContain('CA Issuers - URI:http://ca.example.com/ca.crt');
    const facts = value(readCertificate(issued.chainPem));
    expect(facts.authorityKeyId).toEqual(value(readCertificate(issued.caPem)).subjectKeyId);
    expect(facts.serial).toBe(serial(9).toString('hex').toUpperCase());
  });

  test('puts the leaf first and leaves the root to caPem, in whatever order the Secret has them', async () => {
    const root = await makeRoot();
    const { key, chain } = await makeIntermediate(root);
    const [intermediate = '', top = ''] = chain;
    const [stranger = ''] = (await makeRoot({ algorithm: 'Ed25519' })).chain;
    const sources = [
      { key, chain: [intermediate, top] },
      { key, chain: [intermediate], extra: [top] },
      { key, chain: [intermediate, stranger, top, intermediate] },
    ];
    for (const issuer of sources) {
      const issued = value(await signCsr({ ...terms, csr: await csrFor(), issuer }));
      expect(splitPem(issued.chainPem).slice(1)).toEqual([intermediate]);
      expect(issued.caPem).toBe(top);
    }
  });

  test('takes the highest certificate it knows for the CA where there is no root', async () => {
    const { key, chain } = await makeIntermediate(await makeRoot());
    const issued = value(await signCsr({ ...terms, csr: await csrFor(), issuer: { key, chain: chain.slice(0, 1) } }));
    expect(splitPem(issued.chainPem).slice(1)).toEqual(chain.slice(0, 1));
    expect(issued.caPem).toBe(chain[0]);
  });

  test('never lets a certificate outlive its signer, and says so', async () => {
    const root = await makeRoot({ algorithm: 'ECDSA' }, 1);
    const short = value(await signCsr({ ...terms, csr: await csrFor(), issuer: root, notAfter: start + 999 * day }));
    expect(short).toMatchObject({ notAfter: start + 365 * day, validity: 'endsWithSigner' });
    expect(value(readCertificate(short.chainPem)).notAfter).toBe(start + 365 * day);
    expect(value(await signCsr({ ...terms, csr: await csrFor(), issuer: root }))).toMatchObject({
      notAfter: terms.notAfter,
      validity: 'asAsked',
    });
  });

  test('writes dates beyond 2049 as openssl expects them', async () => {
    const root = await makeRoot({ algorithm: 'ECDSA' }, 60);
    const issued = value(
      await signCsr({ ...terms, csr: await csrFor(), issuer: root, notAfter: Date.UTC(2077, 0, 2) }),
    );
    expect(textOf(issued.chainPem)).toContain('Not After : Jan  2 00:00:00 2077 GMT');
  });
});

test('a request that was read already is not read again', async () => {
  const csr = value(readCsr(await csrFor()));
  const issued = value(await signCsr({ ...terms, csr, issuer: await makeRoot() }));
  expect(value(readCertificate(issued.chainPem)).names).toEqual(csr.names);
});

describe('no certificate is signed', () => {
  const attempt = async (issuer: TestCa, changes: Partial<Parameters<typeof signCsr>[0]> = {}) =>
    signCsr({ ...terms, csr: await csrFor(), issuer, ...changes });

  test('by a certificate that is not a CA', async () => {
    const root = await makeRoot();
    const leaf = value(await attempt(root));
    const reply = await attempt({ key: await keyFor(leafKey), chain: [leaf.chainPem] });
    expect(reply).toMatchObject({
      ok: false,
      problem: { kind: 'notAuthority', message: expect.stringContaining('CA:TRUE') },
    });
  });

  test('for a CA by a CA that may have none below it', async () => {
    const ca = ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-keyout', '-', '-subj', '/CN=x', '-days', '999'];
    const text = openssl([...ca, '-addext', 'basicConstraints=critical,CA:TRUE,pathlen:0'], {});
    const issuer = { key: value(keyFromPem(text.slice(text.indexOf('-----BEGIN PRIVATE')))), chain: splitPem(text) };
    const csr = await csrFor({ isCA: true });
    const reply = await attempt(issuer, { csr, isCA: true });
    expect(reply).toMatchObject({
      ok: false,
      problem: { kind: 'notAuthority', message: expect.stringContaining('path length 0') },
    });
    expect((await attempt(issuer)).ok).toBe(true);
  });

  test('by a CA whose key usage does not include it', async () => {
    const ca = ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-keyout', '-', '-subj', '/CN=x'];
    const text = openssl([...ca, '-addext', 'keyUsage=critical,digitalSignature'], {});
    const key = value(keyFromPem(text.slice(text.indexOf('-----BEGIN PRIVATE'))));
    expect(readAuthority({ key, chain: splitPem(text) })).toMatchObject({
      problem: { kind: 'notAuthority', message: expect.stringContaining('cert sign') },
    });
  });

  test('with a key that is not the CA’s', async () => {
    const { chain } = await makeRoot();
    expect(await attempt({ key: await keyFor({ algorithm: 'RSA' }), chain })).toMatchObject({
      problem: { kind: 'keyMismatch' },
    });
    expect(readAuthority({ key: await keyFor(leafKey), chain })).toMatchObject({ problem: { kind: 'keyMismatch' } });
  });

  test('by a CA that has expired', async () => {
    const reply = await attempt(await makeRoot({ algorithm: 'ECDSA' }, 1), {
      notBefore: start + 365 * day,
      notAfter: start + 366 * day,
    });
    expect(reply).toMatchObject({
      problem: { kind: 'authorityExpired', message: expect.stringContaining('2027-11-21T00:00:00') },
    });
  });

  test.each([
    ['a CA, while the CSR asks for a leaf', { isCA: true }, {}],
    ['a leaf, while the CSR asks for a CA', {}, { isCA: true }],
    ['fewer usages than the CSR asks for', { usages: ['digital signature'] }, {}],
    [
      'other purposes than the CSR asks for',
      { usages: ['digital signature', 'client auth'] },
      { usages: ['digital signature', 'server auth'] },
    ],
  ])('as %s', async (_, approved, wish) => {
    const reply = await signCsr({ ...terms, csr: await csrFor(wish), issuer: await makeRoot(), ...approved });
    expect(reply).toMatchObject({ ok: false, problem: { kind: 'disagrees' } });
  });

  test('for a usage that does not exist', async () => {
    expect(await attempt(await makeRoot(), { usages: ['constructor'] })).toMatchObject({
      problem: { kind: 'unsupported', what: 'usage' },
    });
  });

  test('from something that is no certificate', async () => {
    expect(await attempt({ key: await keyFor(leafKey), chain: [] })).toMatchObject({
      problem: { kind: 'malformed', what: 'certificate' },
    });
  });
});

describe('selfSign', () => {
  test('makes a certificate that is its own CA', async () => {
    const key = await keyFor(leafKey);
    const issued = value(await selfSign({ ...terms, csr: await csrFor(), key }));
    expect(issued.caPem).toBe(issued.chainPem);
    expect(
      openssl(['verify', '-attime', String(start / 1000 + 9), '-CAfile', '{cert}', '{cert}'], {
        cert: issued.chainPem,
      }),
    ).toContain('OK');
  });

  test('refuses a key that is not the request’s', async () => {
    expect(await selfSign({ ...terms, csr: await csrFor(), key: await keyFor(leafKey, 5) })).toMatchObject({
      problem: { kind: 'keyMismatch' },
    });
  });
});
