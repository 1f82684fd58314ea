// From what was seen to the table's rows, one per TLS listener of a listener set. Pure.

import type { Certificate } from '../../../src/api/certmanager.ts';
import type { Listener, ListenerSet } from '../../../src/api/gateway.ts';
import { annotations } from '../../../src/api/names.ts';
import type { Finding } from './chain.ts';
import type { Seen, Sighting } from './seen.ts';

export interface Row {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly hostname: string;
  readonly secretName: string;
  readonly issuer: string;
  readonly issuerFrom: string;
  readonly state: string;
  /** From the listener set's arrival to its Secret's, or to now while there is none. */
  readonly ms: number;
  readonly done: boolean;
  readonly certificate?: Certificate;
}

/** What the chain's verification found, by "namespace/secretName". */
export type Verdicts = ReadonlyMap<string, Finding>;

export function rowsOf(seen: Seen, now: number, verdicts: Verdicts = new Map()): readonly Row[] {
  return [...seen.listenerSets.values()]
    .flatMap((set) => set.object.spec.listeners.map((listener) => rowOf(seen, set, listener, now, verdicts)))
    .filter((row) => row !== undefined)
    .sort((a, b) => `${a.kind}${a.name}`.localeCompare(`${b.kind}${b.name}`));
}

function rowOf(
  seen: Seen,
  { object: set, firstSeen }: Sighting<ListenerSet>,
  listener: Listener,
  now: number,
  verdicts: Verdicts,
): Row | undefined {
  const secretName = listener.tls?.certificateRefs?.[0]?.name;
  if (secretName === undefined) {
    return undefined;
  }
  const namespace = set.metadata.namespace ?? '';
  const certificate = [...seen.certificates.values()]
    .map((sighting) => sighting.object)
    .find(({ metadata, spec }) => metadata.namespace === namespace && spec.secretName === secretName);
  const secret = seen.secrets.get(`Secret/${namespace}/${secretName}`);
  const hostname = listener.hostname ?? '';
  return {
    namespace,
    kind: set.kind,
    name: set.metadata.name,
    hostname,
    secretName,
    ...issuerOf(seen, set, certificate),
    state: stateOf(seen, certificate, hostname, secret && (verdicts.get(`${namespace}/${secretName}`) ?? 'unverified')),
    ms: Math.max(0, (secret?.firstSeen ?? now) - firstSeen),
    done: secret !== undefined,
    ...(certificate === undefined ? {} : { certificate }),
  };
}

/** The issuer is the Certificate's own word as soon as there is one; where it came from follows from the annotations. */
function issuerOf(seen: Seen, set: ListenerSet, certificate: Certificate | undefined) {
  const { parentRef } = set.spec;
  const own = annotatedIssuer(set.metadata.annotations);
  const parent = seen.gateways.get(`Gateway/${parentRef.namespace ?? set.metadata.namespace ?? ''}/${parentRef.name}`);
  const ref = certificate?.spec.issuerRef;
  const named = own ?? annotatedIssuer(parent?.object.metadata.annotations);
  return {
    issuer: ref === undefined ? (named ?? 'none') : `${ref.kind ?? 'Issuer'}/${ref.name}`,
    issuerFrom: own === undefined ? `Gateway ${parentRef.name}` : 'itself',
  };
}

function annotatedIssuer(all: Readonly<Record<string, string>> = {}): string | undefined {
  const cluster = all[annotations.clusterIssuer];
  const namespaced = all[annotations.issuer];
  return cluster === undefined
    ? namespaced === undefined
      ? undefined
      : `Issuer/${namespaced}`
    : `ClusterIssuer/${cluster}`;
}

function stateOf(
  seen: Seen,
  certificate: Certificate | undefined,
  hostname: string,
  finding: Finding | 'unverified' | undefined,
): string {
  if (finding !== undefined) {
    return finding === 'unverified' ? 'issued' : wordsOf(finding);
  }
  if (certificate === undefined) {
    return 'no Certificate yet';
  }
  const order = [...seen.orders.values()]
    .map((sighting) => sighting.object)
    .find(
      ({ metadata, spec }) =>
        metadata.namespace === certificate.metadata.namespace && spec.dnsNames?.includes(hostname),
    );
  if (order !== undefined) {
    return `order ${order.status?.state ?? 'intended'}`;
  }
  const issuing = certificate.status?.conditions?.find(({ type, status }) => type === 'Issuing' && status === 'True');
  return issuing?.reason === 'IssuerNotReady' ? 'issuer not ready' : 'issuing';
}

function wordsOf(finding: Finding): string {
  return finding.kind === 'verified' ? `verified, root ${finding.root}` : `wrong: ${finding.why}`;
}

/** How a row is called in lines of text. */
export function nameOf(row: Row): string {
  return `${row.kind}/${row.name}`;
}
