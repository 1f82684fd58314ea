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

const upn = { oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'a@b.c' };

function within(...dnsDomains: readonly string[]) {
  return { permitted: { dnsDomains } };
}

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
    ['lacks an other name', {}, { otherNames: [upn] }, ['otherNames']],
    [
      'lacks the right other name',
      { otherNames: [upn] },
      { otherNames: [{ ...upn, utf8Value: 'b@c.d' }] },
      ['otherNames'],
    ],
    ['may have other names that the CA has added', { otherNames: [upn] }, {}, []],
    [
      'may have another subject than the literal one',
      { literalSubject: 'CN=a.com,O=x' },
      { literalSubject: 'CN=a.com' },
      [],
    ],
    ['has another common name than the literal one', { commonName: 'x' }, { literalSubject: 'CN=y' }, ['commonName']],
    ['lacks its constraints', { isCA: true }, { isCA: true, nameConstraints: within('a.com') }, ['nameConstraints']],
    [
      'has wider constraints',
      { isCA: true, nameConstraints: within('a.com', 'b.com') },
      { isCA: true, nameConstraints: within('a.com') },
      ['nameConstraints'],
    ],
    [
      'may have its constraints in another order, or critical',
      { isCA: true, nameConstraints: { ...within('a.com', 'B.com'), critical: true } },
      { isCA: true, nameConstraints: within('b.com', 'a.com') },
      [],
    ],
    [
      'may be a CA that its issuer has constrained',
      { isCA: true, nameConstraints: within('a.com') },
      { isCA: true },
      [],
    ],
    ['may be signed by any algorithm', {}, { signatureAlgorithm: 'ECDSAWithSHA512' }, []],
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

describe('a request of ours, of rarer wishes,', () => {
  const ca = { isCA: true, nameConstraints: within('a.com') };
  test.each<[string, Partial<CertificateSpec>, Partial<CertificateSpec>, readonly string[]]>([
    [
      'notices another case of DNS names no more than their repetition',
      { dnsNames: ['A.com', 'a.com', 'b.com'] },
      {},
      [],
    ],
    ['notices an other name', {}, { otherNames: [upn] }, ['otherNames']],
    ['notices that an other name is no longer wanted', { otherNames: [upn] }, {}, ['otherNames']],
    [
      'ignores the order of other names',
      { otherNames: [upn, { ...upn, oid: '1.2.3' }] },
      { otherNames: [{ ...upn, oid: '1.2.3' }, upn, upn] },
      [],
    ],
    [
      'knows its literal subject in another spelling',
      { literalSubject: 'CN=a,O=b' },
      { literalSubject: 'cn=\\61, 2.5.4.10=#0c0162' },
      [],
    ],
    [
      'knows the parts of one relative name in any order',
      { literalSubject: 'CN=a+O=b' },
      { literalSubject: 'O=b+CN=a' },
      [],
    ],
    [
      'notices the order of a literal subject',
      { literalSubject: 'CN=a,O=b' },
      { literalSubject: 'O=b,CN=a' },
      ['literalSubject'],
    ],
    [
      'notices that parts are no longer joined',
      { literalSubject: 'CN=a+O=b' },
      { literalSubject: 'CN=a,O=b' },
      ['literalSubject'],
    ],
    [
      'takes a literal subject for the same as parts only in their order',
      { commonName: 'a', subject: { organizations: ['b'] } },
      { literalSubject: 'CN=a,O=b' },
      [],
    ],
    ['notices attributes that no part can ask for', { literalSubject: 'CN=a,DC=b' }, { commonName: 'a' }, ['subject']],
    ['notices a second common name', { literalSubject: 'CN=a,CN=b' }, { commonName: 'a' }, ['subject']],
    [
      'ignores the order of parts',
      { subject: { organizations: ['a', 'b'] } },
      { subject: { organizations: ['b', 'a'] } },
      [],
    ],
    [
      'notices a part that comes twice',
      { subject: { organizations: ['a'] } },
      { subject: { organizations: ['a', 'a'] } },
      ['subject'],
    ],
    ['notices constraints', { isCA: true }, ca, ['nameConstraints']],
    ['notices that constraints are no longer wanted', ca, { isCA: true }, ['nameConstraints']],
    [
      'notices whether constraints are critical',
      ca,
      { ...ca, nameConstraints: { ...within('a.com'), critical: true } },
      ['nameConstraints'],
    ],
    [
      'notices on which side they stand',
      ca,
      { ...ca, nameConstraints: { excluded: { dnsDomains: ['a.com'] } } },
      ['nameConstraints'],
    ],
    [
      'knows an IP range in another spelling',
      { isCA: true, nameConstraints: { permitted: { ipRanges: ['10.1.2.3/8'] } } },
      { isCA: true, nameConstraints: { permitted: { ipRanges: ['10.0.0.0/8'] } } },
      [],
    ],
    ['notices the algorithm of its signature', {}, { signatureAlgorithm: 'ECDSAWithSHA512' }, ['signatureAlgorithm']],
    ['has any algorithm where none is asked for', { signatureAlgorithm: 'ECDSAWithSHA512' }, {}, []],
    ['may leave the usages out', { encodeUsagesInRequest: false }, { usages: ['server auth'] }, []],
    ['must leave them out where that is asked', {}, { encodeUsagesInRequest: false }, ['usages']],
  ])('%s', async (_, made, wanted, parts) => {
    const facts = value(readCsr(await requestOf({ ...base, ...made })));
    expect(requestSatisfies(facts, { ...base, ...wanted })).toEqual(parts);
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
