// Readers for untrusted JSON: each gives the value if it is what its name says, else undefined. Called by the parsers of this folder only.

/** undefined when the bytes are not JSON in UTF-8. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

/** An own member of an object; inherited names such as `constructor` do not count. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

export function readText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** RFC 3339, as epoch ms. */
export function readTime(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d[Tt]/.test(value)) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}

/** One of the given words. */
export function readWord<W extends string>(words: readonly W[], value: unknown): W | undefined {
  return words.find((word) => word === value);
}

/** The readable members of an array; those that `read` does not know are left out. */
export function listOf<T>(value: unknown, read: (member: unknown) => T | undefined): readonly T[] | undefined {
  return Array.isArray(value) ? value.map(read).filter((member) => member !== undefined) : undefined;
}

/** As listOf, but one unreadable member spoils the list. */
export function strictListOf<T>(value: unknown, read: (member: unknown) => T | undefined): readonly T[] | undefined {
  const members = listOf(value, read);
  return Array.isArray(value) && members?.length === value.length ? members : undefined;
}

/** An absolute https URL (http on loopback) without credentials, as it was written: CAs compare URLs as strings (RFC 8555 §6.4). */
export function readUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 2048 || !/^[\x21-\x7e]+$/.test(value)) return undefined;
  const url = URL.parse(value);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  if (url.protocol === 'https:') return value;
  return url.protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname) ? value : undefined;
}

/** Names the members that a parser could not read, for a problem's detail. */
export function unreadable(what: string, members: Readonly<Record<string, unknown>>): string {
  const missing = Object.keys(members).filter((name) => members[name] === undefined);
  return `The CA's reply is no ${what}: ${missing.join(', ')} missing or malformed.`;
}
