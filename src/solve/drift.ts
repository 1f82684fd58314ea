// Whether what stands under the name of a challenge route or its grant is ours, and as it should be. Called by apply/ before a name is proven. Pure.

import type { HttpRoute, ReferenceGrant } from '../api/gateway.ts';
import type { KubeObject } from '../api/meta.ts';
import { labels } from '../api/names.ts';
import { apiVersion, orders } from '../api/resources.ts';

export type Drift<T> =
  | { readonly kind: 'same' }
  /** To be PUT in its place. */
  | { readonly kind: 'drifted'; readonly replacement: T }
  /** It is on its way out: to be made again when it is gone. */
  | { readonly kind: 'leaving' }
  /** Somebody else's: it leads nowhere that we know, and is not ours to change. */
  | { readonly kind: 'foreign'; readonly message: string };

/**
 * Other labels, annotations and owners of the existing route are kept: it may serve another Order of the namespace too, and goes when the last
 * of its owners has gone. What a rule has besides matches, filters and backends (a timeout, a name) changes nothing for a challenge.
 */
export function routeDrift(existing: HttpRoute, wanted: HttpRoute): Drift<HttpRoute> {
  if (!isOurs(existing) || !isOfAnOrder(existing)) return { kind: 'foreign', message: foreign(existing, wanted) };
  if (existing.metadata.deletionTimestamp !== undefined) return { kind: 'leaving' };
  const owners = existing.metadata.ownerReferences ?? [];
  const missing = (wanted.metadata.ownerReferences ?? []).filter(
    ({ uid }) => !owners.some((owner) => owner.uid === uid),
  );
  const isSame = isEqual(essence(existing), essence(wanted)) && hasLabels(existing, wanted) && missing.length === 0;
  if (isSame) return { kind: 'same' };
  const metadata = {
    ...existing.metadata,
    labels: { ...existing.metadata.labels, ...wanted.metadata.labels },
    ownerReferences: [...owners, ...missing],
  };
  const { status: _, ...rest } = existing;
  return { kind: 'drifted', replacement: { ...rest, metadata, spec: wanted.spec } };
}

export function grantDrift(existing: ReferenceGrant, wanted: ReferenceGrant): Drift<ReferenceGrant> {
  if (!isOurs(existing)) {
    const { namespace, name } = existing.metadata;
    const message = `ReferenceGrant ${namespace}/${name} exists and is not Certway’s; rename or delete it, as challenges need that name.`;
    return { kind: 'foreign', message };
  }
  if (existing.metadata.deletionTimestamp !== undefined) return { kind: 'leaving' };
  return isEqual(existing.spec, wanted.spec)
    ? { kind: 'same' }
    : { kind: 'drifted', replacement: { ...existing, spec: wanted.spec } };
}

function isOurs({ metadata }: KubeObject): boolean {
  return metadata.labels?.[labels.managedBy] === 'certway';
}

function isOfAnOrder({ metadata }: KubeObject): boolean {
  const version = apiVersion(orders);
  return (metadata.ownerReferences ?? []).some((owner) => owner.kind === orders.kind && owner.apiVersion === version);
}

function foreign({ metadata }: HttpRoute, wanted: HttpRoute): string {
  const host = wanted.spec.hostnames?.[0] ?? 'an IP address';
  const what = `HTTPRoute ${metadata.namespace}/${metadata.name} exists and is not Certway’s`;
  return `${what}; rename or delete it, as the challenge route for ${host} needs that name.`;
}

function essence({ spec }: HttpRoute) {
  const { parentRefs = [], hostnames = [], rules = [] } = spec;
  const shown = rules.map(({ matches = [], filters = [], backendRefs = [] }) => ({ matches, filters, backendRefs }));
  return { parentRefs, hostnames, rules: shown };
}

function hasLabels(existing: KubeObject, wanted: KubeObject): boolean {
  return Object.entries(wanted.metadata.labels ?? {}).every(
    ([key, value]) => existing.metadata.labels?.[key] === value,
  );
}

/** The order of keys is the server's affair. */
function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const);
  return Object.fromEntries(entries.toSorted(([x], [y]) => (x < y ? -1 : 1)));
}
