// Everything that a replica serves, leader or not: challenge answers, health, metrics. Started by main.ts.

import { type HealthOptions, startHealth } from './health.ts';
import { type ResponderOptions, startResponder } from './http01.ts';
import { type MetricsOptions, startMetrics } from './metrics.ts';

export interface ServersOptions {
  readonly http01: ResponderOptions;
  readonly health: HealthOptions;
  readonly metrics: MetricsOptions;
}

export interface Servers extends AsyncDisposable {
  /** "host:port" of each, as bound. */
  readonly addresses: { readonly http01: string; readonly health: string; readonly metrics: string };
}

export async function startServers(options: ServersOptions): Promise<Servers> {
  const http01 = await startResponder(options.http01);
  const health = await startHealth(options.health);
  const metrics = await startMetrics(options.metrics);
  return {
    addresses: { http01: http01.address, health: health.address, metrics: metrics.address },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([http01.close(), health.close(), metrics.close()]);
    },
  };
}
