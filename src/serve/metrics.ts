// /metrics for Prometheus. Started by main.ts on its own port, in every replica, leader or not.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Listening, listen } from './listen.ts';

export interface MetricsOptions {
  readonly listen: string;
  /** A prom-client Registry, or anything that renders itself. */
  readonly registry: { readonly contentType: string; metrics(): Promise<string> };
}

export function startMetrics(options: MetricsOptions): Promise<Listening> {
  return listen(options.listen, (request, response) => {
    render(options, request, response).catch(() => response.destroy());
  });
}

async function render({ registry }: MetricsOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const isMetrics = request.method === 'GET' && request.url?.split('?', 1)[0] === '/metrics';
  const body = isMetrics ? await registry.metrics() : 'not found\n';
  response.writeHead(isMetrics ? 200 : 404, { 'content-type': isMetrics ? registry.contentType : 'text/plain' });
  response.end(body);
}
