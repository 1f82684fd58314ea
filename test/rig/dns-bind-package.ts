// BIND's `named`: the one on this machine, or Debian's packages unpacked into the cache, so that no system service is installed and no root
// is needed. Called by dns-bind.ts.

import { readdir, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { cached } from './cache.ts';

export interface Named {
  readonly binary: string;
  readonly env: Readonly<Record<string, string>>;
}

const usualPlaces = ['/usr/sbin/named', '/usr/local/sbin/named', '/opt/homebrew/sbin/named'];
const remedy =
  'The DNS tests need BIND 9: as root «apt-get install bind9» (or your system’s package), or «apt-get update» where apt has no package lists yet';

/** Downloads two megabytes the first time. Rejects with a sentence that says what to install. */
export async function findNamed(): Promise<Named> {
  for (const binary of usualPlaces) {
    if (await exists(binary)) return { binary, env: {} };
  }
  const version = await candidate();
  const root = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'certway');
  const dir = await cached(root, `bind9-${version.replaceAll(/[^\w.-]/g, '_')}`, unpack, () => undefined);
  const libraries = await Promise.all(['usr/lib', 'lib'].map((place) => folders(join(dir, place))));
  return { binary: join(dir, 'usr/sbin/named'), env: { LD_LIBRARY_PATH: libraries.flat().join(':') } };
}

async function candidate(): Promise<string> {
  const { stdout, failed } = await execa('apt-cache', ['show', '--no-all-versions', 'bind9'], { reject: false });
  const version = failed ? undefined : /^Version: (.*)$/m.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`${remedy}.`);
  return version;
}

async function unpack(dir: string): Promise<void> {
  try {
    await execa('apt-get', ['download', 'bind9', ...(await missingLibraries())], { cwd: dir });
  } catch (cause) {
    throw new Error(`${remedy}; the packages could not be downloaded.`, { cause });
  }
  for (const file of (await readdir(dir)).filter((name) => name.endsWith('.deb'))) {
    await execa('dpkg', ['-x', file, '.'], { cwd: dir });
    await rm(join(dir, file));
  }
}

/** The libraries that named needs, without those that the machine has. */
async function missingLibraries(): Promise<readonly string[]> {
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((kind) => `--no-${kind}`);
  const direct = await execa('apt-cache', ['depends', ...only, 'bind9']);
  const below = await execa('apt-cache', ['depends', '--recurse', ...only, 'bind9-libs']);
  const wanted = [
    ...[...direct.stdout.matchAll(/^ +Depends: (lib[\w.+-]+)$/gm)].map(([, name = '']) => name),
    ...below.stdout.split('\n').filter((line) => /^(lib|zlib|bind9-libs)[\w.+-]*$/.test(line)),
  ];
  const { stdout } = await execa('dpkg', ['--list'], { reject: false });
  const installed = new Set([...stdout.matchAll(/^ii +([\w.+-]+)/gm)].map(([, name]) => name));
  return [...new Set(wanted)].filter((name) => !installed.has(name));
}

/** `dir` and the folders in it: libraries lie in one that is named after the machine's architecture. */
async function folders(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return [dir, ...entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(dir, name))];
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
