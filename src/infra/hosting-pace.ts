// When a new list of watched namespaces is worth a new start of Envoy Gateway: not for each of a hundred namespaces that come at once. Called by
// provision/system.ts before it renders.

/** Without another change for so long. */
const quietMs = 500;
/** However many changes come. */
const patienceMs = 5_000;

export interface Pace {
  /** As it was rendered last. */
  readonly rendered: readonly string[] | undefined;
  /** As it is now, since `changedAt`; and the first that differed from what is rendered came at `since`. */
  readonly wished: readonly string[];
  readonly changedAt: number;
  readonly since: number;
}

export type Paced =
  | { readonly kind: 'render'; readonly pace: Pace }
  | { readonly kind: 'wait'; readonly pace: Pace; readonly until: number };

/** The first list is rendered at once: nothing runs yet, or what runs has that list already. */
export function paced(before: Pace | undefined, names: readonly string[], now: number): Paced {
  const isSame = (list: readonly string[] | undefined) => list !== undefined && list.join() === names.join();
  if (before?.rendered === undefined || isSame(before.rendered)) {
    return { kind: 'render', pace: { rendered: names, wished: names, changedAt: now, since: now } };
  }
  const wasWaiting = before.wished.join() !== before.rendered.join();
  const pace: Pace = {
    rendered: before.rendered,
    wished: names,
    changedAt: isSame(before.wished) ? before.changedAt : now,
    since: wasWaiting ? before.since : now,
  };
  const until = Math.min(pace.changedAt + quietMs, pace.since + patienceMs);
  if (now < until) return { kind: 'wait', pace, until };
  return { kind: 'render', pace: { rendered: names, wished: names, changedAt: now, since: now } };
}
