// The infrastructure half under test, as a process of its own with its ServiceAccount's token and exactly the rights of deploy/infra/. Tests kill it,
// start more of it and read its log.

import { join } from 'node:path';
import { writeKubeconfig } from './kubeconfig.ts';
import { kubectlFor } from './kubectl.ts';
import { listening, stop } from './process.ts';
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
    const address = await listening(part, 'certway infra', readyMs);
    return {
      pid: part.pid,
      logFile: part.logFile,
      exited: part.exited,
      metricsUrl: `http://${address('metrics')}/metrics`,
      healthUrl: `http://${address('health')}`,
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
