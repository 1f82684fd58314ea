// `npm run e2e`: the user stories on a real data plane. Checks what the machine must have, builds what is missing, and runs the stories inside
// namespaces of their own, which take every process, mount and network with them however this ends. The last line is "N passed, N failed".

import { spawn } from 'node:child_process';
import { chmod, cp, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { buildEnvoyGateway, buildParts } from '../test/rig/build.ts';
import type { Programs } from '../test/rig/data-plane/images.ts';
import { findEnvoy } from '../test/rig/envoy.ts';
import { crdDir } from '../test/rig/fill-crds.ts';

const cannotRun = 3;
const interrupted = 130;
const prefix = 'certway-e2e-';
const logLines = 15;
const lineLength = 300;
const here = import.meta.dirname;
const tools = ['ip', 'unshare', 'setpriv', 'nsenter', 'chroot', 'mount'];

const { values, positionals } = parseArgs({
  options: { provider: { type: 'string', default: 'local' }, json: { type: 'string' } },
  allowPositionals: true,
});
process.exitCode = await main();

async function main(): Promise<number> {
  const obstacle = await obstacleTo(values.provider);
  if (obstacle !== undefined) {
    console.error(`e2e: ${obstacle}`);
    return cannotRun;
  }
  const tell = (line: string) => console.log(`  e2e: ${line}`);
  await buildParts(tell);
  const root = await realpath(tmpdir());
  await sweep(root);
  const dir = await mkdtemp(join(root, `${prefix}${process.pid}-`));
  const programs: Programs = {
    envoyGateway: await buildEnvoyGateway(tell),
    envoy: await findEnvoy(tell),
    crdDir: await readableCopy(await crdDir(), join(dir, 'crds')),
  };
  const report = values.json ?? join(dir, 'report.json');
  try {
    const code = await inNamespaces({ dir, report, programs: JSON.stringify(programs) });
    const { passed, failed } = await countOf(report, code);
    if (failed > 0) await tellLogs(dir);
    console.log(`${passed} passed, ${failed} failed`);
    if (code === interrupted) return interrupted;
    return failed === 0 && passed > 0 ? 0 : 1;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** One sentence that says what is missing, or nothing. */
async function obstacleTo(provider: string): Promise<string | undefined> {
  if (provider === 'kind') return kindObstacle();
  if (provider !== 'local') return `--provider is local or kind, not ${JSON.stringify(provider)}.`;
  if (process.platform !== 'linux')
    return 'the local data plane needs Linux: it lives in network and mount namespaces.';
  if (process.getuid?.() !== 0)
    return 'the local data plane makes network and mount namespaces and needs root: sudo npm run e2e.';
  for (const tool of tools) {
    if (!(await exists(tool))) return `there is no "${tool}" on PATH: install util-linux, coreutils and iproute2.`;
  }
  return undefined;
}

async function kindObstacle(): Promise<string> {
  const docker = await execa('docker', ['info'], { reject: false });
  return docker.failed
    ? '--provider kind needs Docker, and none answers here: start Docker and install kind, or run with --provider local.'
    : 'the stories have no kind provider yet: run them with --provider local.';
}

/** Of runs that were killed outright: their processes and mounts went with them, their folders did not. */
async function sweep(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(root, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function exists(tool: string): Promise<boolean> {
  return !(await execa('sh', ['-c', 'command -v "$1"', 'sh', tool], { reject: false })).failed;
}

interface Inner {
  readonly dir: string;
  readonly report: string;
  readonly programs: string;
}

// As process 1 of its namespace, vitest takes all others with it; and the kernel ends it when we end.
async function inNamespaces({ dir, report, programs }: Inner): Promise<number> {
  const namespaces = ['--net', '--mount', '--propagation=private', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const vitest = [
    join(here, '../node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    join(here, '../vitest.e2e.config.ts'),
  ];
  const reporters = ['--reporter=verbose', '--reporter=json', `--outputFile.json=${report}`];
  const inner = [process.execPath, ...vitest, ...reporters, ...positionals];
  const child = spawn('setpriv', ['--pdeathsig=KILL', 'unshare', ...namespaces, ...inner], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CERTWAY_E2E_DIR: dir, CERTWAY_E2E_PROGRAMS: programs },
    detached: true, // Ctrl-C reaches us alone, and we end it all at once
  });
  let ended = 1;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      ended = interrupted;
      child.kill('SIGKILL');
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', (code) => resolve(code ?? ended));
  });
}

/** As in an image: whoever a Pod runs as can read it. */
async function readableCopy(from: string, to: string): Promise<string> {
  await cp(from, to, { recursive: true });
  await chmod(to, 0o755);
  return to;
}

interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** A run that ended without a report, or failed outside its stories, counts as one failure. */
async function countOf(file: string, code: number): Promise<{ passed: number; failed: number }> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const report: Report = text === undefined ? { testResults: [] } : JSON.parse(text);
  const statuses = report.testResults.flatMap((suite) => suite.assertionResults.map(({ status }) => status));
  const count = (wanted: string) => statuses.filter((status) => status === wanted).length;
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  const failed = count('failed') + broken.length;
  return { passed: count('passed'), failed: failed === 0 && code !== 0 ? 1 : failed };
}

/** What the set-up left there when a story failed: the ends of the logs. */
async function tellLogs(dir: string): Promise<void> {
  const kept = join(dir, 'logs');
  for (const name of await readdir(kept).catch(() => [])) {
    const lines = (await readFile(join(kept, name), 'utf8')).split('\n').slice(-logLines);
    console.log([`--- ${name}`, ...lines.map((line) => line.slice(0, lineLength))].join('\n'));
  }
}
