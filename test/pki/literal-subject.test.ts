// Subjects as text (RFC 4514): order, escapes, and the same bytes as cert-manager writes.

import { describe, expect, test } from 'vitest';
import { createCsr, derToPem, readCsr } from '../../src/pki/csr.ts';
import { parseLiteralSubject } from '../../src/pki/literal-subject.ts';
import { sameName, writeName } from '../../src/pki/subject.ts';
import { keyFor, only, seeded, value } from './fixtures.ts';
import { openssl } from './openssl.ts';

const bytesOf = (text: string) => writeName(value(parseLiteralSubject(text))).toString('hex');

describe('a literal subject', () => {
  // Recorded from cert-manager 1.21.1, pkg/util/pki.
  test.each([
    ['CN=foo,OU=bar,O=baz', '302a310c300a060355040a130362617a310c300a060355040b1303626172310c300a06035504031303666f6f'],
    [
      'CN=foo, DC=corp; DC=example',
      '303d31173015060a0992268993f22c64011913076578616d706c6531143012060a0992268993f22c6401191304636f7270310c300a06035504031303666f6f',
    ],
    [
      'UID=j.doe+CN=John Doe,C=DE',
      '3035310b30090603550406130244453126300f060355040313084a6f686e20446f653013060a0992268993f22c64010113056a2e646f65',
    ],
    [
      'O=Example\\, Inc.+OU=People+L=Köln',
      '30353133300c06035504070c054bc3b66c6e300d060355040b130650656f706c653014060355040a130d4578616d706c652c20496e632e',
    ],
    ['CN=B\\C3\\BCcher', '30123110300e06035504030c0742c3bc63686572'],
    ['O=\\ spaces \\ ', '301431123010060355040a1309207370616365732020'],
    ['1.2.3.4=x', '300c310a300806032a0304130178'],
    ['CN=a<b>=c', '3011310f300d06035504030c06613c623e3d63'],
    ['O= trimmed  ,CN=x', '301e310a300806035504031301783110300e060355040a13077472696d6d6564'],
    ['CN=#130161', '300c310a30080603550403130161'],
  ])('%s has the bytes of cert-manager', (text, hex) => {
    expect(bytesOf(text)).toBe(hex);
  });

  test.each([
    ['cn=foo,o=bar', 'CN=foo,O=bar'],
    [' CN = foo , O = bar', 'CN=foo,O=bar'],
    ['SERIALNUMBER=1', '2.5.4.5=1'],
    ['emailAddress=a@b.c', '1.2.840.113549.1.9.1=a@b.c'],
    ['CN=a\\2Cb\\20', 'CN=a\\,b\\ '],
    ['CN=\\"a\\"\\#\\+\\;\\<\\=\\>\\\\', 'CN=\\22a\\22\\23\\2B\\3b\\3C\\3D\\3E\\5C'],
    ['CN=a#b', 'CN=a\\#b'],
    ['CN=#0c03666f6f ,O=x', 'CN= #0C03666F6F,O=x'],
    ['L=\\E6\\97\\A5本', 'L=日\\E6\\9C\\AC'],
  ])('%s is %s', (text, other) => {
    expect(bytesOf(text)).toBe(bytesOf(other));
  });

  test('keeps the bytes after # whatever their type', () => {
    expect(bytesOf('DC=#1603666f6f')).toBe('301531133011060a0992268993f22c6401191603666f6f');
    expect(value(parseLiteralSubject('1.2.3=#020105'))[0]?.[0]?.text).toBeUndefined();
  });

  test('is in the CSR in the order that openssl prints', async () => {
    const literalSubject = 'CN=foo+UID=u,OU=second,OU=first,O=Example\\, Inc.,DC=corp,DC=example,C=DE';
    const key = await keyFor({ algorithm: 'ECDSA' });
    const csr = await createCsr({ key, names: only({ commonName: 'foo' }), literalSubject });
    const args = ['req', '-in', '{csr}', '-noout', '-subject', '-nameopt'];
    const files = { csr: derToPem('CERTIFICATE REQUEST', csr) };
    // openssl prints the attributes of one part in the order of their encoding, the last first.
    expect(openssl([...args, 'RFC2253'], files)).toBe(
      'subject=UID=u+CN=foo,OU=second,OU=first,O=Example\\, Inc.,DC=corp,DC=example,C=DE\n',
    );
    expect(openssl([...args, 'oneline'], files)).toMatch(
      /^subject=C = DE, DC = example, DC = corp, O = "Example, Inc."/,
    );
    const facts = value(readCsr(csr));
    expect(facts.names.commonName).toBe('foo');
    expect(facts.subject.relativeNames.map((each) => each.length)).toEqual([1, 1, 1, 1, 1, 1, 2]);
  });
});

