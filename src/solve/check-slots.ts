// Who may look at a path now. Namespaces take turns, first looks go before repeated ones, and repeated ones never take the last slots: 200 dead names
// cost a living one nothing, whoever has them. Made once in main.ts, held by apply/ around each look.

export interface CheckSlots {
  /** Resolves when it is this look's turn; undefined when `signal` fires first. `tried` counts failures in a row before. */
  enter(namespace: string, tried: number, signal: AbortSignal): Promise<Disposable | undefined>;
  /** Looks under way. */
  readonly taken: number;
}

export interface CheckSlotsOptions {
  /** Looks at once; each is a socket or two. 128 unless told. */
  readonly most?: number;
  /** Of these, for looks that have failed before; half unless told. */
  readonly mostAgain?: number;
}

type Turn = () => void;

export function checkSlots({ most = 128, mostAgain = Math.ceil(most / 2) }: CheckSlotsOptions = {}): CheckSlots {
  const waiting = { first: turns(), again: turns() };
  let taken = 0;
  let takenAgain = 0;
  const next = () => {
    while (taken < most) {
      const turn = waiting.first.take() ?? (takenAgain < mostAgain ? waiting.again.take() : undefined);
      if (turn === undefined) return;
      turn();
    }
  };
  const slot = (lane: 'first' | 'again'): Disposable => {
    let isHeld = true;
    taken += 1;
    if (lane === 'again') takenAgain += 1;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        taken -= 1;
        if (lane === 'again') takenAgain -= 1;
        next();
      },
    };
  };
  return {
    get taken() {
      return taken;
    },
    enter: (namespace, tried, signal) => {
      if (signal.aborted) return Promise.resolve(undefined);
      const lane = tried === 0 ? 'first' : 'again';
      const { promise, resolve } = Promise.withResolvers<Disposable | undefined>();
      const leave = () => {
        waiting[lane].remove(namespace, turn);
        resolve(undefined);
      };
      const turn = () => {
        signal.removeEventListener('abort', leave);
        resolve(slot(lane));
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting[lane].put(namespace, turn);
      next();
      return promise;
    },
  };
}

/** Those who wait, a queue for each namespace; a namespace that was served goes to the end. */
function turns() {
  const queues = new Map<string, Set<Turn>>();
  return {
    put: (namespace: string, turn: Turn) => {
      const queue = queues.get(namespace) ?? new Set();
      queues.set(namespace, queue.add(turn));
    },
    remove: (namespace: string, turn: Turn) => {
      const queue = queues.get(namespace);
      queue?.delete(turn);
      if (queue?.size === 0) queues.delete(namespace);
    },
    take: (): Turn | undefined => {
      for (const [namespace, queue] of queues) {
        queues.delete(namespace);
        const [turn] = queue;
        if (turn === undefined) continue;
        queue.delete(turn);
        if (queue.size > 0) queues.set(namespace, queue);
        return turn;
      }
      return undefined;
    },
  };
}
