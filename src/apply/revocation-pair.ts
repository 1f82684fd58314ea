// The certificate that is to be revoked, with the private key that proves the right to it: in the target Secret or put aside in one of our own. Called by
// perform-revoke.ts.

import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import type { Certificate } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import { annotations, labels } from '../api/names.ts';
import { apiVersion, certificates } from '../api/resources.ts';
import { splitPem } from '../pki/certificate.ts';
import { keyFromPem, publicKeysEqual } from '../pki/keys.ts';
import { plainSerial } from '../plan/revocation.ts';
import { decode } from './secret-content.ts';

export interface Pair {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  readonly serial: string;
}

/** Undefined where the two do not belong together: anybody can get hold of a certificate, only its owner of its key. */
export function pairIn(secret: Secret | undefined): Pair | undefined {
  if (secret === undefined) return undefined;
  const key = keyFromPem(decode(secret, 'tls.key'));
  const certificate = leafOf(decode(secret, 'tls.crt'));
  if (!key.ok || certificate === undefined || !publicKeysEqual(certificate.publicKey, key.value)) return undefined;
  return { certificate, key: key.value, serial: plainSerial(certificate.serialNumber) };
}

function leafOf(chain: string): X509Certificate | undefined {
  try {
    const [leaf = ''] = splitPem(chain);
    const certificate = new X509Certificate(leaf);
    // Reading its key throws for algorithms that this OpenSSL does not know.
    return certificate.publicKey.type === 'public' ? certificate : undefined;
  } catch {
    return undefined;
  }
}

/** `<certificate>-revoke`, within 253 characters. */
export function keptName(certificate: string): string {
  const hash = createHash('sha256').update(certificate).digest('hex').slice(0, 10);
  return certificate.length <= 246 ? `${certificate}-revoke` : `${certificate.slice(0, 235)}x${hash}-revoke`;
}

export function isKeptBy(secret: Secret, certificate: Certificate): boolean {
  const isNoted = secret.metadata.annotations?.[annotations.revoke] !== undefined;
  return isNoted && secret.metadata.ownerReferences?.some(({ uid }) => uid === certificate.metadata.uid) === true;
}

/** Goes with the Certificate; its label has the namespace's watch see it. */
export function keptSecret(certificate: Certificate, target: Secret): Secret {
  const { name, namespace = '', uid = '', annotations: noted = {} } = certificate.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: {
      name: keptName(name),
      namespace,
      labels: { [labels.fao]: 'true', [labels.managedBy]: 'certway' },
      annotations: { [annotations.revoke]: noted[annotations.revoke] ?? '' },
      ownerReferences: [
        {
          apiVersion: apiVersion(certificates),
          kind: certificates.kind,
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    data: { 'tls.crt': target.data?.['tls.crt'] ?? '', 'tls.key': target.data?.['tls.key'] ?? '' },
  };
}
