// The solver's Service, as a cluster has it: connections go to the replicas in turn, and not to one that does not say that it is ready. Called by
// replicas.test.ts.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Controller } from '../rig/controller.ts';

type Replica = Pick<Controller, 'solverUrl' | 'healthUrl'>;

/** Listens on 127.0.0.1, where the CA knocks. */
export async function startService(port: number, replicas: readonly Replica[]): Promise<AsyncDisposable> {
  let turn = 0;
  const server = createServer(async (socket) => {
    socket.on('error', () => undefined);
    turn += 1;
    const inTurn = replicas.map((_, index) => replicas[(turn + index) % replicas.length]);
    const ready = await Promise.all(inTurn.map(isReady));
    const chosen = inTurn.find((_, index) => ready[index]);
    if (chosen === undefined) socket.destroy();
    else join(socket, new URL(chosen.solverUrl));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { [Symbol.asyncDispose]: async () => void server.close() };
}

/** A process that is stopped takes connections and says nothing. */
async function isReady(replica: Replica | undefined): Promise<boolean> {
  if (replica === undefined) return false;
  const answer = await fetch(`${replica.healthUrl}/readyz`, { signal: AbortSignal.timeout(500) }).catch(
    () => undefined,
  );
  await answer?.body?.cancel();
  return answer?.ok === true;
}

function join(socket: Socket, { port, hostname }: URL): void {
  const onward = connect(Number(port), hostname);
  socket.on('error', () => onward.destroy()).on('close', () => onward.destroy());
  onward.on('error', () => socket.destroy());
  socket.pipe(onward).pipe(socket);
}
