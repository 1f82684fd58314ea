// The rig's own promises: whatever ends its parent ends the world without a trace, and the background world of
// `npm run up` comes and goes as a whole.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { cached } from '../rig/cache.ts';
import { startTether } from '../rig/tether.ts';
import { until } from '../rig/wait.ts';

const rig = join(import.meta.dirname, '../rig');

interface Held {
  readonly dir: string;
  readonly group: number;
}

async function holder(what: 'world' | 'tether'): Promise<{ child: ChildProcess; held: Held }> {
  const child = fork(join(import.meta.dirname, 'rig-holder.ts'), [what], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [held] = await once(child, 'message');
  return { child, held };
}

/** Living processes of a group: a zombie that nobody collected does not count. */
async function living(group: number): Promise<readonly string[]> {
  const { stdout } = await execa('ps', ['-A', '-o', 'pgid=,stat=,pid=,comm=']);
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return rows.filter(([pgid, stat]) => Number(pgid) === group && !stat?.startsWith('Z')).map((row) => row.join(' '));
}

async function isGone(path: string): Promise<boolean> {
  return access(path).then(
    () => false,
    () => true,
  );
}

async function leavesNothing({ group, dir }: Held): Promise<void> {
  await until('all processes of the group to be gone', async () => (await living(group)).length === 0);
  await until(`${dir} to be gone`, () => isGone(dir));
}

describe('a tether', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
    'ends its parts when its parent gets %s',
    async (signal) => {
      const { child, held } = await holder('tether');
      expect((await living(held.group)).some((row) => row.endsWith('sleep'))).toBe(true);
      child.kill(signal);
      await leavesNothing(held);
    },
  );

  it('ends its parts and lets its owner know when it is killed itself', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'certway-tether-'));
    const tether = await startTether(dir);
    const part = await tether.start({ argv: ['sleep', '600'], logFile: join(dir, 'sleep.log') });
    process.kill(tether.pid, 'SIGKILL');
    expect(await part.exited).toBe(null);
    await until('the part to be gone', async () => (await living(tether.pid)).length === 0);
    await rm(dir, { recursive: true });
  });

  it('reports exit codes, passes words and environment as they are, and keeps logs when asked', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'certway-tether-'));
    const logFile = join(dir, 'part.log');
    const tether = await startTether(dir);
    await writeFile(join(dir, 'data'), 'not a log');
    const argv = ['sh', '-c', 'echo "$WORD $1"; exit 7', 'sh', `it's "$HOME" \\n`];
    const part = await tether.start({ argv, env: { WORD: 'a b' }, logFile });
    expect(await part.exited).toBe(7);
    tether.keepLogs();
    await tether[Symbol.asyncDispose]();
    expect(await readFile(logFile, 'utf8')).toContain(`a b it's "$HOME"`);
    expect(await isGone(join(dir, 'data'))).toBe(true);
    await rm(dir, { recursive: true });
  });
});

it('a world whose parent is killed leaves no process and no file behind', async () => {
  const { child, held } = await holder('world');
  const names = (await living(held.group)).join('\n');
  for (const part of ['etcd', 'kube-apiserver', 'kube-controller', 'pebble']) expect(names).toContain(part);
  child.kill('SIGKILL');
  await leavesNothing(held);
});

it('npm run up and down make a round trip, twice said and once done', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'certway-rig-'));
  const run = (script: string, ...args: readonly string[]) =>
    execa(process.execPath, [join(rig, script), ...args], { env: { CERTWAY_RIG_DIR: dir }, reject: false });
  const up = await run('up.ts', '--no-controller');
  expect(up.stderr).toBe('');
  expect(up.stdout).toContain('export KUBECONFIG=');
  const env = new Map(
    (await readFile(join(dir, 'env'), 'utf8')).split('\n').map((line): [string, string] => {
      const [name = '', value = ''] = line.split('=');
      return [name, value];
    }),
  );
  const { stdout } = await execa(
    env.get('KUBECTL') ?? 'kubectl',
    ['get', 'namespace', 'certway-system', '--output=name'],
    {
      env: { KUBECONFIG: env.get('KUBECONFIG') },
    },
  );
  expect(stdout).toBe('namespace/certway-system');
  expect(env.has('CONTROLLER_PID')).toBe(false);
  expect((await run('up.ts')).stdout).toContain('already runs');

  expect((await run('down.ts')).stdout).toBe('The world has ended.');
  expect(await isGone(env.get('WORLD_DIR') ?? '')).toBe(true);
  expect(await isGone(dir)).toBe(true);
  expect(await run('down.ts')).toMatchObject({ exitCode: 0, stdout: 'No world runs here.' });
});

it('npm run up refuses an option that it does not know', async () => {
  const { exitCode, stderr } = await execa(process.execPath, [join(rig, 'up.ts'), '--no-kontroller'], {
    reject: false,
  });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('--no-kontroller');
});

it('two runs that need the same part build it once', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'certway-cache-'));
  let fills = 0;
  const build = () =>
    cached(
      dir,
      'part',
      async (draft) => {
        fills += 1;
        await writeFile(join(draft, 'binary'), 'x');
      },
      () => undefined,
    );
  const entries = await Promise.all([build(), build()]);
  expect(new Set(entries)).toEqual(new Set([join(dir, 'part')]));
  expect(fills).toBe(1);
  await expect(
    cached(
      dir,
      'other',
      () => Promise.reject(new Error('no compiler')),
      () => undefined,
    ),
  ).rejects.toThrow('no compiler');
  expect(await isGone(join(dir, 'other'))).toBe(true);
  await rm(dir, { recursive: true });
});
