// Finds the issuer that a Certificate names and what it is good for right now. Called by observe-certificate.ts and the ACME actions.

import type { Issuer, IssuerRef } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import type { KubeObject } from '../api/meta.ts';
import { certManagerGroup } from '../api/names.ts';
import { conditionOf } from '../plan/conditions.ts';
import type { IssuerSeen } from '../plan/seen.ts';
import { templateOf } from '../plan/stamp.ts';
import type { Ports } from './ports.ts';
import { asItCounts, type StampSight, stampLack } from './stamp-served.ts';
import { wayTo } from './way.ts';

/** A Certificate or a CertificateRequest. */
export interface Asking extends KubeObject {
  readonly spec: { readonly issuerRef: IssuerRef };
}

interface IssuerSight {
  readonly stores: Pick<Ports['stores'], 'issuers' | 'clusterIssuers'>;
}

/** The Issuer or ClusterIssuer of the object's issuerRef, if it exists and is of our group; a stamped one with its template's spec. */
export function issuerOf(ports: StampSight & IssuerSight, asking: Asking): Issuer | undefined {
  const { kind, name } = fullRef(asking.spec.issuerRef);
  if (kind === 'ClusterIssuer') return ports.stores.clusterIssuers.get(name);
  const issuer = ports.stores.issuers.get(`${asking.metadata.namespace}/${name}`);
  return issuer && asItCounts(ports, issuer);
}

/** "Issuer/ns/name" or "ClusterIssuer/name": the key of an issuer everywhere in this folder. */
export function issuerKey(issuer: Issuer): string {
  const { namespace, name } = issuer.metadata;
  return namespace === undefined ? `ClusterIssuer/${name}` : `Issuer/${namespace}/${name}`;
}

/** The same key, for the issuer that a Certificate or a request asks for. */
export function wantedIssuerKey(asking: Asking): string {
  const { kind, name } = fullRef(asking.spec.issuerRef);
  return kind === 'ClusterIssuer' ? `ClusterIssuer/${name}` : `Issuer/${asking.metadata.namespace}/${name}`;
}

interface SecretSight {
  readonly settings: Pick<Ports['settings'], 'clusterResourceNamespace'>;
}

/** Where the issuer's own Secrets stand. Of a stamped one no tenant reads them: its name decides, and its spec is its template's. */
export function secretNamespace({ settings }: SecretSight, { metadata }: Issuer): string {
  const { namespace, name } = metadata;
  return namespace === undefined || templateOf(name) !== undefined ? settings.clusterResourceNamespace : namespace;
}

/** `names` are the DNS names to prove, with their `*.`; they matter to ACME issuers alone. */
export function seeIssuer(ports: Ports, asking: Asking, names: readonly string[]): IssuerSeen {
  const { kind, group, name: issuerName } = fullRef(asking.spec.issuerRef);
  if (group !== certManagerGroup) return { kind: 'external' };
  if (kind !== 'Issuer' && kind !== 'ClusterIssuer') return { kind: 'missing' };
  const issuer = issuerOf(ports, asking);
  if (kind === 'Issuer' && templateOf(issuerName) !== undefined) {
    const lack = stampLack(ports, { ...asking.metadata, name: issuerName });
    if (lack !== undefined) return { kind: 'notReady', message: lack };
    // About to be stamped.
    if (issuer === undefined) return { kind: 'unseen' };
  }
  if (issuer === undefined) return { kind: 'missing' };
  const ready = conditionOf(issuer.status?.conditions, 'Ready');
  if (ready === undefined) return { kind: 'unseen' };
  if (ready.status !== 'True') return { kind: 'notReady', message: ready.message ?? '' };
  if (issuer.spec.vault !== undefined) return { kind: 'remote' };
  if (issuer.spec.acme === undefined) return { kind: 'local' };
  for (const name of names) {
    const way = wayTo(ports, asking, issuer, name);
    if ('refusal' in way) return { kind: 'acme', path: { kind: 'closed', message: way.refusal } };
  }
  return { kind: 'acme', path: { kind: 'open' } };
}
