// The process behind `npm run up`: holds one world and its controller until `npm run down` asks it to stop through its
// socket. up.ts starts it detached, with the rig's own arguments, and hears of its progress over IPC.

import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { type Controller, controllerCommand, startController } from './controller.ts';
import { type Place, reach, rigPlace } from './rig-place.ts';
import { startWorld, type World } from './world.ts';

export type Report =
  | { readonly kind: 'progress'; readonly line: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'already runs' }
  | { readonly kind: 'failed'; readonly why: string };

const { values: args } = parseArgs({
  options: {
    'controller-flag': { type: 'string', multiple: true, default: [] },
    'no-controller': { type: 'boolean', default: false },
  },
});
const place = rigPlace();
const stack = new AsyncDisposableStack();
const report = (said: Report) => {
  if (process.connected) process.send?.(said);
};

let stopping = false;
async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  await stack.disposeAsync();
  await Promise.all([place.envFile, place.controllerScript, place.socket].map((file) => rm(file, { force: true })));
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0));

async function run(): Promise<void> {
  if (!(await claim(place))) {
    report({ kind: 'already runs' });
    process.disconnect?.();
    return;
  }
  const abandoned = () => void stop(1); // Ctrl-C during `up`
  process.on('disconnect', abandoned);
  const world = stack.use(await startWorld({ progress: (line) => report({ kind: 'progress', line }) }));
  const kubeconfig = await world.controllerKubeconfig();
  const command = controllerCommand(world, kubeconfig).concat(args['controller-flag']);
  await writeFile(place.controllerScript, `#!/bin/sh\nexec ${command.map(quote).join(' ')} "$@"\n`, { mode: 0o755 });
  let controller: Controller | undefined;
  if (!args['no-controller']) {
    report({ kind: 'progress', line: 'Starting the controller …' });
    controller = stack.use(await startController(world, { kubeconfig, flags: args['controller-flag'] }));
    void controller.exited.then((code) => console.log(`the controller ended with code ${code}`));
  }
  await writeFile(place.envFile, lines(environment(world, kubeconfig, controller)));
  process.off('disconnect', abandoned);
  report({ kind: 'ready' });
}

/** Listens on the socket, unless another supervisor does. Whoever connects reads our pid, and stops us by writing. */
async function claim({ socket }: Place): Promise<boolean> {
  const other = await reach(place);
  other?.destroy();
  if (other !== undefined) return false;
  await rm(socket, { force: true });
  const server = createServer((connection) => {
    connection.on('error', () => undefined).on('data', () => void stop(0));
    connection.write(`${process.pid}\n`);
  });
  return new Promise((resolve) => {
    server.on('error', () => resolve(false)).listen(socket, () => resolve(true));
  });
}

function environment(
  world: World,
  controllerKubeconfig: string,
  controller: Controller | undefined,
): Readonly<Record<string, string | number>> {
  const running =
    controller === undefined
      ? {}
      : {
          METRICS_URL: controller.metricsUrl,
          HEALTH_URL: controller.healthUrl,
          CONTROLLER_PID: controller.pid,
          CONTROLLER_LOG: controller.logFile,
        };
  return {
    KUBECONFIG: world.kubeconfig,
    KUBECTL: world.kubectl,
    API_URL: world.apiUrl,
    API_CA: world.apiCaFile,
    AUDIT_LOG: world.auditLog,
    ACME_DIRECTORY: world.acme.directory,
    ACME_CA: world.acme.caFile,
    ACME_MANAGEMENT: world.acme.management,
    DNS_SERVER: world.dns.address,
    DNS_CONTROL: world.dns.controlUrl,
    SOLVER_URL: `http://127.0.0.1:${world.acme.httpPort}`,
    CONTROLLER_KUBECONFIG: controllerKubeconfig,
    ...running,
    WORLD_DIR: world.dir,
    RIG_PID: process.pid,
  };
}

function lines(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quote(String(value))}\n`)
    .join('');
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

run().catch(async (error: unknown) => {
  console.error(error);
  report({ kind: 'failed', why: error instanceof Error ? explain(error) : String(error) });
  await stop(1);
});

function explain(error: Error): string {
  return error.cause instanceof Error ? `${error.message}\n${explain(error.cause)}` : error.message;
}
