// A Certificate that goes from the shared account to its namespace's own, or back, keeps its pair: its Secret is told who is asked next, and nothing is issued.

import { describe, expect, it } from 'vitest';
import type { IssuerRef } from '../../src/api/certmanager.ts';
import { judgeSecret } from '../../src/plan/judge.ts';
import { fieldsOf } from '../../src/plan/owned-fields.ts';
import { type SecretShape, secretDrift } from '../../src/plan/secret-drift.ts';
import { secretMetadata } from '../../src/plan/secret-metadata.ts';
import { certificate, facts, now, seen, settle } from './certificate-scene.ts';

const cluster = { name: 'le', kind: 'ClusterIssuer', group: 'cert-manager.io' };
const own = { name: 'le.tenant-account', kind: 'Issuer', group: 'cert-manager.io' };

function verdict(was: Required<IssuerRef>, is: IssuerRef) {
  const secret = { kind: 'ours', facts: { ...facts, issuer: was } } as const;
  const judged = judgeSecret(certificate(undefined, {}, { issuerRef: is }), secret, now);
  return judged.kind === 'good' ? 'good' : judged.reason;
}

/** As it was written when the Certificate named `was`. */
function shapeOf(was: IssuerRef): SecretShape {
  const metadata = secretMetadata(certificate(undefined, {}, { issuerRef: was }), {}, 'nobody');
  const data = { 'tls.crt': '', 'tls.key': '' };
  const owned = fieldsOf({ metadata: { name: 'foo-tls', ...metadata }, data });
  return { metadata, details: {}, owned, keyEncoding: 'PKCS1', trust: 'noCa', fitFormats: [] };
}

function drift(was: IssuerRef, is: IssuerRef) {
  const now = certificate(undefined, {}, { issuerRef: is });
  return secretDrift(now, shapeOf(was), { kind: 'judged', unfit: [] }, 'nobody');
}

describe('a change of issuer', () => {
  it.each<[string, Required<IssuerRef>, IssuerRef, string]>([
    ['to the namespace’s own account', cluster, own, 'good'],
    ['back to the shared one', own, cluster, 'good'],
    ['to another CA’s', own, { ...cluster, name: 'other' }, 'IncorrectIssuer'],
    ['to another CA’s own', cluster, { ...own, name: 'other.tenant-account' }, 'IncorrectIssuer'],
    ['to an Issuer of the ClusterIssuer’s name', cluster, { ...own, name: 'le' }, 'IncorrectIssuer'],
    ['to another group', cluster, { ...own, group: 'example.org' }, 'IncorrectIssuer'],
  ])('%s', (_, was, is, expected) => {
    expect(verdict(was, is)).toBe(expected);
  });

  it.each([
    [cluster, own],
    [own, cluster],
  ])('from %j to %j writes the Secret again, under our own names', (was, is) => {
    const found = drift(was, is);
    expect(found.map(({ reason }) => reason)).toEqual([
      'SecretManagedMetadataMismatch',
      'SecretManagedMetadataMismatch',
    ]);
    expect(found.map(({ message }) => message).join()).toMatch(/issuer-name.*issuer-kind/);
  });

  it('that only spells out what was left out writes nothing', () => {
    expect(drift({ name: 'le.tenant-account' }, own)).toEqual([]);
    expect(drift(own, { name: 'le.tenant-account' })).toEqual([]);
  });

  it('ends with that one write, whatever the issuer is doing', () => {
    const moved = certificate({ revision: 1 }, { generation: 2 }, { issuerRef: own });
    const secret = { kind: 'ours', facts: { ...facts, issuer: cluster } } as const;
    for (const issuer of [{ kind: 'unseen' }, { kind: 'notReady', message: 'registering' }] as const) {
      const first = settle(seen({ certificate: moved, secret, issuer, drift: drift(cluster, own) }));
      expect(first.next).toEqual({ kind: 'rewriteSecret' });
      const written = { ...first.seen, secret: { kind: 'ours', facts: { ...facts, issuer: own } }, drift: [] } as const;
      expect(settle(written).next.kind).toBe('rest');
    }
  });
});
