// Property: whatever a valid spec asks for is in the request, in the certificate, and in openssl's reading of both.

import { describe, expect, test } from 'vitest';
import type { CertificateSpec } from '../../src/api/certmanager.ts';
import { readCertificate, splitPem } from '../../src/pki/certificate.ts';
import { createCsr, derToPem, readCsr } from '../../src/pki/csr.ts';
import { parseLiteralSubject } from '../../src/pki/literal-subject.ts';
import { namesOfSpec } from '../../src/pki/names.ts';
import { certificateSatisfies, checkRequest, requestSatisfies } from '../../src/pki/satisfies.ts';
import { selfSign, signCsr } from '../../src/pki/sign.ts';
import { sameName } from '../../src/pki/subject.ts';
import { day, keyFor, keySpecs, makeIntermediate, makeRoot, seeded, serial, start, value } from './fixtures.ts';
import { openssl } from './openssl.ts';
import { randomSpec } from './random-spec.ts';

async function issue(seed: number) {
  const random = seeded(seed);
  const spec = randomSpec(random);
  value(checkRequest(spec));
  const key = await keyFor(spec.privateKey ?? {});
  const csr = await createCsr({ ...spec, key, names: namesOfSpec(spec) });
  const root = await makeRoot(keySpecs[random(keySpecs.length)]);
  const issuer = random(2) === 0 ? root : await makeIntermediate(root);
  const terms = { notBefore: start, notAfter: start + 90 * day, usages: spec.usages ?? [], isCA: spec.isCA === true };
  const issued = value(await signCsr({ csr, issuer, ...terms, serial: serial(seed) }));
  const self = value(await selfSign({ csr, key, ...terms, serial: serial(seed) }));
  return { spec, csr, issued, self, root: root.chain.join('') };
}

/** As the first of each came, whatever its case. */
function firstSeen(names: readonly string[] = []): readonly string[] {
  const lower = names.map((name) => name.toLowerCase());
  return lower.filter((name, at) => lower.indexOf(name) === at);
}

const seeds = Array.from({ length: 80 }, (_, index) => index);

describe('a valid spec', () => {
  test.each(seeds)('reads back from its request and its certificate (seed %i)', async (seed) => {
    const { spec, csr, issued, self } = await issue(seed);
    const request = value(readCsr(csr));
    expect(requestSatisfies(request, spec)).toEqual([]);
    expect(request.names.dnsNames).toEqual(firstSeen(spec.dnsNames));
    for (const pem of [issued.chainPem, self.chainPem]) {
      const facts = value(readCertificate(pem));
      expect(certificateSatisfies(facts, spec)).toEqual([]);
      expect(facts.names).toEqual(namesOfSpec(spec));
      expect(facts.subjectDer).toEqual(request.subject.der);
      expect(facts.nameConstraints).toEqual(request.nameConstraints);
      expect([facts.notBefore, facts.notAfter]).toEqual([start, start + 90 * day]);
    }
  });

  test.each(seeds)(
    'is judged the same for a CA that keeps the case and the repetitions of names (seed %i)',
    async (seed) => {
      const { spec } = await issue(seed);
      const names = { ...namesOfSpec(spec), dnsNames: spec.dnsNames ?? [], ipAddresses: spec.ipAddresses ?? [] };
      const key = await keyFor(spec.privateKey ?? {});
      const csr = await createCsr({ ...spec, key, names });
      const terms = { notBefore: start, notAfter: start + day, usages: spec.usages ?? [], isCA: spec.isCA === true };
      const self = value(await selfSign({ csr, key, ...terms, serial: serial(seed) }));
      expect(certificateSatisfies(value(readCertificate(self.chainPem)), spec)).toEqual([]);
      expect(requestSatisfies(value(readCsr(csr)), spec)).toEqual([]);
    },
  );

  test.each(seeds.slice(0, 20))('makes a request and a chain that openssl accepts (seed %i)', async (seed) => {
    const { spec, csr, issued, root } = await issue(seed);
    const pem = derToPem('CERTIFICATE REQUEST', csr);
    const request = openssl(['req', '-in', '{csr}', '-verify', '-text', '-noout'], { csr: pem });
    expect(request).toContain('self-signature verify OK');
    for (const name of firstSeen(spec.dnsNames)) expect(request).toContain(`DNS:${name}`);
    expectConstraints(request, spec);
    const [leaf = '', ...above] = splitPem(issued.chainPem);
    expectConstraints(openssl(['x509', '-in', '{leaf}', '-text', '-noout'], { leaf }), spec);
    const time = String((start + day) / 1000);
    const verify = ['verify', '-x509_strict', '-attime', time, '-CAfile', '{ca}', '-untrusted', '{above}', '{leaf}'];
    expect(openssl(verify, { ca: root, above: above.join('') || root, leaf })).toMatch(/leaf: OK/);
    expect(issued.caPem).toBe(root);
  });

  test.each(seeds.slice(0, 20))(
    'has the subject that openssl prints in the order of RFC 4514 (seed %i)',
    async (seed) => {
      const { csr } = await issue(seed);
      const args = ['req', '-in', '{csr}', '-noout', '-subject', '-nameopt', 'RFC2253'];
      const printed = openssl(args, { csr: derToPem('CERTIFICATE REQUEST', csr) })
        .replace(/\n$/, '')
        .replace(/^subject=/, '');
      const { subject } = value(readCsr(csr));
      const names = printed === '' ? [] : value(parseLiteralSubject(openSslNames(printed)));
      expect(sameName(names, subject.relativeNames), printed).toBe(true);
    },
  );
});

/** Its own spellings of what RFC 4514 leaves without a name. */
function openSslNames(text: string): string {
  return text.replaceAll(/(?<=^|[,+])street=/g, 'STREET=');
}

function expectConstraints(text: string, { nameConstraints, isCA }: CertificateSpec): void {
  if (isCA !== true || nameConstraints === undefined) {
    expect(text).not.toContain('Name Constraints');
    return;
  }
  const [, flag, permitted = '', excluded = ''] =
    /Name Constraints: (critical)?\s*Permitted:\n([\s\S]*?)(?:Excluded:\n([\s\S]*?))?(?=Signature|X509v3)/.exec(text) ??
    [];
  expect(flag === 'critical').toBe(nameConstraints.critical);
  for (const [side, shown] of [
    [nameConstraints.permitted, permitted],
    [nameConstraints.excluded, excluded],
  ] as const) {
    for (const name of side?.dnsDomains ?? []) expect(shown).toContain(`DNS:${name}\n`);
    for (const name of side?.emailAddresses ?? []) expect(shown).toContain(`email:${name}\n`);
    for (const name of side?.uriDomains ?? []) expect(shown).toContain(`URI:${name}\n`);
    if (side?.ipRanges !== undefined) {
      expect(shown).toContain('IP:10.0.0.0/255.0.0.0\n');
      expect(shown).toContain('IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:0:0:0:0:0:0\n');
    }
  }
}
