// Every way in which the API server, or the way to it, can fail us, as one closed union. Converted here once; all callers switch on `kind`.
// Messages are the server's own sentences: they name objects and fields, never payloads.

export interface Cause {
  readonly field?: string;
  readonly message: string;
}

export type KubeProblem =
  | { readonly kind: 'notFound' | 'alreadyExists' | 'conflict' | 'gone' | 'unauthorized'; readonly message: string }
  | { readonly kind: 'forbidden'; readonly message: string }
  /** 400, 413, 415, 422: the same request will fail again. */
  | { readonly kind: 'invalid'; readonly message: string; readonly causes: readonly Cause[] }
  | { readonly kind: 'throttled'; readonly message: string; readonly retryAfterMs: number }
  /** 5xx, refused, reset, timed out. A write may have happened. */
  | { readonly kind: 'unavailable'; readonly message: string }
  /** Refused by our own guard; nothing left the process. It may pass without any event: a claim that was renewed late is good again. */
  | { readonly kind: 'notLeader'; readonly message: string }
  /** Held back because somebody else undoes it each time; nothing left the process. */
  | { readonly kind: 'contested'; readonly message: string };

/** What a failed answer means. `body` is the parsed `Status` object, or whatever text came instead; `retryAfter` the raw header. */
export function problemOf(status: number, body: unknown, retryAfter?: string): KubeProblem {
  const message = text(field(body, 'message')) ?? text(body)?.slice(0, 500) ?? `the API server answered ${status}`;
  switch (status) {
    case 401:
      return { kind: 'unauthorized', message };
    case 403:
      return { kind: 'forbidden', message };
    case 404:
      return { kind: 'notFound', message };
    case 409:
      return { kind: field(body, 'reason') === 'AlreadyExists' ? 'alreadyExists' : 'conflict', message };
    case 410:
      return { kind: 'gone', message };
    case 429:
      return { kind: 'throttled', message, retryAfterMs: retryAfterMs(body, retryAfter) };
    default:
      return status === 408 || status >= 500
        ? { kind: 'unavailable', message }
        : { kind: 'invalid', message, causes: causesOf(body) };
  }
}

/** A problem on the way: refused, reset, timed out, or a stream that broke. */
export function unavailable(message: string): KubeProblem {
  return { kind: 'unavailable', message };
}

/** The sentence of an Error with its causes, which is where undici and TLS put what happened. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  const own = error.message === '' ? error.name : error.message;
  return inner === undefined || inner === null ? own : `${own}: ${sentenceOf(inner)}`;
}

function retryAfterMs(body: unknown, header: string | undefined): number {
  const seconds = Number(header ?? field(field(body, 'details'), 'retryAfterSeconds') ?? 1);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : 1000;
}

function causesOf(body: unknown): readonly Cause[] {
  const causes = field(field(body, 'details'), 'causes');
  if (!Array.isArray(causes)) return [];
  return causes.map((cause) => {
    const at = text(field(cause, 'field'));
    const message = text(field(cause, 'message')) ?? '';
    return at === undefined ? { message } : { field: at, message };
  });
}

function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
