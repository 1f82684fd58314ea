// The Go toolchain: whether it is there and new enough, builds of the pinned modules under tools/, and where a pinned
// module's files lie. Used by build.ts only.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

export interface Build {
  readonly module: string;
  readonly packages: readonly string[];
  readonly ldflags: string;
  /** Go files of our own beside go.mod: a change of theirs is another build. */
  readonly sources?: readonly string[];
}

const tools = join(import.meta.dirname, 'tools');
const oldestMinor = 26;
const remedy = 'install Go 1.26 or newer from https://go.dev/dl and put it on PATH';

/** The toolchain's identity ("go1.26.8 linux amd64"); rejects with one sentence that says what to install. */
export async function goVersion(): Promise<string> {
  const { failed, stdout, stderr, code } = await execa('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH'], {
    cwd: join(tools, 'etcd'),
    reject: false,
  });
  if (code === 'ENOENT') throw new Error(`The test world is built with Go, and there is no "go" here: ${remedy}.`);
  const version = stdout.replaceAll('\n', ' ');
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  const tooOld = Number(major) === 1 && Number(minor) < oldestMinor;
  if (failed || tooOld) {
    const found = stderr === '' ? version : (stderr.split('\n')[0] ?? '');
    throw new Error(`The test world needs Go 1.26 or newer (found: ${found}): ${remedy}.`);
  }
  return version;
}

/** A name for what `build` yields with this toolchain: the same inputs give the same key. */
export async function keyOf(build: Build, toolchain: string): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([toolchain, build, flags]));
  for (const file of ['go.mod', 'go.sum', ...(build.sources ?? [])])
    hash.update(await readFile(join(tools, build.module, file)));
  return hash.digest('hex').slice(0, 16);
}

const flags = ['-trimpath', '-buildvcs=false', '-mod=readonly'];

/** Builds into the directory `out`, which exists; binaries are named after the last element of their package. */
export async function goBuild({ module, packages, ldflags }: Build, out: string): Promise<void> {
  await execa('go', ['build', ...flags, '-ldflags', ldflags, '-o', `${out}/`, ...packages], {
    cwd: join(tools, module),
    env: { CGO_ENABLED: '0' },
  });
}

/** The directory with the unpacked files of the one module that tools/`module` requires, or of the named one; downloads it when missing. */
export async function moduleDirectory(module: string, path?: string): Promise<string> {
  const wanted = path === undefined ? [] : [path];
  const { stdout } = await execa('go', ['mod', 'download', '-json', ...wanted], { cwd: join(tools, module) });
  const answer: unknown = JSON.parse(stdout);
  if (typeof answer === 'object' && answer !== null && 'Dir' in answer && typeof answer.Dir === 'string')
    return answer.Dir;
  throw new Error(`go mod download names no directory for tools/${module}: ${stdout}`);
}
