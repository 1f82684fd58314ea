// The container of a Pod: a mount namespace with a root file system of its own (this machine's, under a layer that vanishes with it) and the
// Pod's volumes and network namespace. Written as a shell script, because each step ends in exec: the process the tether knows is the program.

import { writeFile } from 'node:fs/promises';

export interface Sandbox {
  /** Path in the container → path here; a file or a folder. */
  readonly mounts: ReadonlyMap<string, string>;
  readonly environment: ReadonlyMap<string, string>;
  readonly argv: readonly string[];
  readonly user: number;
  readonly group: number;
  /** Lines of /etc/resolv.conf. */
  readonly resolv: readonly string[];
}

/** Writes the script to `file` and answers the command that runs it in the network namespace; `dir` is an empty folder for its root. */
export async function sandboxed(
  file: string,
  dir: string,
  network: string,
  sandbox: Sandbox,
): Promise<readonly string[]> {
  await writeFile(file, script(dir, sandbox), { mode: 0o700 });
  return ['ip', 'netns', 'exec', network, 'unshare', '--mount', '--propagation=private', '/bin/sh', '-e', file];
}

function script(dir: string, { mounts, environment, argv, user, group, resolv }: Sandbox): string {
  const root = `${dir}/root`;
  const settings = [...environment].map(([name, value]) => quote(`${name}=${value}`));
  return [
    `mount -t tmpfs -o mode=755 certway ${quote(dir)}`,
    `mkdir ${quote(root)} ${quote(`${dir}/upper`)} ${quote(`${dir}/work`)}`,
    `mount -t overlay -o ${quote(`lowerdir=/,upperdir=${dir}/upper,workdir=${dir}/work`)} overlay ${quote(root)}`,
    ...['proc', 'dev', 'sys'].map((name) => `mount --rbind /${name} ${quote(`${root}/${name}`)}`),
    `mount -t tmpfs -o mode=1777 certway ${quote(`${root}/tmp`)}`,
    // Here it is an absolute link, which would lead a mount below it out of the root.
    `rm -rf ${quote(`${root}/var/run`)} ${quote(`${root}/etc/resolv.conf`)}`,
    `mkdir ${quote(`${root}/var/run`)}`,
    `printf '%s\\n' ${resolv.map(quote).join(' ')} >${quote(`${root}/etc/resolv.conf`)}`,
    ...[...mounts].flatMap(([inside, outside]) => bind(`${root}${inside}`, outside)),
    `exec chroot --userspec=${user}:${group} ${quote(root)} /usr/bin/env -i ${[...settings, ...argv.map(quote)].join(' ')}`,
    '',
  ].join('\n');
}

function bind(target: string, source: string): readonly string[] {
  const [to, from] = [quote(target), quote(source)];
  return [
    `if [ -d ${from} ]; then mkdir -p ${to}; elif [ ! -e ${to} ]; then mkdir -p "$(dirname ${to})"; : >${to}; fi`,
    `mount --bind ${from} ${to}`,
  ];
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
