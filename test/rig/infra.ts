// The infrastructure half under test, as a process of its own with its ServiceAccount's token and exactly the rights of deploy/infra/. Tests kill it,
// start more of it and read its log.

import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { writeKubeconfig } from './kubeconfig.ts';
import { kubectlFor } from './kubectl.ts';
import { ready } from './part.ts';
import type { Part } from './tether.ts';
import { until } from './wait.ts';
import type { World } from './world.ts';

export interface Infra extends AsyncDisposable {
  readonly pid: number;
  readonly logFile: string;
  readonly metricsUrl: string;
  readonly healthUrl: string;
  /** Sends the signal and resolves when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** The exit code; 128 + number of the signal that ended it. */
  readonly exited: Promise<number | null>;
}

export interface InfraOptions {
  /** Come last, so they win over the rig's own. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export type InfraSite = Pick<World, 'dir' | 'tether' | 'kubeconfig' | 'kubectl' | 'apiUrl' | 'apiCaFile'>;

const program = join(import.meta.dirname, '../../bin/certway');
const tokenLifetime = '720h';
const readyMs = 90_000;
const patienceMs = 10_000;
let started = 0;

/** Starts `certway infra`; resolves when its /readyz is 200, rejects with the end of its log when it exits before. */
export async function startInfra(site: InfraSite, options: InfraOptions = {}): Promise<Infra> {
  const kubeconfig = await accountKubeconfig(site, 'certway-infra');
  started += 1;
  const part = await site.tether.start({
    argv: [...infraCommand(kubeconfig), ...(options.flags ?? [])],
    logFile: join(site.dir, `infra-${process.pid}-${started}.log`),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  try {
    const addresses = await listening(part);
    return {
      pid: part.pid,
      logFile: part.logFile,
      exited: part.exited,
      metricsUrl: `http://${addresses.metrics}/metrics`,
      healthUrl: `http://${addresses.health}`,
      kill: async (signal) => {
        process.kill(part.pid, signal);
        await part.exited;
      },
      [Symbol.asyncDispose]: () => stop(part),
    };
  } catch (error) {
    await stop(part);
    throw error;
  }
}

/** The command line, for people and for `startInfra`. */
export function infraCommand(kubeconfig: string): readonly string[] {
  return [
    program,
    'infra',
    `--kubeconfig=${kubeconfig}`,
    '--metrics-listen-address=127.0.0.1:0',
    '--healthz-listen-address=127.0.0.1:0',
  ];
}

/** A kubeconfig with a fresh token of a ServiceAccount in certway-system. */
export async function accountKubeconfig(site: InfraSite, account: string): Promise<string> {
  const token = await kubectlFor(site).run([
    'create',
    'token',
    account,
    '--namespace=certway-system',
    `--duration=${tokenLifetime}`,
  ]);
  const server = { url: site.apiUrl, caFile: site.apiCaFile };
  return writeKubeconfig(join(site.dir, `${account}.kubeconfig`), server, { kind: 'token', token });
}

interface Addresses {
  readonly metrics: string;
  readonly health: string;
}

async function listening(part: Part): Promise<Addresses> {
  let said: Addresses | undefined;
  await ready(part, {
    name: 'certway infra',
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
  const { msg, metrics, health } = JSON.parse(line);
  return msg === 'listening' ? { metrics: String(metrics), health: String(health) } : undefined;
}

function status(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}

// One that does not end in time when asked is itself a fault, which the log then shows.
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
    await until('certway infra to end', () => over, { deadlineMs: patienceMs }).catch(() => undefined);
    if (over) return;
  }
}
