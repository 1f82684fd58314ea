// Spreads what would otherwise happen at once over the time that there is: the same for the same seed, so that restarts and replicas agree. Called by
// the other renewal files of this folder.

import { createHash } from 'node:crypto';

/** In [0, 1), evenly over seeds, the same for the same seed. */
export function fraction(seed: string): number {
  return createHash('sha256').update(seed).digest().readUInt32BE(0) / 2 ** 32;
}

export interface Life {
  /** Epoch ms. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const hour = 3_600_000;

/**
 * By how much a moment that leaves `rest` ms of the life is brought forward, at most: an hour, or a fiftieth of what is left where that is less.
 * `wide`: a fiftieth of the whole life, as Boulder's own windows are, so that 2,000 certificates of 90 days that were made in one hour come
 * due over 43 hours: one in 78 s, where the tightest limit that is known gives one in 36 s.
 */
export function mostEarly(life: Life, rest: number, width: 'narrow' | 'wide'): number {
  return width === 'wide' ? (life.notAfter - life.notBefore) / 50 : Math.min(hour, Math.max(0, rest) / 50);
}

/** The last twentieth of the life, in which a certificate is renewed whatever its CA suggests; begun earlier by up to a hundredth. */
export function emergencyAt({ notBefore, notAfter }: Life, seed: string): number {
  const life = notAfter - notBefore;
  return notAfter - life / 20 - (fraction(seed) * life) / 100;
}
