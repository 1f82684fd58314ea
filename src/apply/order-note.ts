// What an Order says of its wait in the annotation certway.dev/state: the memory of a wait across a restart. Written by order-writes.ts, read when an
// order is taken up again.

import type { Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import type { Wait } from '../order/state.ts';

/** What the Order says that it waits for. */
export function notedWait(order: Order): Wait | undefined {
  const noted = readNote(order);
  if (noted === undefined) return undefined;
  const { reason, message, attempts, nextAttemptAt, inLine } = noted;
  const until = Date.parse(nextAttemptAt);
  return { reason, message, attempts, until, ...(inLine === true && { inLine }) };
}

/** Undefined too where somebody has edited it: the CA is simply asked again. */
function readNote(order: Order): NotedWait | undefined {
  const text = order.metadata.annotations?.[annotations.state];
  if (text === undefined) return undefined;
  try {
    const noted: unknown = JSON.parse(text);
    return isNoted(noted) ? noted : undefined;
  } catch {
    return undefined;
  }
}

interface NotedWait {
  readonly reason: string;
  readonly message: string;
  readonly nextAttemptAt: string;
  readonly attempts: number;
  readonly inLine?: unknown;
  readonly unpause?: unknown;
}

function isNoted(value: unknown): value is NotedWait {
  if (typeof value !== 'object' || value === null) return false;
  const { reason, message, nextAttemptAt, attempts } = value as Record<string, unknown>;
  return (
    typeof reason === 'string' &&
    typeof message === 'string' &&
    typeof attempts === 'number' &&
    typeof nextAttemptAt === 'string' &&
    !Number.isNaN(Date.parse(nextAttemptAt))
  );
}

/** What the annotation says of a wait, so that a restart does not shorten it; of a pause also which word of a person it is older than. */
export function waitNote(wait: Wait, issuer: Issuer): string {
  const { reason, message, attempts, until, inLine } = wait;
  const unpause = reason === paused ? wordOf(issuer) : undefined;
  return JSON.stringify({ reason, message, attempts, nextAttemptAt: new Date(until).toISOString(), inLine, unpause });
}

const paused = 'CAPaused';

function wordOf({ metadata }: Issuer): string {
  return metadata.annotations?.[annotations.unpause] ?? '';
}

export function isPaused(order: Order): boolean {
  return readNote(order)?.reason === paused;
}

/** Somebody has said since it was noted (certway.dev/unpause on the issuer) that this pause is ended; another one may not be noted yet. */
export function isUnpaused(order: Order, issuer: Issuer, { reason, until }: Wait): boolean {
  const noted = readNote(order);
  if (reason !== paused || noted === undefined || Date.parse(noted.nextAttemptAt) !== until) return false;
  return noted.unpause !== wordOf(issuer);
}
