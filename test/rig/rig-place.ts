// Where the background world of this checkout is found: the folder .rig with its `env`, and a socket that only a living
// supervisor listens on, so that a stale file is never mistaken for a running world.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

export interface Place {
  readonly dir: string;
  readonly envFile: string;
  readonly logFile: string;
  /** A script that starts a controller in the running world. */
  readonly controllerScript: string;
  readonly socket: string;
}

/** `.rig` in the checkout, or CERTWAY_RIG_DIR for a second world from the same one. */
export function rigPlace(): Place {
  const dir = process.env.CERTWAY_RIG_DIR || join(import.meta.dirname, '../../.rig');
  // Not below .rig: the path of a socket may have about a hundred bytes.
  const key = createHash('sha256').update(dir).digest('hex').slice(0, 12);
  return {
    dir,
    envFile: join(dir, 'env'),
    logFile: join(dir, 'rig.log'),
    controllerScript: join(dir, 'controller'),
    socket: join(tmpdir(), `certway-${userInfo().uid}-${key}.sock`),
  };
}

/** A connection to the running supervisor, or undefined when none runs. */
export async function reach({ socket }: Place): Promise<Socket | undefined> {
  const connection = connect(socket);
  try {
    await once(connection, 'connect');
    return connection;
  } catch {
    connection.destroy();
    return undefined;
  }
}
