// Makes private keys on the thread pool, one per core at a time, so that a flood of RSA keys does not starve TLS and signing.

import type { KeyObject } from 'node:crypto';
import { availableParallelism } from 'node:os';
import PQueue from 'p-queue';
import type { PrivateKeySpec } from '../api/certmanager.ts';
import { generateKey } from '../pki/keys.ts';

export type KeyMaker = (spec: PrivateKeySpec) => Promise<KeyObject>;

export function keyMaker(): KeyMaker {
  const queue = new PQueue({ concurrency: availableParallelism() });
  return (spec) => queue.add(() => generateKey(spec));
}
