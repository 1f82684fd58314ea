// What earlier revisions of a Certificate have left behind: key Secrets and requests. Called by observe-certificate.ts; what it names is deleted once the
// Certificate is ready, so of Secrets it names only those that were made to keep a key.

import type { Certificate } from '../api/certmanager.ts';
import type { Metadata } from '../api/core.ts';
import { annotations, labels } from '../api/names.ts';
import type { Store } from '../kube/store.ts';
import { keySecretName } from './names.ts';
import type { Ports } from './ports.ts';

/** Names, in the Certificate's namespace. */
export function leftovers(ports: Pick<Ports, 'stores'>, certificate: Certificate, store: Store<Metadata> | undefined) {
  const uid = certificate.metadata.uid ?? '';
  const keySecrets = (store?.by('owner', uid) ?? [])
    .filter((each) => isKeySecret(certificate, each))
    .map((each) => each.metadata.name);
  const newest = certificate.status?.revision ?? 0;
  const kept = newest - (certificate.spec.revisionHistoryLimit ?? 1);
  const requests = ports.stores.requests
    .by('owner', uid)
    .filter((each) => Number(each.metadata.annotations?.[annotations.certificateRevision] ?? newest) <= kept)
    .map((each) => each.metadata.name);
  return { keySecrets, requests };
}

/** Whether the Secret, which the Certificate owns, keeps a key in the making, ours or cert-manager's: a label alone may come from a template. */
export function isKeySecret({ metadata, spec }: Certificate, { metadata: found }: Metadata): boolean {
  if (found.labels?.[labels.nextPrivateKey] !== 'true' || found.name === spec.secretName) return false;
  if (found.annotations?.[annotations.certificateName] !== undefined) return false;
  const [, revision] = /-(\d{1,15})-key$/.exec(found.name) ?? [];
  if (revision !== undefined && found.name === keySecretName(metadata.name, Number(revision))) return true;
  // The API server's generated names: a base of at most 58 letters, and five of its own.
  const base = `${metadata.name}-`.slice(0, 58);
  return found.name.startsWith(base) && /^[a-z0-9]{5}$/.test(found.name.slice(base.length));
}
