// A rehearsal: the order is proven at another directory of the CA, step by step as at its own, and never finalized there. Only then does its own CA
// hear of it. Called by step.ts, which takes the steps in between.

import type { OrderEffect, OrderFact, OrderState, Rehearsing, Staged, Wait } from './state.ts';

type Cleared = OrderFact & { readonly kind: 'cleared' };

/** The path of every name answered; what was counted in an earlier rehearsal goes on. */
export function rehearsing(
  state: OrderState & { readonly kind: 'intended' },
  { walked }: Cleared,
  { directory, url }: NonNullable<Cleared['rehearse']>,
  now: number,
): Rehearsing {
  const { plain, wait } = state;
  const known = { ...(walked && { walked: true as const }) };
  return {
    kind: 'rehearsing',
    directory,
    // Nothing is replaced there.
    rehearsal:
      url === undefined ? { kind: 'cleared', at: now, plain: true, ...known } : { kind: 'known', url, ...known },
    failures: wait?.reason === failed ? wait.attempts : 0,
    ...known,
    ...(plain && { plain }),
    ...(wait !== undefined && { wait }),
  };
}

/** The order as it stands before the other directory. */
export function insideOf({ rehearsal, wait }: Rehearsing): Staged {
  return wait === undefined || rehearsal.kind === 'issued' || rehearsal.kind === 'failed'
    ? rehearsal
    : { ...rehearsal, wait };
}

/** The state after a step there. What would ask the other CA anew begins anew: the path is walked again, and an order that nobody uses costs nothing. */
export function rehearsed(state: Rehearsing, after: OrderState, now: number): OrderState {
  if (after.kind === 'rehearsing') return state;
  const { wait: _, ...rest } = state;
  const wait = 'wait' in after && after.wait !== undefined ? { wait: marked(shortened(after.wait, now), state) } : {};
  if (after.kind === 'intended') {
    return { kind: 'intended', asked: 'no', ...(state.plain && { plain: state.plain }), ...wait };
  }
  return { ...rest, rehearsal: unwaiting(after), ...wait };
}

/** What is to be done when it is over there; undefined while it is not. */
export function endOf({ rehearsal, directory }: Rehearsing): OrderEffect | undefined {
  switch (rehearsal.kind) {
    case 'ready':
    case 'finalizing':
    case 'downloadable':
    case 'issued':
      return { kind: 'closeRehearsal', end: { directory }, authorizations: rehearsal.order.authorizations };
    case 'failed':
      return { kind: 'closeRehearsal', end: { directory, failure: rehearsal.reason }, authorizations: [] };
    default:
      return undefined;
  }
}

/** Its end is on record: the order is the CA's own now, or waits and is rehearsed again. */
export function afterClosing(state: Rehearsing, fact: OrderFact, now: number): OrderState {
  if (fact.kind !== 'done') return state;
  const { rehearsal, directory, failures, walked, plain } = state;
  const kept = { ...(plain && { plain }) };
  if (rehearsal.kind !== 'failed') return { kind: 'cleared', at: now, ...(walked && { walked }), ...kept };
  const reason = rehearsal.reason.replace(/[.\s]*$/, '.');
  const message = `The rehearsal at ${hostOf(directory)} failed: ${reason} The issuer’s own CA has not been asked.`;
  const wait: Wait = { until: now + backOff(failures), reason: failed, message, attempts: failures + 1 };
  return { kind: 'intended', asked: 'no', ...kept, wait };
}

const failed = 'RehearsalFailed';
/** With a host and a colon behind it. */
export const rehearsalMark = 'Rehearsal at';

/** Ten seconds at first, an hour at most: whoever mends what was wrong is noticed before. */
function backOff(failures: number): number {
  return Math.min(3_600_000, 10_000 * 2 ** Math.min(failures, 20));
}

/** Whether it is still to be rehearsed is asked again then: the certificate may have no more time, whatever the other CA says. */
export function shortened(wait: Wait, now: number): Wait {
  return { ...wait, until: Math.min(wait.until, now + 3_600_000) };
}

/** People shall see that it is not the issuer's own CA that is meant. */
export function marked(wait: Wait, { directory }: Pick<Rehearsing, 'directory'>): Wait {
  const prefix = `${rehearsalMark} ${hostOf(directory)}: `;
  return wait.message.startsWith(prefix) ? wait : { ...wait, message: `${prefix}${wait.message}` };
}

/** As people know it. */
export function hostOf(directory: string): string {
  return URL.canParse(directory) ? new URL(directory).host : directory;
}

function unwaiting(state: Staged): Staged {
  if (!('wait' in state)) return state;
  const { wait: _, ...rest } = state;
  return rest;
}
