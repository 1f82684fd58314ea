// Waiting that its asker may end: a place in the queue, a reading that others share. What is waited for goes on without him. Called by transport.ts.

import type PQueue from 'p-queue';
import type { Reply } from '../api/reply.ts';
import { type AcmeProblem, notSent } from './problem.ts';

/** The value, or a problem that was not sent as soon as the signal says so. */
export async function unlessAborted<T>(
  coming: Promise<Reply<T, AcmeProblem>>,
  signal: AbortSignal | undefined,
): Promise<Reply<T, AcmeProblem>> {
  if (signal === undefined) return coming;
  const { promise: given, resolve } = Promise.withResolvers<Reply<T, AcmeProblem>>();
  const giveUp = () => resolve(notSent(`Given up while waiting: ${String(signal.reason)}`));
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  const first = await Promise.race([coming, given]);
  signal.removeEventListener('abort', giveUp);
  return first;
}

/** Runs `work` in its turn. Given up before that, it does not run; afterwards `work` ends by the signal itself, and knows whether it was sent. */
export function inTurn<T>(
  queue: PQueue,
  signal: AbortSignal | undefined,
  work: () => Promise<Reply<T, AcmeProblem>>,
): Promise<Reply<T, AcmeProblem>> {
  const { promise: begun, resolve: begin } = Promise.withResolvers<Reply<undefined, AcmeProblem>>();
  const whole = queue.add(() => {
    if (signal?.aborted === true) return notSent(`Given up while waiting: ${String(signal.reason)}`);
    begin({ ok: true, value: undefined });
    return work();
  });
  return unlessAborted(Promise.race([begun, whole]), signal).then((first) => (first.ok ? whole : first));
}
