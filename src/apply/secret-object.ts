// The target Secret as it is applied: the pair, everything that is made of it, and the metadata. Called by perform-secret.ts.

import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import { type KeystoreTerms, keystoreFiles } from '../keystore/keystores.ts';
import { formatFiles, outputFormat } from '../keystore/output-formats.ts';
import { readCertificate, splitPem } from '../pki/certificate.ts';
import { certificateDetails, secretMetadata } from '../plan/secret-metadata.ts';
import type { Ports } from './ports.ts';
import { encode } from './secret-content.ts';

export interface SecretMatter {
  readonly key: KeyObject;
  readonly keyPem: string;
  readonly chainPem: string;
  readonly caPem?: string;
  readonly type: string;
  readonly keystores: readonly KeystoreTerms[];
  /** Keystore files that are right already, by name. */
  readonly kept: ReadonlyMap<string, Buffer>;
}

type Means = Pick<Ports, 'keystores' | 'settings' | 'now'>;

/** What is not in it and was applied before is taken away by the API server. */
export async function secretObject(means: Means, certificate: Certificate, matter: SecretMatter): Promise<Secret> {
  const { metadata, spec } = certificate;
  const { keyPem, chainPem, caPem, type } = matter;
  const leaf = readCertificate(splitPem(chainPem)[0] ?? '');
  const details = leaf.ok ? certificateDetails(leaf.value) : {};
  const { labels, annotations, ownerReferences } = secretMetadata(certificate, details, means.settings.secretOwner);
  const formats = (spec.additionalOutputFormats ?? []).map(
    (format) => [formatFiles[format.type], outputFormat(format.type, keyPem, chainPem)] as const,
  );
  const files = new Map<string, Buffer>([...formats, ...(await keystores(means, matter))]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type,
    metadata: {
      name: spec.secretName,
      namespace: metadata.namespace ?? '',
      labels,
      annotations,
      ...(ownerReferences.length > 0 && { ownerReferences }),
    },
    data: {
      'tls.crt': encode(chainPem),
      'tls.key': encode(keyPem),
      ...(caPem !== undefined && { 'ca.crt': encode(caPem) }),
      ...Object.fromEntries([...files].map(([name, bytes]) => [name, bytes.toString('base64')])),
    },
  };
}

/** A file that is right keeps its bytes, so that nobody loads it again for nothing. */
async function keystores(means: Means, matter: SecretMatter): Promise<ReadonlyMap<string, Buffer>> {
  const { key, kept } = matter;
  if (matter.keystores.length === 0) return new Map();
  const pair = { chainPem: matter.chainPem, ...(matter.caPem !== undefined && { caPem: matter.caPem }) };
  const unfit = await means.keystores.unfit(matter.keystores, pair, kept);
  const stale = matter.keystores.filter(({ kind }) =>
    Object.values(keystoreFiles[kind]).some((file) => unfit.includes(file)),
  );
  const made = await means.keystores.make(stale, key, pair, means.now());
  const fresh = matter.keystores.filter((each) => !stale.includes(each));
  const still = fresh.flatMap(({ kind }) =>
    Object.values(keystoreFiles[kind]).flatMap((file) => {
      const bytes = kept.get(file);
      return bytes === undefined || (file === keystoreFiles[kind].truststore && matter.caPem === undefined)
        ? []
        : [[file, bytes] as const];
    }),
  );
  return new Map<string, Buffer>([...still, ...made]);
}
