// The controller under test, as a process of its own with its ServiceAccount's token. Tests kill it, start more of it and
// read its log; `npm run up` and the demo start one.

import { join } from 'node:path';
import { listening, stop } from './process.ts';
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
    const address = await listening(part, 'the controller', readyMs);
    const healthUrl = `http://${address('health')}`;
    return {
      pid: part.pid,
      logFile: part.logFile,
      exited: part.exited,
      solverUrl: `http://${address('http01')}`,
      metricsUrl: `http://${address('metrics')}/metrics`,
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
