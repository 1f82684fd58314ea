// How values of other people's making are quoted in sentences that end up in events. Called wherever resolve/ refuses something.

/** In quotes, without control or direction characters, cut where it is long: it came from an annotation that anyone may write. */
export function quoted(value: string): string {
  const short = value.length > 100 ? `${value.slice(0, 100)}…` : value;
  return JSON.stringify(short).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
}

/** "a", "a and b", "a, b and c". */
export function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

/** A bad value of an annotation, in the one form that all of them have: which, what stands there, what may. */
export function badValue(key: string, value: string, accepts: string): string {
  return `Annotation ${key} is ${quoted(value)}; accepted is ${accepts}.`;
}
