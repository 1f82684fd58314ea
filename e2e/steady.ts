// Clients that never stop asking while something is changed under them: one on a connection that it keeps, one that connects anew each time.
// Called by the stories that promise no failed request.

import { Agent as HttpAgent, request as http } from 'node:http';
import { Agent as HttpsAgent, request as https } from 'node:https';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../test/rig/wait.ts';

export interface Site {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  readonly path: string;
  /** PEM of the roots to trust; absent: plain HTTP. */
  readonly roots?: string;
}

export interface Steady extends AsyncDisposable {
  /** Resolves when each client has had that many more good answers. */
  served(count: number): Promise<void>;
  /** Every request that did not get 200, as it was told. */
  failures(): readonly string[];
  /** How many connections the client that keeps its own has opened. */
  connections(): number;
}

const paceMs = 25;
const patienceMs = 5_000;
const servedMs = 60_000;

/** Starts both clients; they end with the returned value. */
export function steady(site: Site): Steady {
  const failed: string[] = [];
  const counts = { kept: 0, fresh: 0 };
  let ended = false;
  const keeper = countingAgent(site);
  const loop = async (client: keyof typeof counts, agent: Asking['agent']) => {
    while (!ended) {
      try {
        await ask(site, agent);
        counts[client] += 1;
      } catch (error) {
        failed.push(`${new Date().toISOString()} ${client}: ${error instanceof Error ? error.message : String(error)}`);
      }
      await pause(paceMs);
    }
  };
  const loops = [loop('kept', keeper.agent), loop('fresh', false)];
  return {
    served: async (count) => {
      const goal = { kept: counts.kept + count, fresh: counts.fresh + count };
      const there = () => counts.kept >= goal.kept && counts.fresh >= goal.fresh;
      await until(`${count} more answers for each client`, () => there() || failed.length > 0, {
        deadlineMs: servedMs,
      });
    },
    failures: () => failed,
    connections: () => keeper.opened(),
    [Symbol.asyncDispose]: async () => {
      ended = true;
      await Promise.all(loops);
      keeper.agent.destroy();
    },
  };
}

interface Asking {
  readonly agent: HttpAgent | HttpsAgent | false;
}

/** One GET; answers the body of a 200 and rejects for everything else. */
export function ask({ address, port, host, path, roots }: Site, agent: Asking['agent'] = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const common = { host: address, port, path, headers: { host }, agent, timeout: patienceMs };
    const asking = roots === undefined ? http(common) : https({ ...common, ca: roots, servername: host });
    asking.on('response', (response) => {
      const { statusCode } = response;
      const taken = (body: string) =>
        statusCode === 200 ? resolve(body) : reject(new Error(`${statusCode} ${body.slice(0, 80)}`));
      text(response).then(taken, reject);
    });
    asking.on('timeout', () => asking.destroy(new Error(`no answer within ${patienceMs} ms`))).on('error', reject);
    asking.end();
  });
}

function countingAgent({ roots }: Site) {
  const options = { keepAlive: true, maxSockets: 1 };
  const agent = roots === undefined ? new HttpAgent(options) : new HttpsAgent(options);
  let opened = 0;
  const open = agent.createConnection.bind(agent);
  agent.createConnection = (...args: Parameters<typeof open>): Duplex | null | undefined => {
    opened += 1;
    return open(...args);
  };
  return { agent, opened: () => opened };
}
