// What the target Secret says about its certificate, against what cert-manager 1.21.1 writes for the same one.

import { describe, expect, it } from 'vitest';
import type { X509Subject } from '../../src/api/certmanager.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { createCsr } from '../../src/pki/csr.ts';
import type { Names } from '../../src/pki/names.ts';
import { selfSign } from '../../src/pki/sign.ts';
import { certificateDetails, csvLine, secretMetadata } from '../../src/plan/secret-metadata.ts';
import { day, keyFor, only, serial, start, value } from '../pki/fixtures.ts';

async function detailsOf(names: Partial<Names>, subject: X509Subject = {}) {
  const key = await keyFor({ algorithm: 'ECDSA' });
  const csr = await createCsr({ key, names: only(names), subject });
  const terms = { csr, key, notBefore: start, notAfter: start + day, usages: [], isCA: false, serial: serial(1) };
  const { chainPem } = value(await selfSign(terms));
  return certificateDetails(value(readCertificate(chainPem)));
}

describe('the details of a certificate', () => {
  it('always hold four, empty where there is nothing to say', async () => {
    expect(await detailsOf({ dnsNames: ['a.example.com', '*.b.example.com'] })).toEqual({
      'cert-manager.io/common-name': '',
      'cert-manager.io/alt-names': 'a.example.com,*.b.example.com',
      'cert-manager.io/ip-sans': '',
      'cert-manager.io/uri-sans': '',
    });
  });

  it('hold every other name and part of the subject that the certificate has', async () => {
    const names = {
      commonName: 'www',
      ipAddresses: ['10.0.0.1', '2001:db8::1'],
      uris: ['spiffe://cluster.local/a,b'],
      emailAddresses: ['a@example.com', 'b@example.com'],
    };
    const subject = {
      organizations: ['Example, Inc.', 'Zwei'],
      organizationalUnits: ['Unit "7"'],
      countries: ['DE'],
      provinces: ['Bayern'],
      localities: [' Nürnberg'],
      postalCodes: ['90402'],
      streetAddresses: ['1 Main St'],
      serialNumber: '42',
    };
    expect(await detailsOf(names, subject)).toEqual({
      'cert-manager.io/common-name': 'www',
      'cert-manager.io/alt-names': '',
      'cert-manager.io/ip-sans': '10.0.0.1,2001:db8::1',
      'cert-manager.io/uri-sans': '"spiffe://cluster.local/a,b"',
      'cert-manager.io/email-sans': 'a@example.com,b@example.com',
      'cert-manager.io/subject-organizations': 'Zwei,"Example, Inc."',
      'cert-manager.io/subject-organizationalunits': '"Unit ""7"""',
      'cert-manager.io/subject-countries': 'DE',
      'cert-manager.io/subject-provinces': 'Bayern',
      'cert-manager.io/subject-localities': '" Nürnberg"',
      'cert-manager.io/subject-postalcodes': '90402',
      'cert-manager.io/subject-streetaddresses': '1 Main St',
      'cert-manager.io/subject-serialnumber': '42',
    });
  });
});

it.each([
  [[], ''],
  [['a', ''], 'a,'],
  [['a b'], 'a b'],
  [['a\nb'], '"a\nb"'],
  [['\\.'], '"\\."'],
])('%j is the line %j', (values, line) => {
  expect(csvLine(values)).toBe(line);
});

describe('the metadata', () => {
  const certificate = {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: 'web', namespace: 'team', uid: 'u1' },
    spec: {
      secretName: 'web-tls',
      issuerRef: { name: 'ca', kind: '', group: '' },
      secretTemplate: {
        labels: {
          team: 'a',
          'controller.cert-manager.io/fao': 'false',
          'cert-manager.io/next-private-key': 'true',
        },
        annotations: { note: 'x', 'cert-manager.io/certificate-name': 'other' },
      },
    },
  };

  it('puts what is ours above the template, and names no kind of issuer that the spec does not name, as cert-manager', () => {
    expect(secretMetadata(certificate, {}, 'nobody')).toEqual({
      labels: { team: 'a', 'controller.cert-manager.io/fao': 'true' },
      annotations: {
        note: 'x',
        'cert-manager.io/certificate-name': 'web',
        'cert-manager.io/issuer-name': 'ca',
        'cert-manager.io/issuer-kind': '',
        'cert-manager.io/issuer-group': '',
      },
      ownerReferences: [],
    });
  });

  it('names the Certificate as owner where that is asked for', () => {
    expect(secretMetadata(certificate, {}, 'certificate').ownerReferences).toEqual([
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Certificate',
        name: 'web',
        uid: 'u1',
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
  });
});
