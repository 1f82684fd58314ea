// The Internet of the stories: the ACME server under a name and an address of its own, reachable from Pods. Called by set-up.ts.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { World } from '../test/rig/world.ts';

const host = 'acme.test';
const address = '203.0.113.10';

/** Carries https://acme.test to Pebble on loopback; answers the directory's URL. It ends with this process. */
export async function publishAcme(world: World, addAddress: (address: string) => Promise<void>): Promise<string> {
  const { port, pathname } = new URL(world.acme.directory);
  await addAddress(address);
  const server = createServer((socket) => {
    const onward = connect({ host: '127.0.0.1', port: Number(port) });
    onward.on('error', () => socket.destroy()).on('close', () => socket.destroySoon());
    socket.on('error', () => onward.destroy()).on('close', () => onward.destroySoon());
    socket.pipe(onward).pipe(socket);
  });
  server.listen(443, address).unref();
  await once(server, 'listening');
  world.dns.set(host, [address]);
  return `https://${host}${pathname}`;
}
