// Brings the wait of an order up to what the line says, and to what people have said since: called when either reconciler observes, so that whoever is
// woken goes on, and an estimate that has moved is told.

import type { Issuer } from '../api/certmanager.ts';
import type { Order } from '../api/order.ts';
import { hostOf, marked, rehearsalMark } from '../order/rehearsal.ts';
import type { OrderState, Wait } from '../order/state.ts';
import type { RehearsalPlace } from '../plan/rehearsal.ts';
import { isUnpaused } from './order-note.ts';
import type { OrderAttempt } from './order-turn.ts';
import type { Ports } from './ports.ts';
import { issuerThere, orderThere, placeFor } from './rehearsal-turn.ts';

function isAbout(state: OrderState, { message }: Wait, place: RehearsalPlace): boolean {
  if (place.kind !== 'at') return false;
  if (state.kind === 'rehearsing') return state.directory === place.directory;
  return message.startsWith(`${rehearsalMark} ${hostOf(place.directory)}: `);
}

/** Other waits are not the line's: the CA, or a path, has its own time. */
export function recall(
  ports: Pick<Ports, 'accounts' | 'budgets' | 'now' | 'settings' | 'stores'>,
  order: Order,
  issuer: Issuer | undefined,
  attempt: OrderAttempt,
): void {
  const state = attempt.order;
  if (issuer === undefined || state === undefined || !('wait' in state) || state.wait === undefined) return;
  const { wait } = state;
  const now = ports.now();
  const isThere = state.kind === 'rehearsing';
  const rehearsal = isThere || wait.message.startsWith(rehearsalMark) ? placeFor(ports, issuer) : undefined;
  // Nobody wants it there any more.
  if (rehearsal !== undefined && !isAbout(state, wait, rehearsal)) {
    attempt.order = { ...state, wait: { ...wait, until: now } };
    return;
  }
  const counted = rehearsal?.kind === 'at' ? issuerThere(ports, issuer, rehearsal.directory) : issuer;
  if (wait.until > now && isUnpaused(order, issuer, wait)) {
    ports.budgets.acted(counted);
    attempt.order = { ...state, wait: { ...wait, until: now } };
  } else if (rehearsal !== undefined && ports.budgets.isCalled(counted)) {
    attempt.order = { ...state, wait: { ...wait, until: now } };
  } else if (wait.inLine === true) {
    const place = ports.budgets.place(isThere ? orderThere(order) : order, counted);
    // Who stands there no more asks again.
    const waits = place !== undefined && place !== 'admitted' ? { ...wait, ...place } : { ...wait, until: now };
    const until = Math.min(waits.until, wait.until > now ? wait.until : now + 3_600_000);
    attempt.order = { ...state, wait: isThere ? marked({ ...waits, until }, state) : waits };
  }
}
