// Every shaping annotation: what a value does to the Certificate's spec, and which values are refused and how. Formats are cert-manager's.

import { describe, expect, test } from 'vitest';
import type { CertificateSpec } from '../../src/api/certmanager.ts';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import { type Annotations, clusterIssuer, gateway, https, only, onlyRefusal, world } from './world.ts';

const prefix = 'cert-manager.io/';

function resolve(annotations: Annotations) {
  const listeners = [https(), https({ name: 'b', hostname: 'b.com', secret: 'b-tls' })];
  return resolveGateway(world(gateway({ annotations: { ...clusterIssuer('ca'), ...annotations }, listeners })));
}

function specOf(annotations: Annotations): CertificateSpec {
  const object = gateway({ annotations: { ...clusterIssuer('ca'), ...annotations }, listeners: [https()] });
  return only(resolveGateway(world(object))).spec;
}

const plain: CertificateSpec = specOf({});

describe('values that are accepted', () => {
  const rows: readonly (readonly [key: string, value: string, expected: Partial<CertificateSpec>])[] = [
    ['common-name', 'foo.com', { commonName: 'foo.com' }],
    ['common-name', 'x'.repeat(64), { commonName: 'x'.repeat(64) }],
    ['common-name', '', {}],
    ['alt-names', 'a.com,b.com', { dnsNames: ['foo.com', 'a.com', 'b.com'] }],
    ['alt-names', ' a.com , foo.com,,a.com', { dnsNames: ['foo.com', 'a.com'] }],
    ['alt-names', 'a.com,::1,1.2.3.4', { dnsNames: ['foo.com', 'a.com'], ipAddresses: ['::1', '1.2.3.4'] }],
    ['alt-names', '', {}],
    ['ip-sans', '192.0.2.1, 2001:db8::1', { ipAddresses: ['192.0.2.1', '2001:db8::1'] }],
    ['ip-sans', '', {}],
    ['email-sans', 'a@foo.com, b@foo.com', { emailAddresses: ['a@foo.com', 'b@foo.com'] }],
    ['uri-sans', 'spiffe://foo/bar, https://foo.com', { uris: ['spiffe://foo/bar', 'https://foo.com'] }],
    ['subject-organizations', 'Foo', { subject: { organizations: ['Foo'] } }],
    ['subject-organizations', '"Foo, Inc.",Bar', { subject: { organizations: ['Foo, Inc.', 'Bar'] } }],
    ['subject-organizations', '"say ""hi""", b', { subject: { organizations: ['say "hi"', ' b'] } }],
    ['subject-organizationalunits', 'IT', { subject: { organizationalUnits: ['IT'] } }],
    ['subject-countries', 'DE,FR', { subject: { countries: ['DE', 'FR'] } }],
    ['subject-provinces', 'X', { subject: { provinces: ['X'] } }],
    ['subject-localities', 'X', { subject: { localities: ['X'] } }],
    ['subject-postalcodes', '12345', { subject: { postalCodes: ['12345'] } }],
    ['subject-streetaddresses', '"1, High Street"', { subject: { streetAddresses: ['1, High Street'] } }],
    ['subject-serialnumber', '4711', { subject: { serialNumber: '4711' } }],
    ['duration', '2160h', { duration: '2160h0m0s' }],
    ['duration', '1h', { duration: '1h0m0s' }],
    ['renew-before', '360h', { renewBefore: '360h0m0s' }],
    ['renew-before', '5m', { renewBefore: '5m0s' }],
    ['renew-before-percentage', '25', { renewBeforePercentage: 25 }],
    ['usages', 'server auth, client auth', { usages: ['server auth', 'client auth'] }],
    ['revision-history-limit', '7', { revisionHistoryLimit: 7 }],
    ['private-key-algorithm', 'ECDSA', { privateKey: { algorithm: 'ECDSA' } }],
    ['private-key-algorithm', 'Ed25519', { privateKey: { algorithm: 'Ed25519' } }],
    ['private-key-encoding', 'PKCS8', { privateKey: { encoding: 'PKCS8' } }],
    ['private-key-size', '4096', { privateKey: { size: 4096 } }],
    ['private-key-rotation-policy', 'Never', { privateKey: { rotationPolicy: 'Never' } }],
    ['secret-template', '{"labels":{"a":"b"}}', { secretTemplate: { labels: { a: 'b' } } }],
    [
      'secret-template',
      '{"annotations":{"x.io/a":"any text"}}',
      { secretTemplate: { annotations: { 'x.io/a': 'any text' } } },
    ],
    ['secret-template', '{}', {}],
    ['secret-template', '{"labels":{},"annotations":null}', {}],
  ];
  test.each(rows)('%s: %j', (key, value, expected) => {
    expect(specOf({ [prefix + key]: value })).toEqual({ ...plain, ...expected });
  });

  test('all parts of a key and of a subject add up', () => {
    const spec = specOf({
      [`${prefix}private-key-algorithm`]: 'ECDSA',
      [`${prefix}private-key-size`]: '384',
      [`${prefix}private-key-encoding`]: 'PKCS8',
      [`${prefix}private-key-rotation-policy`]: 'Always',
      [`${prefix}subject-organizations`]: 'Foo',
      [`${prefix}subject-countries`]: 'DE',
    });
    expect(spec.privateKey).toEqual({ algorithm: 'ECDSA', size: 384, encoding: 'PKCS8', rotationPolicy: 'Always' });
    expect(spec.subject).toEqual({ organizations: ['Foo'], countries: ['DE'] });
  });

  test('the size is ignored for Ed25519', () => {
    const spec = specOf({ [`${prefix}private-key-algorithm`]: 'Ed25519', [`${prefix}private-key-size`]: '1' });
    expect(spec.privateKey).toEqual({ algorithm: 'Ed25519' });
  });
});

