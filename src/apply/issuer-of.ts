// Finds the issuer that a Certificate names and what it is good for right now. Called by observe-certificate.ts and the ACME actions.

import type { Certificate, Issuer } from '../api/certmanager.ts';
import { certManagerGroup } from '../api/names.ts';
import { conditionOf } from '../plan/conditions.ts';
import type { IssuerSeen } from '../plan/seen.ts';
import { challengeParent } from './challenge-parent.ts';
import { hostsOf } from './order-object.ts';
import type { Ports } from './ports.ts';

/** The Issuer or ClusterIssuer of the Certificate's issuerRef, if it exists and is of our group. */
export function issuerOf(ports: Ports, certificate: Certificate): Issuer | undefined {
  const { kind = 'Issuer', name } = certificate.spec.issuerRef;
  return kind === 'ClusterIssuer'
    ? ports.stores.clusterIssuers.get(name)
    : ports.stores.issuers.get(`${certificate.metadata.namespace}/${name}`);
}

/** "Issuer/ns/name" or "ClusterIssuer/name": the key of an issuer everywhere in this folder. */
export function issuerKey(issuer: Issuer): string {
  const { namespace, name } = issuer.metadata;
  return namespace === undefined ? `ClusterIssuer/${name}` : `Issuer/${namespace}/${name}`;
}

/** The same key, for the issuer that a Certificate asks for. */
export function wantedIssuerKey(certificate: Certificate): string {
  const { kind = 'Issuer', name } = certificate.spec.issuerRef;
  return kind === 'ClusterIssuer' ? `ClusterIssuer/${name}` : `Issuer/${certificate.metadata.namespace}/${name}`;
}

/** Where the issuer's own Secrets stand. */
export function secretNamespace(ports: Pick<Ports, 'settings'>, issuer: Issuer): string {
  return issuer.metadata.namespace ?? ports.settings.clusterResourceNamespace;
}

export function seeIssuer(ports: Ports, certificate: Certificate): IssuerSeen {
  const { kind = 'Issuer', group = certManagerGroup } = certificate.spec.issuerRef;
  if (group !== certManagerGroup) return { kind: 'external' };
  if (kind !== 'Issuer' && kind !== 'ClusterIssuer') return { kind: 'missing' };
  const issuer = issuerOf(ports, certificate);
  if (issuer === undefined) return { kind: 'missing' };
  const ready = conditionOf(issuer.status?.conditions, 'Ready');
  if (ready === undefined) return { kind: 'unseen' };
  if (ready.status !== 'True') return { kind: 'notReady', message: ready.message ?? '' };
  if (issuer.spec.acme === undefined) return { kind: 'local' };
  for (const host of hostsOf(certificate)) {
    const parent = challengeParent(ports, certificate, issuer, host);
    if ('refusal' in parent) return { kind: 'acme', path: { kind: 'closed', message: parent.refusal } };
  }
  return { kind: 'acme', path: { kind: 'open' } };
}
