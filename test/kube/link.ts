// A TCP link to the API server that a test can cut: connections through it are reset, swallowed or refused, while others get through.

import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Link extends AsyncDisposable {
  readonly kubeconfig: string;
  /** From now on nothing passes, and nobody is told: neither side sees a packet. */
  swallow(): void;
  /** Resets what stands and every new connection. */
  cut(): void;
  mend(): void;
}

type Mood = 'passing' | 'swallowing' | 'cutting';

/** `file` is where the kubeconfig of the link is written: that of `kubeconfig` with the link's address in it. */
export async function openLink(kubeconfig: string, file: string): Promise<Link> {
  const direct = await readFile(kubeconfig, 'utf8');
  const url = /https:\/\/127\.0\.0\.1:(\d+)/.exec(direct);
  if (url?.[1] === undefined) throw new Error(`no loopback server in ${kubeconfig}`);
  const target = Number(url[1]);
  const sockets = new Set<Socket>();
  let mood: Mood = 'passing';
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => mood === 'passing' && to.write(bytes));
      from.on('end', () => mood === 'passing' && to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
    if (mood === 'cutting') near.resetAndDestroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await writeFile(file, direct.replaceAll(url[0], `https://127.0.0.1:${port}`));
  const reset = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    kubeconfig: file,
    swallow: () => {
      mood = 'swallowing';
    },
    cut: () => {
      mood = 'cutting';
      reset();
    },
    // What was swallowed is lost: connections that missed a part of their conversation cannot go on.
    mend: () => {
      mood = 'passing';
      reset();
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      reset();
      await closed;
    },
  };
}
