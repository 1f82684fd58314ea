// When a Secret whose pair is right is written again, and for which reason; what was just written never is.

import { describe, expect, it } from 'vitest';
import type { Certificate, CertificateSpec } from '../../src/api/certmanager.ts';
import type { OwnedFields } from '../../src/plan/owned-fields.ts';
import { fieldsOf } from '../../src/plan/owned-fields.ts';
import { type KeystoresSeen, type SecretShape, secretDrift } from '../../src/plan/secret-drift.ts';
import { type SecretOwner, secretMetadata } from '../../src/plan/secret-metadata.ts';

const details = { 'cert-manager.io/common-name': '', 'cert-manager.io/alt-names': 'a.example.com' };
const allFit: KeystoresSeen = { kind: 'judged', unfit: [] };

function certificate(spec: Partial<CertificateSpec> = {}): Certificate {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: 'web', namespace: 'team', uid: 'u1', generation: 3 },
    spec: { secretName: 'web-tls', issuerRef: { name: 'ca' }, ...spec },
  };
}

/** As the Secret stands right after it was written for `of`. */
function written(of: Certificate, owner: SecretOwner = 'nobody', files: readonly string[] = []): SecretShape {
  const metadata = secretMetadata(of, details, owner);
  const data = Object.fromEntries(['tls.crt', 'tls.key', 'ca.crt', ...files].map((name) => [name, '']));
  const owned = fieldsOf({ metadata: { name: 'web-tls', ...metadata }, data });
  return { metadata, details, owned, keyEncoding: 'PKCS1', trust: 'hasCa', fitFormats: files };
}

function reasons(now: Certificate, shape: SecretShape, owner: SecretOwner = 'nobody', seen = allFit): string[] {
  return secretDrift(now, shape, seen, owner).map(({ reason }) => reason);
}

const template = { labels: { team: 'a' }, annotations: { note: 'x' } };

describe('nothing is written again', () => {
  it.each<[string, Certificate, readonly string[], SecretOwner]>([
    ['a plain one', certificate(), [], 'nobody'],
    ['one with a template', certificate({ secretTemplate: template }), [], 'nobody'],
    ['one with an owner', certificate(), [], 'certificate'],
    [
      'one with every format',
      certificate({ additionalOutputFormats: [{ type: 'DER' }, { type: 'CombinedPEM' }] }),
      ['key.der', 'tls-combined.pem'],
      'nobody',
    ],
    [
      'one with keystores',
      certificate({ keystores: { pkcs12: { create: true, password: 'x' } } }),
      ['keystore.p12', 'truststore.p12'],
      'nobody',
    ],
  ])('for %s', (_, of, files, owner) => {
    expect(reasons(of, written(of, owner, files), owner)).toEqual([]);
  });

  it('for labels, annotations and keys that others have added', () => {
    const shape = written(certificate(), 'nobody', []);
    const { labels, annotations } = shape.metadata;
    const metadata = { labels: { ...labels, theirs: '1' }, annotations: { ...annotations, theirs: '1' } };
    expect(reasons(certificate(), { ...shape, metadata })).toEqual([]);
  });

  it('for an Ed25519 key whatever encoding is asked for', () => {
    const of = certificate({ privateKey: { algorithm: 'Ed25519', encoding: 'PKCS1' } });
    expect(reasons(of, { ...written(of), keyEncoding: 'PKCS8' })).toEqual([]);
  });

  it('for who issued it, which is judged where re-issuance is', () => {
    expect(reasons(certificate({ issuerRef: { name: 'other' } }), written(certificate()))).toEqual([]);
  });

  it('for what the API server changed when it was written for this very spec', () => {
    const shape = { ...written(certificate()), writtenFor: 3 };
    expect(reasons(certificate({ secretTemplate: template }), shape)).toEqual([]);
    expect(reasons(certificate({ secretTemplate: template }), { ...shape, writtenFor: 2 })).not.toEqual([]);
  });
});

describe('it is written again', () => {
  const plain = written(certificate());
  const without = (owned: Partial<OwnedFields>): SecretShape => ({ ...plain, owned: { ...plain.owned, ...owned } });

  it.each<[string, Certificate, SecretShape, string[]]>([
    [
      'for a label and an annotation added to the template',
      certificate({ secretTemplate: template }),
      plain,
      ['SecretTemplateMismatch', 'SecretTemplateMismatch'],
    ],
    [
      'for a label and an annotation gone from it',
      certificate(),
      written(certificate({ secretTemplate: template })),
      ['SecretTemplateMismatch', 'SecretTemplateMismatch'],
    ],
    [
      'for another value in it',
      certificate({ secretTemplate: { labels: { team: 'b' } } }),
      written(certificate({ secretTemplate: { labels: { team: 'a' } } })),
      ['SecretTemplateMismatch'],
    ],
    [
      'for a detail that somebody changed',
      certificate(),
      { ...plain, details: { ...details, 'cert-manager.io/alt-names': 'b.example.com' } },
      ['SecretManagedMetadataMismatch'],
    ],
    [
      'for an annotation of ours that no certificate of today has',
      certificate(),
      without({ annotations: new Set([...plain.owned.annotations, 'cert-manager.io/subject-countries']) }),
      ['SecretManagedMetadataMismatch'],
    ],
    [
      'for a format added',
      certificate({ additionalOutputFormats: [{ type: 'DER' }] }),
      plain,
      ['AdditionalOutputFormatsMismatch'],
    ],
    [
      'for a format removed',
      certificate(),
      written(certificate(), 'nobody', ['key.der']),
      ['AdditionalOutputFormatsMismatch'],
    ],
    [
      'for a format of another key',
      certificate({ additionalOutputFormats: [{ type: 'DER' }] }),
      { ...written(certificate(), 'nobody', ['key.der']), fitFormats: [] },
      ['AdditionalOutputFormatsMismatch'],
    ],
    ['for another encoding', certificate({ privateKey: { encoding: 'PKCS8' } }), plain, ['SecretMismatch']],
    ['for keystores removed', certificate(), written(certificate(), 'nobody', ['keystore.jks']), ['SecretMismatch']],
    [
      'for a truststore that lost its CA',
      certificate({ keystores: { jks: { create: true, password: 'x' } } }),
      { ...written(certificate(), 'nobody', ['keystore.jks', 'truststore.jks']), trust: 'noCa' },
      ['SecretMismatch'],
    ],
  ])('%s', (_, of, shape, expected) => {
    expect(reasons(of, shape)).toEqual(expected);
  });

  it('for an owner that is to be noted, and for one that is not', () => {
    const of = certificate();
    expect(reasons(of, written(of, 'nobody'), 'certificate')).toEqual(['SecretOwnerRefMismatch']);
    expect(reasons(of, written(of, 'certificate'), 'nobody')).toEqual(['SecretOwnerRefMismatch']);
  });

  it('for keystores that do not fit, even where the rest was written for this spec', () => {
    const seen: KeystoresSeen = { kind: 'judged', unfit: ['keystore.p12', 'truststore.p12'] };
    const shape = { ...plain, writtenFor: 3 };
    expect(reasons(certificate(), shape, 'nobody', seen)).toEqual(['SecretMismatch', 'SecretMismatch']);
  });
});
