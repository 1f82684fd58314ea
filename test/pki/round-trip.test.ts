// Property: whatever a valid spec asks for is in the request, in the certificate, and in openssl's reading of both.

import { describe, expect, test } from 'vitest';
import { readCertificate, splitPem } from '../../src/pki/certificate.ts';
import { createCsr, derToPem, readCsr } from '../../src/pki/csr.ts';
import { namesOfSpec } from '../../src/pki/names.ts';
import { certificateSatisfies, checkRequest, requestSatisfies } from '../../src/pki/satisfies.ts';
import { signCsr } from '../../src/pki/sign.ts';
import {
  day,
  keyFor,
  keySpecs,
  makeIntermediate,
  makeRoot,
  randomSpec,
  seeded,
  serial,
  start,
  value,
} from './fixtures.ts';
import { openssl } from './openssl.ts';

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
  return { spec, csr, issued, root: root.chain.join('') };
}

const seeds = Array.from({ length: 60 }, (_, index) => index);

describe('a valid spec', () => {
  test.each(seeds)('reads back from its request and its certificate (seed %i)', async (seed) => {
    const { spec, csr, issued } = await issue(seed);
    expect(requestSatisfies(value(readCsr(csr)), spec)).toEqual([]);
    const facts = value(readCertificate(issued.chainPem));
    expect(certificateSatisfies(facts, spec)).toEqual([]);
    expect(facts.names.dnsNames).toEqual(spec.dnsNames);
    expect(facts.names.commonName).toBe(spec.commonName);
    expect([facts.notBefore, facts.notAfter]).toEqual([start, start + 90 * day]);
  });

  test.each(seeds.slice(0, 12))('makes a request and a chain that openssl accepts (seed %i)', async (seed) => {
    const { spec, csr, issued, root } = await issue(seed);
    const request = openssl(['req', '-in', '{csr}', '-verify', '-text', '-noout'], {
      csr: derToPem('CERTIFICATE REQUEST', csr),
    });
    expect(request).toContain('self-signature verify OK');
    for (const name of spec.dnsNames ?? []) expect(request).toContain(`DNS:${name}`);
    const [leaf = '', ...above] = splitPem(issued.chainPem);
    const time = String((start + day) / 1000);
    const verify = ['verify', '-x509_strict', '-attime', time, '-CAfile', '{ca}', '-untrusted', '{above}', '{leaf}'];
    expect(openssl(verify, { ca: root, above: above.join('') || root, leaf })).toMatch(/leaf: OK/);
    expect(issued.caPem).toBe(root);
  });
});
