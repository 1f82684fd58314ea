// A seeded generator of specs that the API accepts: at least one name, any mixture of everything else. Used by the properties in this folder.

import type {
  CertificateSpec,
  NameConstraintItem,
  PrivateKeySpec,
  SignatureAlgorithm,
  X509Subject,
} from '../../src/api/certmanager.ts';
import { keySpecs, type Random } from './fixtures.ts';

export function randomSpec(random: Random): CertificateSpec {
  const some = <T>(make: () => T, most: number): T[] => Array.from({ length: random(most + 1) }, make);
  const host = () => `${['www', 'API', 'a-b', '_x', 'xn--bcher-kva'][random(5)]}.${random(30)}.example.com`;
  const v6 = () => Array.from({ length: 8 }, () => (random(3) === 0 ? '0' : random(65_536).toString(16))).join(':');
  const privateKey: PrivateKeySpec = keySpecs[random(keySpecs.length)] ?? {};
  const isCA = random(4) === 0;
  const signatureAlgorithm = algorithms[privateKey.algorithm ?? 'RSA']?.[random(6)];
  const usages = some(() => usagePool[random(usagePool.length)] ?? 'any', 5);
  // RFC 5280 §4.1.2.6: who signs certificates or CRLs has a name.
  const signs = isCA || usages.includes('crl sign');
  return {
    secretName: 'tls',
    issuerRef: { name: 'ca' },
    dnsNames: [random(4) === 0 ? `*.${host()}` : host(), ...some(host, 20)],
    ipAddresses: some(() => (random(2) === 0 ? `10.${random(256)}.${random(256)}.1` : v6()), 4),
    uris: some(() => `spiffe://cluster.local/ns/team-${random(9)}/sa/default?x=${random(9)}`, 2),
    emailAddresses: some(() => `who+${random(99)}@example.com`, 2),
    otherNames: some(
      () => ({
        oid: ['1.3.6.1.4.1.311.20.2.3', '2.999.2147483647.1', '0.39.0'][random(3)] ?? '',
        utf8Value: ['who@example.com', 'Bücher', 'a:b,c', '日本'][random(4)] ?? '',
      }),
      3,
    ),
    isCA,
    privateKey,
    usages,
    ...(random(3) === 0 ? { literalSubject: randomLiteral(random) } : randomParts(random, host, signs)),
    ...(random(3) === 0 && { encodeUsagesInRequest: random(2) === 0 }),
    ...(isCA && random(2) === 0 && { nameConstraints: randomConstraints(random) }),
    ...(signatureAlgorithm !== undefined && { signatureAlgorithm }),
  };
}

const algorithms: Readonly<Record<string, readonly SignatureAlgorithm[]>> = {
  RSA: ['SHA256WithRSA', 'SHA384WithRSA', 'SHA512WithRSA'],
  ECDSA: ['ECDSAWithSHA256', 'ECDSAWithSHA384', 'ECDSAWithSHA512'],
  Ed25519: ['PureEd25519'],
};

const usagePool = [
  'signing',
  'digital signature',
  'key encipherment',
  'decipher only',
  'crl sign',
  'server auth',
  'client auth',
];

function randomParts(random: Random, host: () => string, signs: boolean): Partial<CertificateSpec> {
  const commonName =
    !signs && random(3) === 0 ? undefined : [host(), 'Some Thing', 'Bücher & Söhne', 'a,b=c+"d"'][random(4)];
  return { subject: randomSubject(random), ...(commonName !== undefined && { commonName }) };
}

function randomSubject(random: Random): X509Subject {
  const sometimes = (part: keyof X509Subject, values: readonly string[]) => (random(3) === 0 ? { [part]: values } : {});
  return {
    ...sometimes('organizations', ['Example, Inc.', 'Другая']),
    ...sometimes('countries', ['DE']),
    ...sometimes('organizationalUnits', ['a+b', 'x'.repeat(40)]),
    ...sometimes('localities', ['Köln']),
    ...sometimes('streetAddresses', ['1 "Main" St; <x>']),
    ...(random(4) === 0 && { serialNumber: String(random(1e9)) }),
  };
}

const literalPool = [
  'CN=foo',
  'cn=B\\C3\\BCcher & S\\C3\\B6hne',
  'OU=a\\,b\\+c\\;d',
  'O=\\ leading and trailing\\ ',
  'O=Example\\, Inc.+OU=People+L=K\u00f6ln',
  'DC=corp',
  'DC=example',
  'UID=j.doe+CN=John Doe',
  'C=DE',
  'STREET=1 \\"Main\\" St \\<x\\> \\#2',
  '2.5.4.12=Dr.',
  '1.2.3.4.5=#0c03666f6f',
  'serialNumber=42',
  'SN=#1e0400410042',
  'O=\u65e5\u672c',
];

function randomLiteral(random: Random): string {
  const part = () => literalPool[random(literalPool.length)] ?? 'CN=x';
  return [part(), ...Array.from({ length: random(5) }, part)].join([',', ', ', ';'][random(3)]);
}

function randomConstraints(random: Random) {
  const item = (): NameConstraintItem => ({
    ...(random(2) === 0 && { dnsDomains: ['example.com', '.Example.org'] }),
    ...(random(2) === 0 && { ipRanges: ['10.1.2.3/8', '2001:DB8::/32', '0.0.0.0/0', '192.0.2.1/32', '::/0'] }),
    ...(random(2) === 0 && { emailAddresses: ['example.com', '.example.com', 'who@example.com'] }),
    ...(random(2) === 0 && { uriDomains: ['cluster.local', '.example.com'] }),
  });
  return { critical: random(2) === 0, permitted: { dnsDomains: ['example.net'], ...item() }, excluded: item() };
}
