// Decides whether cert-manager's Gateway shim undoes what Certway writes to a listener's Certificate. Called by apply/shims.ts before a write.
// Judged by managedFields: who wrote last, as the API server itself notes it, to the second.

import type { ManagedFields } from '../api/meta.ts';

export interface ShimSeen {
  readonly managedFields: readonly ManagedFields[];
  /** Somebody has changed it since our own last write, as far as this process remembers. */
  readonly edited: 'since' | 'not since' | 'unknown';
  /** A cert-manager that is at work, and since when, epoch ms. */
  readonly rival?: { readonly since: number };
}

/** The field manager under which our PUTs stand: the user agent's first word. */
export const ourManager = 'certway-controller';
const shims = ['cert-manager-gateway-shim', 'cert-manager-listenerset'] as const;
// A cert-manager without a Lease of the known name cannot be seen to go: its shim is believed at work for as long.
const believedMs = 24 * 3_600_000;

/** The name of the shim that has written over us and may do so again; `now` in epoch ms. */
export function contestingShim({ managedFields, edited, rival }: ShimSeen, now: number): string | undefined {
  const written = managedFields.filter(({ subresource = '' }) => subresource === '');
  const ours = lastOf(written, ourManager);
  // It has never been ours: what a shim made before a move is taken over once.
  if (ours === undefined) return undefined;
  return shims.find((shim) => {
    const theirs = lastOf(written, shim);
    if (theirs === undefined) return false;
    const isOver = theirs > ours || (theirs === ours && edited === 'since');
    // Whoever has started since may run without its shim.
    const mayAgain = rival === undefined ? now - theirs < believedMs : theirs >= Math.floor(rival.since / 1000) * 1000;
    return isOver && mayAgain;
  });
}

function lastOf(written: readonly ManagedFields[], manager: string): number | undefined {
  const times = written.filter((each) => each.manager === manager).map(({ time = '' }) => Date.parse(time));
  return times.length === 0 ? undefined : Math.max(...times);
}
