// Name constraints of CAs: what openssl makes of ours, and we of openssl's and of hostile ones.

import { describe, expect, test } from 'vitest';
import type { NameConstraints } from '../../src/api/certmanager.ts';
import { readCertificate, splitPem } from '../../src/pki/certificate.ts';
import { createCsr, readCsr } from '../../src/pki/csr.ts';
import { parseDer } from '../../src/pki/der-read.ts';
import { implicit, octetString, sequence, tlv } from '../../src/pki/der-write.ts';
import { constraintsExtension, factsOf, readConstraintsExtension } from '../../src/pki/name-constraints.ts';
import { oids } from '../../src/pki/oids.ts';
import { signCsr } from '../../src/pki/sign.ts';
import { day, keyFor, makeRoot, only, serial, start, value } from './fixtures.ts';
import { openssl } from './openssl.ts';

const constraints: NameConstraints = {
  critical: true,
  permitted: { dnsDomains: ['example.com'], ipRanges: ['10.1.2.3/8'], emailAddresses: ['example.com'] },
  excluded: { dnsDomains: ['bad.example.com'], uriDomains: ['.evil.org'] },
};

const terms = { notBefore: start, notAfter: start + 90 * day, usages: [] };

async function constrainedCa() {
  const key = await keyFor({ algorithm: 'ECDSA' }, 7);
  const root = await makeRoot();
  const csr = await createCsr({ key, names: only({ commonName: 'below' }), isCA: true, nameConstraints: constraints });
  const issued = value(await signCsr({ ...terms, csr, issuer: root, isCA: true, serial: serial(70) }));
  return { csr, root, ca: { key, chain: [...splitPem(issued.chainPem), ...root.chain] } };
}

describe('a constrained CA', () => {
  test('has its constraints in the request and in the certificate', async () => {
    const { csr, ca } = await constrainedCa();
    const expected = factsOf({ ...constraints, permitted: { ...constraints.permitted, ipRanges: ['10.0.0.0/8'] } });
    expect(value(readCsr(csr)).nameConstraints).toEqual(expected);
    expect(value(readCertificate(ca.chain[0] ?? '')).nameConstraints).toEqual(expected);
    expect(openssl(['x509', '-in', '{ca}', '-noout', '-ext', 'nameConstraints'], { ca: ca.chain[0] ?? '' })).toBe(
      [
        'X509v3 Name Constraints: critical',
        '    Permitted:',
        '      DNS:example.com',
        '      IP:10.0.0.0/255.0.0.0',
        '      email:example.com',
        '    Excluded:',
        '      DNS:bad.example.com',
        '      URI:.evil.org',
        '',
      ].join('\n'),
    );
  });

  test.each([
    ['a.example.com', /leaf: OK/],
    ['example.com', /leaf: OK/],
    ['a.bad.example.com', /excluded subtree violation/],
    ['example.org', /permitted subtree violation/],
  ])('is held to them by openssl: %s', async (name, verdict) => {
    const { root, ca } = await constrainedCa();
    const csr = await createCsr({ key: await keyFor({ algorithm: 'ECDSA' }), names: only({ dnsNames: [name] }) });
    const issued = value(await signCsr({ ...terms, csr, issuer: ca, isCA: false, serial: serial(71) }));
    const [leaf = '', below = ''] = splitPem(issued.chainPem);
    const script = [
      'verify',
      '-attime',
      String(start / 1000 + 9),
      '-CAfile',
      '{root}',
      '-untrusted',
      '{below}',
      '{leaf}',
    ];
    expect(said(() => openssl(script, { root: root.chain.join(''), below, leaf }))).toMatch(verdict);
  });
});

/** openssl says what is wrong on its way out. */
function said(run: () => string): string {
  try {
    return run();
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}

describe('readConstraintsExtension', () => {
  const read = (root: Buffer) => readConstraintsExtension({ oid: oids.nameConstraints, critical: false, value: root });
  const permitted = (...bases: Buffer[]) => sequence(tlv(0xa0, ...bases.map((base) => sequence(base))));
  const dns = (text: string) => implicit(2, Buffer.from(text, 'latin1'));

  test('reads what it writes', () => {
    const facts = factsOf(constraints);
    expect(readConstraintsExtension(constraintsExtension(facts))).toEqual(facts);
  });

  test('reads what openssl writes', () => {
    const text = 'nameConstraints=permitted;DNS:example.com,permitted;IP:10.0.0.0/255.255.0.0,excluded;email:.x.org';
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ed25519',
      '-nodes',
      '-keyout',
      '/dev/null',
      '-subj',
      '/CN=x',
      '-addext',
      text,
    ];
    expect(value(readCertificate(splitPem(openssl(args, {}))[0] ?? '')).nameConstraints).toEqual(
      factsOf({
        permitted: { dnsDomains: ['example.com'], ipRanges: ['10.0.0.0/16'] },
        excluded: { emailAddresses: ['.x.org'] },
      }),
    );
  });

  test.each([
    ['nothing', sequence()],
    ['an empty side', sequence(tlv(0xa0))],
    ['another type', octetString(Buffer.from('x'))],
    ['a third side', sequence(tlv(0xa0, sequence(dns('a.com'))), tlv(0xa2, sequence(dns('a.com'))))],
    ['a side twice', sequence(tlv(0xa0, sequence(dns('a.com'))), tlv(0xa0, sequence(dns('b.com'))))],
    ['a directory name', permitted(tlv(0xa4, sequence()))],
    ['a mask with holes', permitted(implicit(7, Buffer.from([10, 0, 0, 0, 255, 0, 255, 0])))],
    ['an address without a mask', permitted(implicit(7, Buffer.from([10, 0, 0, 0])))],
    ['a domain that is none', permitted(dns('a b'))],
    ['a domain with a NUL', permitted(dns('a.com\0.b'))],
    ['a distance', sequence(tlv(0xa0, sequence(dns('a.com'), implicit(0, Buffer.from([1])))))],
    ['a base without its frame', sequence(tlv(0xa0, dns('a.com')))],
  ])('refuses %s', (_, root) => {
    expect(parseDer(root)).toBeDefined();
    expect(read(root)).toBeUndefined();
  });
});

test.each([['a distinguished name', 'permitted;dirName:dir', 'supported; use DNS domains']])(
  'a CSR with %s among its constraints is refused',
  (_, text, message) => {
    const config = `[req]\ndistinguished_name=d\nreq_extensions=e\n[d]\n[e]\nnameConstraints=${text}\n[dir]\nO=x\n`;
    const args = [
      'req',
      '-new',
      '-newkey',
      'ed25519',
      '-nodes',
      '-keyout',
      '/dev/null',
      '-subj',
      '/CN=x',
      '-config',
      '{config}',
    ];
    const reply = readCsr(openssl(args, { config }));
    expect(reply.ok ? '' : reply.problem.message).toContain(message);
  },
);
