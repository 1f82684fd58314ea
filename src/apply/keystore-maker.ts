// Makes and tries keystores, one at a time: their key derivations are pure computation in this thread, 1 to 2 ms at a stretch, and
// several at once would add up to a loop that stands still. Made once in main.ts.

import PQueue from 'p-queue';
import { makeKeystores, unfitKeystores } from '../keystore/keystores.ts';

export interface KeystoreMaker {
  readonly make: typeof makeKeystores;
  readonly unfit: typeof unfitKeystores;
}

export function keystoreMaker(): KeystoreMaker {
  const queue = new PQueue({ concurrency: 1 });
  return {
    make: (...terms) => queue.add(() => makeKeystores(...terms)),
    unfit: (...terms) => queue.add(() => unfitKeystores(...terms)),
  };
}
