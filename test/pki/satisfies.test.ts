// When a certificate or a request no longer is what the spec asks for.

import { describe, expect, test } from 'vitest';
import type { CertificateSpec } from '../../src/api/certmanager.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { createCsr, readCsr } from '../../src/pki/csr.ts';
import { namesOfSpec } from '../../src/pki/names.ts';
import { certificateSatisfies, checkRequest, requestSatisfies } from '../../src/pki/satisfies.ts';
import { selfSign } from '../../src/pki/sign.ts';
import { day, keyFor, serial, start, value } from './fixtures.ts';

const base: CertificateSpec = {
  secretName: 'tls',
  issuerRef: { name: 'ca' },
  dnsNames: ['a.com', 'b.com'],
  privateKey: { algorithm: 'ECDSA' },
};

async function requestOf(spec: CertificateSpec): Promise<Buffer> {
  return createCsr({ ...spec, key: await keyFor(spec.privateKey ?? {}), names: namesOfSpec(spec) });
}

async function certificateOf(spec: CertificateSpec) {
  const key = await keyFor(spec.privateKey ?? {});
  const terms = { notBefore: start, notAfter: start + day, usages: spec.usages ?? [], isCA: spec.isCA === true };
  return value(
    readCertificate(value(await selfSign({ ...terms, csr: await requestOf(spec), key, serial: serial(3) })).chainPem),
  );
}

describe('a certificate', () => {
  test.each<[string, Partial<CertificateSpec>, Partial<CertificateSpec>, readonly string[]]>([
    ['is what was asked for', {}, {}, []],
    ['may list names in another order', { dnsNames: ['b.com', 'a.com'] }, {}, []],
    ['may differ in the case of DNS names', { dnsNames: ['A.com', 'b.com'] }, {}, []],
    [
      'may spell an IPv6 address otherwise',
      { ipAddresses: ['2001:db8::1'] },
      { ipAddresses: ['2001:0DB8:0:0::1'] },
      [],
    ],
    ['lacks a name', { dnsNames: ['a.com'] }, {}, ['dnsNames']],
    ['has one name too many', { dnsNames: ['a.com', 'b.com', 'c.com'] }, {}, ['dnsNames']],
    ['may lack the common name if it is a DNS name', {}, { commonName: 'a.com' }, []],
    [
      'may carry the common name as a further DNS name',
      { dnsNames: ['a.com', 'b.com', 'c.com'] },
      { commonName: 'c.com' },
      [],
    ],
    ['may have a common name of the CA’s choice among its names', { commonName: 'b.com' }, {}, []],
    ['has a common name that nobody asked for', { commonName: 'else' }, {}, ['commonName']],
    ['has another common name', { commonName: 'x' }, { commonName: 'y' }, ['commonName']],
    ['lacks an address', {}, { ipAddresses: ['10.0.0.1'] }, ['ipAddresses']],
    [
      'lacks a URI and an email address',
      {},
      { uris: ['urn:x'], emailAddresses: ['a@b.c'] },
      ['uris', 'emailAddresses'],
    ],
    ['is no CA', {}, { isCA: true }, ['isCA']],
    ['has a key of another kind', {}, { privateKey: {} }, ['keyAlgorithm']],
    ['has a key of another size', {}, { privateKey: { algorithm: 'ECDSA', size: 384 } }, ['keySize']],
  ])('%s', async (_, made, wanted, parts) => {
    expect(certificateSatisfies(await certificateOf({ ...base, ...made }), { ...base, ...wanted })).toEqual(parts);
  });
});

describe('a request of ours', () => {
  test.each<[string, Partial<CertificateSpec>, readonly string[]]>([
    ['asks for the same', {}, []],
    ['ignores the order and repetition of names', { dnsNames: ['b.com', 'a.com', 'a.com'] }, []],
    ['must have exactly the common name', { commonName: 'a.com' }, ['commonName']],
    ['notices subject parts', { subject: { organizations: ['X'] } }, ['subject']],
    ['notices a serial number', { subject: { serialNumber: '1' } }, ['subject']],
    ['ignores empty subject parts', { subject: { organizations: [] } }, []],
    ['notices usages', { usages: ['server auth'] }, ['usages']],
    ['knows the default usages by name', { usages: ['key encipherment', 'signing'] }, []],
    ['notices that a CA is wanted', { isCA: true }, ['usages', 'isCA']],
    ['ignores what no request carries', { secretName: 'other', renewBefore: '1h', duration: '99h' }, []],
  ])('%s', async (_, changes, parts) => {
    expect(requestSatisfies(value(readCsr(await requestOf(base))), { ...base, ...changes })).toEqual(parts);
  });
});

describe('checkRequest', () => {
  test.each<[Partial<CertificateSpec>, string]>([
    [{ dnsNames: ['foo bar.com'] }, 'A certificate cannot carry the DNS name "foo bar.com".'],
    [{ dnsNames: ['a.com\n'] }, 'A certificate cannot carry the DNS name "a.com\\n".'],
    [{ dnsNames: [`${'a'.repeat(64)}.com`] }, 'cannot carry the DNS name'],
    [{ ipAddresses: ['10.0.0.256'] }, 'A certificate cannot carry the IP address "10.0.0.256".'],
    [{ ipAddresses: ['fe80::1%eth0'] }, 'cannot carry the IP address'],
    [{ uris: ['/relative'] }, 'cannot carry the URI'],
    [{ emailAddresses: ['Who <a@b.c>'] }, 'cannot carry the email address'],
    [{ commonName: 'x'.repeat(65) }, 'cannot carry the common name'],
    [{ usages: ['server auth', 'sign everything'] }, 'There is no key usage "sign everything".'],
    [{ privateKey: { algorithm: 'RSA', size: 512 } }, 'A key of RSA has 2048 to 8192 bits, not 512.'],
  ])('refuses %j in a sentence', (changes, message) => {
    const reply = checkRequest({ ...base, ...changes });
    expect(reply.ok ? '' : reply.problem.message).toContain(message);
  });
});
