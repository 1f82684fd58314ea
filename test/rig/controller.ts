// The controller under test, as a process of its own with its ServiceAccount's token. Tests kill it, start more of it and
// read its log; `npm run up` and the demo start one.

import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { ready } from './part.ts';
import type { Part } from './tether.ts';
import { until } from './wait.ts';
import type { World } from './world.ts';

export interface Controller extends AsyncDisposable {
  readonly pid: number;
  readonly logFile: string;
  readonly solverUrl: string;
  readonly metricsUrl: string;
  readonly healthUrl: string;
  /** Sends the signal and resolves when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** The exit code; 128 + number of the signal that ended it. */
  readonly exited: Promise<number | null>;
}

export interface ControllerOptions {
  /** Come last, so they win over the rig's own. */
  readonly flags?: readonly string[];
  readonly kubeconfig?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a controller needs of its world; a test file gets it from `sharedWorld()` as well. */
export type ControllerSite = Pick<World, 'dir' | 'acme' | 'tether' | 'controllerKubeconfig'> & {
  readonly dns: { readonly address: string };
};

const program = join(import.meta.dirname, '../../bin/certway');
const readyMs = 30_000;
const patienceMs = 10_000;
let started = 0;

/** Starts a controller; resolves when its /readyz is 200, rejects with the end of its log when it exits before. */
export async function startController(site: ControllerSite, options: ControllerOptions = {}): Promise<Controller> {
  const kubeconfig = options.kubeconfig ?? (await site.controllerKubeconfig());
  started += 1;
  const part = await site.tether.start({
    argv: [...controllerCommand(site, kubeconfig), ...(options.flags ?? [])],
    logFile: join(site.dir, `controller-${process.pid}-${started}.log`),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  const end = async (signal: NodeJS.Signals) => {
    process.kill(part.pid, signal);
    await part.exited;
  };
  try {
    const addresses = await listening(part);
    const healthUrl = `http://${addresses.health}`;
    return {
      pid: part.pid,
      logFile: part.logFile,
      exited: part.exited,
      solverUrl: `http://${addresses.http01}`,
      metricsUrl: `http://${addresses.metrics}/metrics`,
      healthUrl,
      kill: end,
      [Symbol.asyncDispose]: () => stop(part),
    };
  } catch (error) {
    await stop(part);
    throw error;
  }
}

/** The command line of a controller in this world, for people and for `startController`. */
export function controllerCommand(
  { acme, dns }: Pick<ControllerSite, 'acme' | 'dns'>,
  kubeconfig: string,
): readonly string[] {
  return [
    program,
    'controller',
    `--kubeconfig=${kubeconfig}`,
    '--enable-gateway-api',
    '--feature-gates=XGatewayAPI=true',
    '--cluster-resource-namespace=certway-system',
    '--leader-election-namespace=certway-system',
    `--acme-http01-listen-address=127.0.0.1:${acme.httpPort}`,
    `--acme-http01-solver-nameservers=${dns.address}`,
    `--acme-http01-self-check-port=${acme.httpPort}`,
    '--metrics-listen-address=127.0.0.1:0',
    '--healthz-listen-address=127.0.0.1:0',
  ];
}

interface Addresses {
  readonly http01: string;
  readonly metrics: string;
  readonly health: string;
}

async function listening(part: Part): Promise<Addresses> {
  let said: Addresses | undefined;
  await ready(part, {
    name: 'the controller',
    deadlineMs: readyMs,
    probe: async () => {
      said ??= (await readFile(part.logFile, 'utf8'))
        .split('\n')
        .map(addressesIn)
        .find((found) => found !== undefined);
      return said !== undefined && (await status(`http://${said.health}/readyz`)) === 200;
    },
  });
  if (said === undefined) throw new Error('ready, but it never said where it listens');
  return said;
}

function addressesIn(line: string): Addresses | undefined {
  if (!line.includes('"listening"')) return undefined;
  const { msg, http01, metrics, health } = JSON.parse(line);
  return msg === 'listening' ? { http01: String(http01), metrics: String(metrics), health: String(health) } : undefined;
}

function status(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}

// A controller that does not end in time when asked is itself a fault, which the log then shows.
async function stop(part: Part): Promise<void> {
  let over = false;
  void part.exited.then(() => {
    over = true;
  });
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(part.pid, signal);
    } catch {
      return; // gone already
    }
    await until('the controller to end', () => over, { deadlineMs: patienceMs }).catch(() => undefined);
    if (over) return;
  }
}