describe('parseLiteralSubject refuses', () => {
  const attributes =
    'CN, C, O, OU, L, ST, STREET, postalCode, serialNumber, DC, UID, title, SN, givenName, initials, generationQualifier, dnQualifier, pseudonym, emailAddress';
  const escapes = 'one of "#+,;<=>\\ or a space may follow it, or two hexadecimal digits';
  test.each([
    ['foo', 'it does not begin with an attribute, as in CN=foo,O=Example'],
    ['  ', 'it does not begin with an attribute, as in CN=foo,O=Example'],
    ['=x', 'it does not begin with an attribute, as in CN=foo,O=Example'],
    ['CN=foo,', 'what follows "CN=foo," does not begin with an attribute, as in CN=foo,O=Example'],
    ['CN=foo, Inc.,O=x', 'what follows "CN=foo," does not begin with an attribute, as in CN=foo,O=Example'],
    ['CN=foo++O=x', 'what follows "CN=foo+" does not begin with an attribute, as in CN=foo,O=Example'],
    ['COLOR=red', `there is no attribute "COLOR"; use ${attributes} or an OID such as 2.5.4.3`],
    ['2.5.04=x', `there is no attribute "2.5.04"; use ${attributes} or an OID such as 2.5.4.3`],
    ['3.1=x', `there is no attribute "3.1"; use ${attributes} or an OID such as 2.5.4.3`],
    ['1.40=x', `there is no attribute "1.40"; use ${attributes} or an OID such as 2.5.4.3`],
    ['CN=a\\', `the value of CN has a backslash before ""; ${escapes}`],
    ['O=a\\zb', `the value of O has a backslash before "zb"; ${escapes}`],
    ['O=a\\4', `the value of O has a backslash before "4"; ${escapes}`],
    ['O=a\\FF', 'the value of O is not UTF-8 once its escapes are read'],
    [
      'O="Example, Inc."',
      'the value of O begins with a quotation mark; write it as \\", and a comma inside the value as \\,',
    ],
    ['CN=#', 'the value of CN begins with #, and what follows is not one DER value in hexadecimal digits'],
    ['CN=#0c0', 'the value of CN begins with #, and what follows is not one DER value in hexadecimal digits'],
    ['CN=#0c0261', 'the value of CN begins with #, and what follows is not one DER value in hexadecimal digits'],
    ['CN=#05000500', 'the value of CN begins with #, and what follows is not one DER value in hexadecimal digits'],
  ])('%j', (text, sentence) => {
    const reply = parseLiteralSubject(text);
    expect(reply.ok ? '' : reply.problem.message).toBe(`spec.literalSubject: ${sentence}.`);
  });

  test('nothing by throwing, and what it reads is what it has written (seed 3)', () => {
    const random = seeded(3);
    const pieces = ['CN', '=', ',', '+', ';', '\\', '"', '#', ' ', 'é', '0c', '03', '2.5.4.3', 'O', '\0', '\\2C', '😀'];
    let read = 0;
    for (let run = 0; run < 20_000; run += 1) {
      const tail = Array.from({ length: random(9) }, () => pieces[random(pieces.length)]).join('');
      const reply = parseLiteralSubject(random(2) === 0 ? tail : `CN=${tail}`);
      if (!reply.ok) continue;
      read += 1;
      const again = reply.value
        .toReversed()
        .map((name) => name.map(({ oid, value: der }) => `${oid}=#${der.toString('hex')}`).join('+'))
        .join(',');
      expect(sameName(value(parseLiteralSubject(again)), reply.value)).toBe(true);
    }
    expect(read).toBeGreaterThan(2000);
  });

  test('a long text in no time', () => {
    const started = performance.now();
    parseLiteralSubject(`CN=${' '.repeat(200_000)}`);
    parseLiteralSubject(' '.repeat(200_000));
    parseLiteralSubject(Array.from({ length: 20_000 }, (_, at) => `OU=${at}`).join(','));
    parseLiteralSubject(`CN=${'\\2C'.repeat(50_000)}`);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
