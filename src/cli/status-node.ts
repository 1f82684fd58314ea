// The tree that `certway status` answers with, as text or as JSON: one node for each object on the way from listener to Secret.

import type { Problem, Who } from './status-blame.ts';
import type { Named } from './status-scene.ts';

/** `note`: neither good nor bad. `hidden`: the user may not see it. */
export type Mark = 'good' | 'busy' | 'bad' | 'hidden' | 'note';

export interface ViewNode {
  readonly mark: Mark;
  /** A kind, or a word such as "listener" or "life". */
  readonly what: string;
  readonly name?: string;
  readonly says: string;
  /** RFC 3339; of the life of a certificate, or when something goes on. */
  readonly times?: Readonly<Record<string, string>>;
  readonly problem?: Problem;
  readonly under?: readonly ViewNode[];
}

export interface StatusView {
  readonly object: Named;
  readonly tree: readonly ViewNode[];
  /** What could not be looked at, as sentences without full stops. */
  readonly unseen: readonly string[];
  readonly verdict: {
    readonly state: 'good' | 'missing';
    readonly who: Who;
    readonly sentence: string;
  };
}

/** "2026-03-01 12:00 UTC (in 59 days)". */
export function moment(at: number, now: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC (${distance(at - now)})`;
}

function distance(ms: number): string {
  const size = Math.abs(ms);
  const [count, unit] =
    size >= 172_800_000
      ? [size / 86_400_000, 'days']
      : size >= 7_200_000
        ? [size / 3_600_000, 'hours']
        : size >= 120_000
          ? [size / 60_000, 'minutes']
          : [size / 1000, 'seconds'];
  const span = `${Math.round(count)} ${unit}`;
  return ms < 0 ? `${span} ago` : `in ${span}`;
}
