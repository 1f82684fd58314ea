// When a new list of watched namespaces is worth a new start of Envoy Gateway: not for each of a hundred namespaces that come at once. Called by
// provision/system.ts before it renders.

/** Without another change for so long. */
const quietMs = 500;
/** However many changes come. */
const patienceMs = 5_000;
/** Who makes a Gateway and deletes it, over and over, shall not keep Envoy Gateway starting: after so many starts in a minute, one each ten seconds. */
const spanMs = 60_000;
const freeRenders = 4;
const gapMs = 10_000;

export interface Pace {
  /** As it was rendered last. */
  readonly rendered: readonly string[] | undefined;
  /** As it is now, since `changedAt`; and the first that differed from what is rendered came at `since`. */
  readonly wished: readonly string[];
  readonly changedAt: number;
  readonly since: number;
  /** When a list that differed was rendered, in the last minute. */
  readonly renders: readonly number[];
}

export type Paced =
  | { readonly kind: 'render'; readonly pace: Pace }
  | { readonly kind: 'wait'; readonly pace: Pace; readonly until: number };

/** The first list is rendered at once: nothing runs yet, or what runs has that list already. */
export function paced(before: Pace | undefined, names: readonly string[], now: number): Paced {
  const isSame = (list: readonly string[] | undefined) => list !== undefined && list.join() === names.join();
  const renders = (before?.renders ?? []).filter((at) => at > now - spanMs);
  if (before?.rendered === undefined || isSame(before.rendered)) {
    return { kind: 'render', pace: { rendered: names, wished: names, changedAt: now, since: now, renders } };
  }
  const wasWaiting = before.wished.join() !== before.rendered.join();
  const pace: Pace = {
    rendered: before.rendered,
    wished: names,
    changedAt: isSame(before.wished) ? before.changedAt : now,
    since: wasWaiting ? before.since : now,
    renders,
  };
  const earliest = renders.length < freeRenders ? now : (renders.at(-1) ?? now) + gapMs;
  const until = Math.max(earliest, Math.min(pace.changedAt + quietMs, pace.since + patienceMs));
  if (now < until) return { kind: 'wait', pace, until };
  return {
    kind: 'render',
    pace: { rendered: names, wished: names, changedAt: now, since: now, renders: [...renders, now] },
  };
}
