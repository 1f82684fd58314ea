// What checkRequest says of a spec that cannot be written: one sentence each, with where it is and what to change.

import { describe, expect, test } from 'vitest';
import type { CertificateSpec, NameConstraints, SignatureAlgorithm, X509Subject } from '../../src/api/certmanager.ts';
import { checkRequest } from '../../src/pki/satisfies.ts';

const base: CertificateSpec = { secretName: 'tls', issuerRef: { name: 'ca' }, dnsNames: ['a.com'] };

function sentence(changes: Partial<CertificateSpec>): string {
  const reply = checkRequest({ ...base, ...changes });
  return reply.ok ? '' : reply.problem.message;
}

describe('a literal subject', () => {
  const whole = 'spec.literalSubject is the whole subject: remove';
  test.each<[Partial<CertificateSpec>, string]>([
    [{ literalSubject: 'CN=x' }, ''],
    [{ literalSubject: 'O=x', subject: {}, commonName: '' }, ''],
    [{ literalSubject: 'O=x', subject: { organizations: [] } }, ''],
    [{ literalSubject: 'CN=x', commonName: 'x' }, `${whole} spec.commonName, or move it into the literal subject.`],
    [
      { literalSubject: 'CN=x', subject: { organizations: ['x'] } },
      `${whole} spec.subject.organizations, or move it into the literal subject.`,
    ],
    [
      { literalSubject: 'CN=x', subject: { serialNumber: '1' } },
      `${whole} spec.subject.serialNumber, or move it into the literal subject.`,
    ],
    [{ literalSubject: 'CN=' }, 'spec.literalSubject: the value of CN is empty; give it a value or leave it out.'],
    [
      { literalSubject: 'CN=a\\00b' },
      'spec.literalSubject: the value of CN has a control character or broken Unicode in it; remove it.',
    ],
    [
      { literalSubject: 'O=a\nb' },
      'spec.literalSubject: the value of O has a control character or broken Unicode in it; remove it.',
    ],
    [
      { literalSubject: `CN=${'ä'.repeat(33)}` },
      'spec.literalSubject: the value of CN has 66 bytes; at most 64 are allowed. Clients look at dnsNames, which may be longer.',
    ],
    [{ literalSubject: `C=Germany,OU=${'x'.repeat(65)}` }, ''],
    [{ literalSubject: 'DC=ex\u00e4mple' }, 'spec.literalSubject: the value of DC has a character that is not ASCII.'],
    [{ literalSubject: '1.2.3=#0500' }, ''],
    [{ literalSubject: 'CN=#0500' }, 'spec.literalSubject: the value of CN is no text.'],
    [
      { literalSubject: 'CN=#0c026100' },
      'spec.literalSubject: the value of CN has a control character or broken Unicode in it; remove it.',
    ],
  ])('%j: %s', (changes, expected) => {
    expect(sentence(changes)).toBe(expected);
  });
});

describe('spec.subject', () => {
  test.each(['organizations', 'organizationalUnits', 'localities', 'provinces', 'streetAddresses', 'postalCodes'])(
    '%s may be longer than X.520 has them, as cert-manager writes them',
    (part) => {
      expect(sentence({ subject: { [part]: ['x', '日'.repeat(200)] } })).toBe('');
    },
  );

  test.each<[X509Subject, string]>([
    [{ serialNumber: 'x'.repeat(64) }, ''],
    [
      { serialNumber: 'a_b' },
      `spec.subject.serialNumber: "a_b" has a character that is not allowed there: only letters, digits, spaces and '()+,-./:=? are.`,
    ],
    [{ countries: ['DE', 'FR'] }, ''],
    [{ countries: ['Germany'] }, ''],
    [{ organizations: [''] }, 'spec.subject.organizations: an entry is empty; give it a value or leave it out.'],
    [
      { organizations: ['a\0b'] },
      'spec.subject.organizations: "a\\u0000b" has a control character or broken Unicode in it; remove it.',
    ],
    [
      { localities: ['a\u009fb'] },
      'spec.subject.localities: "a\u009fb" has a control character or broken Unicode in it; remove it.',
    ],
    [
      { provinces: ['\ud800'] },
      'spec.subject.provinces: "\\ud800" has a control character or broken Unicode in it; remove it.',
    ],
  ])('%j: %s', (subject, expected) => {
    expect(sentence({ subject })).toBe(expected);
  });
});

test.each([
  ['x'.repeat(64), ''],
  ['', ''],
  [
    'x'.repeat(65),
    `A certificate cannot carry the common name "${'x'.repeat(65)}": it has 65 bytes; at most 64 are allowed. Clients look at dnsNames, which may be longer.`,
  ],
  [
    'ж'.repeat(33),
    `A certificate cannot carry the common name "${'ж'.repeat(33)}": it has 66 bytes; at most 64 are allowed. Clients look at dnsNames, which may be longer.`,
  ],
  [
    'a.com\0.b',
    'A certificate cannot carry the common name "a.com\\u0000.b": it has a control character or broken Unicode in it; remove it.',
  ],
])('the common name %j: %s', (commonName, expected) => {
  expect(sentence({ commonName })).toBe(expected);
});