describe('23, 35. values that are refused hold every Certificate of the object, in one event', () => {
  const rows: readonly (readonly [key: string, value: string, accepts: string])[] = [
    ['common-name', 'x'.repeat(65), 'at most 64 bytes'],
    ['common-name', 'ä'.repeat(33), 'at most 64 bytes'],
    ['common-name', 'a\nb', 'without control characters'],
    ['alt-names', 'a.com,not a host', 'a list of DNS names, separated by commas'],
    ['ip-sans', '192.0.2.1,192.0.2.999', 'a list of IP addresses'],
    ['ip-sans', 'fe80::1%eth0', 'a list of IP addresses'],
    ['email-sans', 'Ann <ann@foo.com>', 'a list of e-mail addresses without display names'],
    ['email-sans', 'foo.com', 'a list of e-mail addresses'],
    ['email-sans', 'a<b@foo.com', 'a list of e-mail addresses'],
    ['uri-sans', 'no scheme', 'a list of URIs'],
    ['subject-organizations', '', 'one line of comma-separated values'],
    ['subject-organizations', 'a\nb', 'one line of comma-separated values'],
    ['subject-organizations', '"a\nb"', 'one line of comma-separated values'],
    ['subject-organizations', '"a', 'one line of comma-separated values'],
    ['subject-organizations', 'a"b', 'one line of comma-separated values'],
    ['duration', 'soon', 'a Go duration of at least 1h'],
    ['duration', '90d', 'a Go duration of at least 1h'],
    ['duration', '59m', 'a Go duration of at least 1h'],
    ['duration', '-2160h', 'a Go duration of at least 1h'],
    ['duration', '', 'a Go duration of at least 1h'],
    ['renew-before', '4m59s', 'a Go duration of at least 5m'],
    ['renew-before-percentage', '0', 'a whole number from 1 to 99'],
    ['renew-before-percentage', '100', 'a whole number from 1 to 99'],
    ['renew-before-percentage', '33.3', 'a whole number from 1 to 99'],
    ['usages', 'server auth,flying', 'a list of key usages'],
    ['usages', '', 'a list of key usages'],
    ['revision-history-limit', '0', 'a whole number of at least 1'],
    ['revision-history-limit', 'NaN', 'a whole number of at least 1'],
    ['revision-history-limit', '2147483648', 'a whole number of at least 1'],
    ['private-key-algorithm', 'rsa', 'RSA, ECDSA or Ed25519'],
    ['private-key-encoding', 'PEM', 'PKCS1 or PKCS8'],
    ['private-key-size', 'big', '2048 to 8192 for RSA; 256, 384 or 521 for ECDSA'],
    ['private-key-rotation-policy', 'Sometimes', 'Never or Always'],
    ['secret-template', 'not json', 'JSON such as'],
    ['secret-template', '[]', 'JSON such as'],
    ['secret-template', '{"label":{"a":"b"}}', 'JSON such as'],
    ['secret-template', '{"labels":{"a":1}}', 'JSON such as'],
    ['secret-template', '{"labels":{"a":"not a label value"}}', 'with valid names'],
    ['secret-template', '{"labels":{"not a name":"b"}}', 'with valid names'],
    [
      'secret-template',
      '{"annotations":{"cert-manager.io/issuer":"x"}}',
      'without annotations that begin with cert-manager.io/',
    ],
    ['issue-temporary-certificate', 'yes', '"true" or "false"'],
  ];
  test.each(rows)('%s: %j', (key, value, accepts) => {
    const resolution = resolve({ [prefix + key]: value });
    const refusal = onlyRefusal(resolution);
    expect(resolution.wanted).toEqual([]);
    expect(refusal).toMatchObject({ reason: 'BadConfig', holds: ['foo-tls', 'b-tls'], suspends: [], generation: 3 });
    const [said, remedy] = refusal.message.split('; accepted is ');
    expect(said).toContain(`Annotation ${prefix}${key} is ${JSON.stringify(value)}`);
    expect(remedy).toContain(accepts);
  });

  test('each bad value is its own event', () => {
    const { refusals } = resolve({ [`${prefix}duration`]: 'soon', [`${prefix}usages`]: 'flying' });
    expect(refusals.map(({ message }) => message.split(' ')[1])).toEqual([`${prefix}duration`, `${prefix}usages`]);
  });

  test('a long value is cut, and control characters cannot break the line', () => {
    const { message } = onlyRefusal(resolve({ [`${prefix}duration`]: `\u001b[31m\n\u202e\u0085${'x'.repeat(5000)}` }));
    expect(message.length).toBeLessThan(300);
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

describe('values that do not fit together', () => {
  const rows: readonly (readonly [Annotations, string])[] = [
    [
      { 'private-key-algorithm': 'ECDSA', 'private-key-size': '4096' },
      'private-key-size "4096" and cert-manager.io/private-key-algorithm "ECDSA" do not fit together; accepted is a size of 256, 384 or 521 for ECDSA',
    ],
    [{ 'private-key-algorithm': 'RSA', 'private-key-size': '1024' }, 'accepted is a size from 2048 to 8192 for RSA'],
    [
      { 'private-key-size': '256' },
      'Annotation cert-manager.io/private-key-size "256" does not fit; accepted is a size from 2048',
    ],
    [{ 'private-key-size': '8193' }, 'accepted is a size from 2048 to 8192 for RSA'],
    [{ 'renew-before': '360h', 'renew-before-percentage': '25' }, 'accepted is one of them'],
    [{ duration: '24h', 'renew-before': '24h' }, 'accepted is a renewal time shorter than the duration'],
    [{ 'renew-before': '2160h' }, 'which is 2160h where it is not set'],
  ];
  test.each(rows)('%j', (annotations, message) => {
    const prefixed = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [prefix + key, value]));
    const resolution = resolve(prefixed);
    expect(resolution.wanted).toEqual([]);
    expect(onlyRefusal(resolution).message).toContain(message);
  });
});
