// Decides from what changes on Certificates and requests how long an issuance took, whoever signed it. Called by main.ts once this process leads, so
// that no replica counts what another has counted.

import type { Certificate, CertificateRequest } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import { certManagerGroup } from '../api/names.ts';
import type { Change } from '../kube/store.ts';
import { conditionOf } from '../plan/conditions.ts';
import type { Issued, Metrics } from '../report/metrics.ts';
import { type Asking, issuerOf } from './issuer-of.ts';
import type { Ports } from './ports.ts';

/** Until what it answers is called. */
export function timeIssuances(ports: Ports, metrics: Pick<Metrics, 'issued' | 'firstSecret'>): () => void {
  const { certificates, requests } = ports.stores;
  const ends = [
    certificates.subscribe((change) => {
      const certificate = firstIssued(change);
      // Without a request it was no issuance: the Secret was there already.
      if (certificate === undefined || requests.by('owner', certificate.metadata.uid ?? '').length === 0) return;
      metrics.firstSecret({ issuer: signerOf(ports, certificate), seconds: ageOf(ports, certificate) });
    }),
    requests.subscribe((change) => {
      const outcome = outcomeOf(change);
      if (outcome === undefined || change.kind !== 'applied') return;
      const { object } = change;
      metrics.issued({ issuer: signerOf(ports, object), outcome, seconds: ageOf(ports, object) });
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** The Certificate, at the change by which it has its first revision. */
export function firstIssued(change: Change<Certificate>): Certificate | undefined {
  if (change.kind !== 'applied' || change.previous?.metadata.uid !== change.object.metadata.uid) return undefined;
  const isFirst = change.previous?.status?.revision === undefined && change.object.status?.revision !== undefined;
  return isFirst ? change.object : undefined;
}

/** At the change by which the request has ended. */
export function outcomeOf(change: Change<CertificateRequest>): Issued['outcome'] | undefined {
  if (change.kind !== 'applied' || change.previous?.metadata.uid !== change.object.metadata.uid) return undefined;
  const now = endOf(change.object);
  return now !== undefined && (change.previous === undefined || endOf(change.previous) === undefined) ? now : undefined;
}

function endOf({ status }: CertificateRequest): Issued['outcome'] | undefined {
  if ((status?.certificate ?? '') !== '') return 'issued';
  const reason = conditionOf(status?.conditions, 'Ready')?.reason;
  return reason === 'Failed' || reason === 'Denied' ? 'failed' : undefined;
}

function signerOf(ports: Ports, asking: Asking): string {
  if (fullRef(asking.spec.issuerRef).group !== certManagerGroup) return 'external';
  const spec = issuerOf(ports, asking)?.spec ?? {};
  return (['acme', 'ca', 'selfSigned', 'vault'] as const).find((type) => type in spec) ?? 'other';
}

function ageOf({ now }: Pick<Ports, 'now'>, { metadata }: Asking): number {
  const created = Date.parse(metadata.creationTimestamp ?? '');
  return Number.isNaN(created) ? 0 : Math.max(0, (now() - created) / 1000);
}