describe('spec.nameConstraints', () => {
  const where = 'spec.nameConstraints';
  test.each<[NameConstraints, string]>([
    [{ permitted: { dnsDomains: ['example.com', '.example.com', '_x.a'] }, excluded: { dnsDomains: [''] } }, ''],
    [{ critical: true, excluded: { ipRanges: ['10.0.0.0/8', '::/0', '2001:db8::1/128'] } }, ''],
    [{ permitted: { emailAddresses: ['a@b.c', 'b.c', '.b.c'], uriDomains: ['b.c', '.b.c'] } }, ''],
    [{}, `${where} lists nothing: name what is permitted or excluded, or remove it.`],
    [
      { permitted: {}, excluded: { dnsDomains: [] } },
      `${where} lists nothing: name what is permitted or excluded, or remove it.`,
    ],
    [
      { permitted: { dnsDomains: ['*.example.com'] } },
      `${where}.permitted.dnsDomains: "*.example.com" cannot be written; write it as in example.com.`,
    ],
    [
      { excluded: { dnsDomains: ['b\u00fccher.de'] } },
      `${where}.excluded.dnsDomains: "b\u00fccher.de" cannot be written; write it as in example.com.`,
    ],
    ...[
      '10.0.0.0',
      '10.0.0.0/33',
      '10.0.0/8',
      '::/129',
      '::ffff:10.0.0.0/104',
      'fe80::1%1/64',
      '10.0.0.0/-1',
      '/8',
    ].map((range): [NameConstraints, string] => [
      { permitted: { ipRanges: ['10.0.0.0/8', range] } },
      `${where}.permitted.ipRanges: ${JSON.stringify(range)} cannot be written; write it as in 10.0.0.0/8.`,
    ]),
    [
      { permitted: { emailAddresses: ['a b@c.d'] } },
      `${where}.permitted.emailAddresses: "a b@c.d" cannot be written; write it as in example.com or somebody@example.com.`,
    ],
    [
      { permitted: { uriDomains: ['https://example.com'] } },
      `${where}.permitted.uriDomains: "https://example.com" cannot be written; write it as in example.com.`,
    ],
  ])('%j: %s', (nameConstraints, expected) => {
    expect(sentence({ isCA: true, nameConstraints })).toBe(expected);
  });

  test('are for CAs only', () => {
    const nameConstraints = { permitted: { dnsDomains: ['a.com'] } };
    const expected = 'spec.nameConstraints is for CAs only: set spec.isCA to true, or remove it.';
    expect(sentence({ nameConstraints })).toBe(expected);
    expect(sentence({ nameConstraints, isCA: false })).toBe(expected);
  });
});

test.each<[SignatureAlgorithm, CertificateSpec['privateKey'], string]>([
  ['SHA384WithRSA', undefined, ''],
  ['SHA512WithRSA', { algorithm: 'RSA', size: 8192 }, ''],
  ['ECDSAWithSHA512', { algorithm: 'ECDSA' }, ''],
  ['PureEd25519', { algorithm: 'Ed25519' }, ''],
  [
    'ECDSAWithSHA256',
    undefined,
    'spec.signatureAlgorithm "ECDSAWithSHA256" does not fit a key of RSA: use SHA256WithRSA or SHA384WithRSA or SHA512WithRSA, or change spec.privateKey.algorithm.',
  ],
  [
    'SHA256WithRSA',
    { algorithm: 'Ed25519' },
    'spec.signatureAlgorithm "SHA256WithRSA" does not fit a key of Ed25519: use PureEd25519, or change spec.privateKey.algorithm.',
  ],
])('%s with a key of %j: %s', (signatureAlgorithm, privateKey, expected) => {
  expect(sentence({ signatureAlgorithm, ...(privateKey !== undefined && { privateKey }) })).toBe(expected);
});

describe('names', () => {
  const nothing =
    'The Certificate names nothing: give at least one of dnsNames, ipAddresses, uris, emailAddresses, otherNames, commonName, or a CN in literalSubject.';
  const other = 'A certificate cannot carry the other name of type';
  test.each<[Partial<CertificateSpec>, string]>([
    [{ dnsNames: [] }, nothing],
    [{ dnsNames: [], commonName: '' }, nothing],
    [{ dnsNames: [], literalSubject: 'O=x' }, nothing],
    [{ dnsNames: [], subject: { organizations: ['x'] } }, nothing],
    [{ dnsNames: [], literalSubject: 'O=x,CN=y' }, ''],
    [{ dnsNames: [], otherNames: [{ oid: '1.2.3', utf8Value: 'x' }] }, ''],
    [{ dnsNames: [], emailAddresses: ['a@b.c'] }, ''],
    [
      { otherNames: [{ oid: '1.2.3', utf8Value: 'x' }, { utf8Value: 'x' }] },
      `${other} "": its oid must be dotted numbers, as in 1.3.6.1.4.1.311.20.2.3.`,
    ],
    ...['1', '1.2.', '3.1', '1.40', '1.02', '1.2.2147483648', 'upn'].map((oid): [Partial<CertificateSpec>, string] => [
      { otherNames: [{ oid, utf8Value: 'x' }] },
      `${other} "${oid}": its oid must be dotted numbers, as in 1.3.6.1.4.1.311.20.2.3.`,
    ]),
    [{ otherNames: [{ oid: '1.2.3' }] }, `${other} 1.2.3: it has no utf8Value.`],
    [{ otherNames: [{ oid: '1.2.3', utf8Value: '' }] }, `${other} 1.2.3: it has no utf8Value.`],
    [
      { otherNames: [{ oid: '1.2.3', utf8Value: 'a\0b' }] },
      `${other} 1.2.3: its utf8Value has control characters or broken Unicode.`,
    ],
  ])('%j: %s', (changes, expected) => {
    expect(sentence(changes)).toBe(expected);
  });
});
