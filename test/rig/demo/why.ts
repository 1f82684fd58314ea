// Why a certificate has not come: everything that Kubernetes would tell a user who asks, in the order in which to read it.

import type { Condition, KubeObject } from '../../../src/api/meta.ts';
import {
  certificateRequests,
  certificates,
  clusterIssuers,
  events,
  orders,
  type Resource,
} from '../../../src/api/resources.ts';
import type { Client } from './client.ts';
import { nameOf, type Row } from './rows.ts';

type WithStatus = KubeObject & {
  readonly status?: { readonly conditions?: readonly Condition[]; readonly state?: string; readonly reason?: string };
};

const challenges: Resource<WithStatus> = {
  group: 'acme.cert-manager.io',
  version: 'v1',
  plural: 'challenges',
  kind: 'Challenge',
  namespaced: true,
};

/** Lines for people: the rows in question, the conditions and states of issuers and of what is not ready in these namespaces, their events. */
export async function explain(
  client: Client,
  rows: readonly Row[],
  namespaces: readonly string[],
): Promise<readonly string[]> {
  const missing = rows.map(
    (row) => `${nameOf(row)} (${row.hostname}): ${row.state} after ${(row.ms / 1000).toFixed(0)} s`,
  );
  const issuers = (await client.list(clusterIssuers)).flatMap((issuer) => statusLines(issuer));
  const perNamespace = await Promise.all(namespaces.map((namespace) => inNamespace(client, namespace)));
  return [...missing, ...issuers, ...perNamespace.flat()];
}

async function inNamespace(client: Client, namespace: string): Promise<readonly string[]> {
  const kinds: readonly Resource<WithStatus>[] = [certificates, certificateRequests, orders, challenges];
  const objects = await Promise.all(
    kinds.map((kind) => client.list(kind, namespace).then((list) => withKind(kind, list))),
  );
  const said = await client.list(events, namespace);
  return [
    ...objects.flat().filter(isUnready).flatMap(statusLines),
    ...said.map(
      (event) =>
        `  event on ${event.involvedObject.kind}/${event.involvedObject.name}: ${event.reason}: ${event.message}`,
    ),
  ];
}

/** Items of a list carry no kind of their own. */
function withKind(kind: Resource<WithStatus>, list: readonly WithStatus[]): readonly WithStatus[] {
  return list.map((object) => ({ ...object, kind: kind.kind }));
}

function isUnready({ status }: WithStatus): boolean {
  const ready = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
  return ready !== true && status?.state !== 'valid';
}

function statusLines({ kind, metadata, status }: WithStatus): readonly string[] {
  const name = `  ${kind ?? 'ClusterIssuer'}/${metadata.name}`;
  const state = status?.state === undefined ? [] : [`${name}: ${status.state} ${status.reason ?? ''}`.trimEnd()];
  const conditions = status?.conditions ?? [];
  return [
    ...state,
    ...conditions.map((one) => `${name}: ${one.type}=${one.status} ${one.reason ?? ''}: ${one.message ?? ''}`),
  ];
}
