// Every name that a CSR claims, wherever in it the name stands, and whether the CSR agrees with the request around it.

import { describe, expect, test } from 'vitest';
import type { CertificateSpec } from '../../src/api/certmanager.ts';
import { createCsr, readCsr } from '../../src/pki/csr.ts';
import { checkCsrAgainstRequest, namesInCsr } from '../../src/pki/csr-claims.ts';
import { namesOfSpec } from '../../src/pki/names.ts';
import { keyFor, value } from './fixtures.ts';
import { openssl } from './openssl.ts';

async function factsOf(changes: Partial<CertificateSpec>) {
  const spec: CertificateSpec = { secretName: 'tls', issuerRef: { name: 'ca' }, ...changes };
  const key = await keyFor({ algorithm: 'ECDSA' });
  return value(readCsr(await createCsr({ ...spec, key, names: namesOfSpec(spec) })));
}

const claimed = async (changes: Partial<CertificateSpec>) =>
  namesInCsr(await factsOf(changes)).map(({ type, value: name }) => `${type} ${name}`);

describe('namesInCsr', () => {
  test.each<[string, Partial<CertificateSpec>, readonly string[]]>([
    ['a common name alone', { commonName: 'bank.com' }, ['commonName bank.com']],
    ['a literal subject', { literalSubject: 'CN=bank.com,O=x' }, ['commonName bank.com']],
    [
      'every common name of a literal subject',
      { literalSubject: 'CN=first.com+UID=u,CN=second.com,2.5.4.3=third.com,CN=#0c05782e636f6d' },
      ['commonName x.com', 'commonName third.com', 'commonName second.com', 'commonName first.com'],
    ],
    [
      'an email address in the subject',
      { literalSubject: 'emailAddress=ceo@bank.com,CN=x', emailAddresses: ['a@b.c'] },
      ['commonName x', 'email ceo@bank.com', 'email a@b.c'],
    ],
    ['a wildcard', { dnsNames: ['*.bank.com'] }, ['dns *.bank.com']],
    [
      'one of each kind',
      {
        commonName: 'x',
        dnsNames: ['a.com', 'A.com'],
        ipAddresses: ['2001:DB8:0::1', '::ffff:10.0.0.1'],
        uris: ['spiffe://x/y'],
        emailAddresses: ['a@b.c'],
        otherNames: [{ oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'ceo@bank.com' }],
      },
      [
        'commonName x',
        'dns a.com',
        'ip 2001:db8::1',
        'ip 10.0.0.1',
        'uri spiffe://x/y',
        'email a@b.c',
        'otherName 1.3.6.1.4.1.311.20.2.3:ceo@bank.com',
      ],
    ],
  ])('lists %s', async (_, spec, names) => {
    expect(await claimed(spec)).toEqual(names);
  });

  test('lists what stands in a request of somebody else', () => {
    const san = 'subjectAltName=DNS:a.com,DNS:B.com,otherName:1.2.3.4;UTF8:who,email:a@b.c,IP:10.0.0.1,URI:urn:x';
    const args = ['req', '-new', '-newkey', 'ed25519', '-nodes', '-keyout', '/dev/null', '-addext', san];
    const pem = openssl([...args, '-subj', '/CN=one/O=x/CN=two/emailAddress=me@x.y'], {});
    expect(namesInCsr(value(readCsr(pem))).map(({ type, value: name }) => `${type} ${name}`)).toEqual([
      'commonName one',
      'commonName two',
      'dns a.com',
      'dns B.com',
      'ip 10.0.0.1',
      'uri urn:x',
      'email me@x.y',
      'email a@b.c',
      'otherName 1.2.3.4:who',
    ]);
  });
});

describe('checkCsrAgainstRequest', () => {
  const dnsNames = ['a.com'];
  const remedy = 'Make a CertificateRequest in which the two agree.';
  test.each<[string, Partial<CertificateSpec>, { usages?: readonly string[]; isCA?: boolean }, string]>([
    ['the defaults on both sides', {}, {}, ''],
    ['the defaults by name', {}, { usages: ['key encipherment', 'signing'] }, ''],
    ['another order', { usages: ['server auth', 'client auth'] }, { usages: ['client auth', 'server auth'] }, ''],
    ['a CSR that leaves the usages out', { encodeUsagesInRequest: false }, { usages: ['client auth'] }, ''],
    ['a CA on both sides', { isCA: true }, { isCA: true }, ''],
    [
      'a CSR for a CA',
      { isCA: true },
      {},
      `The CSR asks for a CA certificate, and spec.isCA of its CertificateRequest is false. ${remedy}`,
    ],
    [
      'a CSR for a CA without usages',
      { isCA: true, encodeUsagesInRequest: false },
      { isCA: false },
      `The CSR asks for a CA certificate, and spec.isCA of its CertificateRequest is false. ${remedy}`,
    ],
    [
      'other usages',
      { usages: ['server auth', 'signing'] },
      { usages: ['client auth', 'any'] },
      `The CSR asks for the usages digital signature, server auth, and its CertificateRequest for client auth, any. ${remedy}`,
    ],
    [
      'no usages where the CSR has the default',
      {},
      { usages: ['server auth'] },
      `The CSR asks for the usages digital signature, key encipherment, and its CertificateRequest for server auth. ${remedy}`,
    ],
    ['a usage that there is not', {}, { usages: ['sign everything'] }, 'There is no key usage "sign everything".'],
  ])('%s', async (_, spec, asked, message) => {
    const reply = checkCsrAgainstRequest(await factsOf({ dnsNames, ...spec }), asked);
    expect(reply.ok ? '' : reply.problem.message).toBe(message);
  });

  const foreign = (...extensions: readonly string[]) => {
    const args = ['req', '-new', '-newkey', 'ed25519', '-nodes', '-keyout', '/dev/null', '-subj', '/CN=x'];
    return value(readCsr(openssl([...args, ...extensions.flatMap((each) => ['-addext', each])], {})));
  };
  test.each<[string, readonly string[], { usages?: readonly string[]; isCA?: boolean }, string]>([
    ['nothing encoded, for a CA', [], { isCA: true, usages: ['crl sign'] }, ''],
    // cert-manager's own requests have no basic constraints.
    [
      'usages of a CA, no constraints',
      ['keyUsage=critical,keyCertSign,digitalSignature'],
      { isCA: true, usages: ['signing'] },
      '',
    ],
    [
      'CA:FALSE for a CA',
      ['basicConstraints=CA:FALSE'],
      { isCA: true },
      `The CSR asks for a certificate that is no CA, and spec.isCA of its CertificateRequest is true. ${remedy}`,
    ],
    [
      'cert sign for a leaf',
      ['keyUsage=keyCertSign'],
      { usages: ['signing'] },
      `The CSR asks for the usages cert sign, and its CertificateRequest for digital signature. ${remedy}`,
    ],
    [
      'a purpose without a name',
      ['extendedKeyUsage=1.2.3.4'],
      { usages: ['server auth'] },
      `The CSR asks for the usages 1.2.3.4, and its CertificateRequest for server auth. ${remedy}`,
    ],
    [
      'name constraints for a leaf',
      ['nameConstraints=permitted;DNS:a.com'],
      {},
      `The CSR has name constraints, which only a CA certificate can carry, and spec.isCA is false. ${remedy}`,
    ],
  ])('of somebody else: %s', (_, extensions, asked, message) => {
    const reply = checkCsrAgainstRequest(foreign(...extensions), asked);
    expect(reply.ok ? '' : reply.problem.message).toBe(message);
  });
});
