// Which old proxies may go: those whose Gateways are gone or served by their new proxies, for long enough that names in DNS have followed. Called by
// legacy-plan.ts once the old controller is gone.

import type { Gateway } from '../api/gateway.ts';
import type { LegacyObject } from './legacy-kinds.ts';
import { type LegacyProxy, replacementOf, servedGateways } from './legacy-proxies.ts';

export interface Sweep {
  /** In order, proxy by proxy. */
  readonly now: readonly LegacyObject[];
  /** Gateways whose new proxy is not available yet, as "namespace/name", ascending. */
  readonly awaited: readonly string[];
  /** When the next of those that are replaced may go, epoch ms. */
  readonly next?: number;
}

export interface SweepInput {
  readonly proxies: readonly LegacyProxy[];
  readonly gateways: readonly Gateway[];
  /** Objects of proxies in every namespace, for those in the namespaces of Gateways. */
  readonly fresh: readonly LegacyObject[];
  /** How long old and new serve side by side, ms. */
  readonly overlapMs: number;
  readonly now: number;
}

export function sweepOf({ proxies, gateways, fresh, overlapMs, now }: SweepInput): Sweep {
  const due: LegacyObject[] = [];
  const awaited = new Set<string>();
  const later: number[] = [];
  for (const proxy of proxies) {
    const served = servedGateways(proxy, gateways);
    const ready = served.map((gateway) => ({ gateway, replacement: replacementOf(gateway, fresh, proxy) }));
    const since = ready.map(({ replacement }) => (replacement.kind === 'up' ? replacement.since : Number.NaN));
    for (const { gateway, replacement } of ready) {
      if (replacement.kind === 'awaited') awaited.add(`${gateway.metadata.namespace}/${gateway.metadata.name}`);
    }
    // Math.max of nothing is -Infinity: a proxy that serves nobody waits for nobody.
    const at = Math.max(...since.map((each) => each + overlapMs));
    if (Number.isNaN(at)) continue;
    if (at <= now) due.push(...proxy.objects);
    else later.push(at);
  }
  return { now: due, awaited: [...awaited].sort(), ...(later.length > 0 && { next: Math.min(...later) }) };
}
