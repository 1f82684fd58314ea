// cert-manager's metrics of Certificates and Issuers, whose labels its dashboards and alerts read. Rendered at each scrape, in pieces and apart from
// prom-client, which takes seconds in one go for ten thousand objects. Called by metrics.ts.

import type { Certificate, Issuer } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import { conditionOf } from '../plan/conditions.ts';

interface Listed<T> {
  list(): Iterable<T>;
}

/** The caches that a scrape of the leader reads. */
export interface ObservedObjects {
  readonly certificates: Listed<Certificate>;
  readonly issuers: Listed<Issuer>;
  readonly clusterIssuers: Listed<Issuer>;
}

interface Family<T> {
  readonly name: string;
  readonly help: string;
  readonly lines: (object: T, name: string) => string;
}

type Instant = 'notAfter' | 'notBefore' | 'renewalTime';

const piece = 500;
const verdicts = ['True', 'False', 'Unknown'] as const;

const certificateFamilies: readonly Family<Certificate>[] = [
  {
    name: 'certmanager_certificate_ready_status',
    help: 'The ready status of the certificate.',
    lines: (of, name) => readyLines(name, certificateLabels(of), of.status?.conditions),
  },
  instantFamily('not_after', 'When the certificate ends, in Unix time; 0: there is none.', 'notAfter'),
  instantFamily('not_before', 'When the certificate begins, in Unix time; 0: there is none.', 'notBefore'),
  instantFamily('expiration', 'When the certificate expires, in Unix time; 0: there is none.', 'notAfter'),
  instantFamily('renewal', 'When the certificate is to be renewed, in Unix time; 0: never.', 'renewalTime'),
];

const issuerFamily: Family<Issuer> = {
  name: 'certmanager_issuer_ready_status',
  help: 'The ready status of the Issuer.',
  lines: ({ metadata, status }, name) =>
    readyLines(name, labelled({ name: metadata.name, namespace: metadata.namespace ?? '' }), status?.conditions),
};

const clusterIssuerFamily: Family<Issuer> = {
  name: 'certmanager_clusterissuer_ready_status',
  help: 'The ready status of the ClusterIssuer.',
  lines: ({ metadata, status }, name) => readyLines(name, labelled({ name: metadata.name }), status?.conditions),
};

/** The exposition text of all of them; whoever reads may give the loop a turn between two pieces. */
export function* objectText(objects: ObservedObjects): Generator<string> {
  for (const family of certificateFamilies) yield* familyText(family, objects.certificates.list());
  yield* familyText(issuerFamily, objects.issuers.list());
  yield* familyText(clusterIssuerFamily, objects.clusterIssuers.list());
}

function* familyText<T>({ name, help, lines }: Family<T>, objects: Iterable<T>): Generator<string> {
  let text = `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;
  let count = 0;
  for (const object of objects) {
    text += lines(object, name);
    count += 1;
    if (count % piece !== 0) continue;
    yield text;
    text = '';
  }
  yield text;
}

function instantFamily(stem: string, help: string, field: Instant): Family<Certificate> {
  return {
    name: `certmanager_certificate_${stem}_timestamp_seconds`,
    help,
    lines: (of, name) => `${name}{${certificateLabels(of)}} ${seconds(of.status?.[field])}\n`,
  };
}

function readyLines(name: string, labels: string, conditions: Parameters<typeof conditionOf>[0]): string {
  const status = conditionOf(conditions, 'Ready')?.status ?? 'Unknown';
  return verdicts
    .map((verdict) => `${name}{${labels},condition="${verdict}"} ${verdict === status ? 1 : 0}\n`)
    .join('');
}

function certificateLabels({ metadata, spec }: Certificate): string {
  const { name, kind, group } = fullRef(spec.issuerRef);
  const of = { name: metadata.name, namespace: metadata.namespace ?? '' };
  return labelled({ ...of, issuer_name: name, issuer_kind: kind, issuer_group: group });
}

function labelled(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}="${escaped(value)}"`)
    .join(',');
}

function escaped(value: string): string {
  return /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"') : value;
}

function seconds(instant: string | undefined): number {
  const at = instant === undefined ? Number.NaN : Date.parse(instant);
  return Number.isNaN(at) ? 0 : at / 1000;
}
