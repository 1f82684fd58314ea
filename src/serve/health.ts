// /livez and /readyz for the kubelet: 200 «ok», or 503 with one reason per line. Started by main.ts, which supplies the reasons.
// Being no leader is neither: a follower is alive, and ready as soon as its caches are.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Listening, listen } from './listen.ts';

export interface HealthOptions {
  readonly listen: string;
  /** Why the process should be restarted, such as a leader's loop without progress; empty is well. */
  readonly livez: () => readonly string[];
  /** Why it should get no requests yet, such as caches that are not filled; empty is ready. */
  readonly readyz: () => readonly string[];
  /** Mean delay of the event loop since the last look that counts as dead; 1 s unless told. */
  readonly mostLagMs?: number;
}

const resolutionMs = 50;

export async function startHealth(options: HealthOptions): Promise<Listening> {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  const lag = (): readonly string[] => {
    // The mean, as one long pause (a large list, a collection) is no reason to die; NaN until the first sample.
    const mean = delays.mean / 1e6 - resolutionMs;
    delays.reset();
    return mean > (options.mostLagMs ?? 1000) ? [`the event loop is ${Math.round(mean)} ms late on average`] : [];
  };
  const server = await listen(options.listen, (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path === '/livez') return report(request, response, [...lag(), ...options.livez()]);
    if (path === '/readyz') return report(request, response, options.readyz());
    write(request, response, 404, 'not found\n');
  });
  const close = async () => {
    delays.disable();
    await server.close();
  };
  return { ...server, close, [Symbol.asyncDispose]: close };
}

function report(request: IncomingMessage, response: ServerResponse, reasons: readonly string[]): void {
  if (reasons.length === 0) write(request, response, 200, 'ok\n');
  else write(request, response, 503, `${reasons.join('\n')}\n`);
}

function write(request: IncomingMessage, response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : body);
}
