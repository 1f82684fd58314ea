// Every way in which a DNS server, or a provider's API, can fail us, as one closed union; all callers of this folder switch on `kind`.
// Messages end in conditions: whole sentences, the same at each try, without anything secret.

export type DnsProblem =
  /** Credentials or rights: the same request fails until somebody changes something. */
  | { readonly kind: 'refused'; readonly message: string }
  /** What the issuer says cannot work: the sentence names the field, or the Secret and key. */
  | { readonly kind: 'misconfigured'; readonly message: string }
  /** `retryAt` in epoch ms. */
  | { readonly kind: 'rateLimited'; readonly message: string; readonly retryAt: number }
  /** The other side answered, but not usefully. */
  | { readonly kind: 'unavailable'; readonly message: string }
  /** No answer. What was asked for may have happened. */
  | { readonly kind: 'network'; readonly message: string };

export type Failed = { readonly ok: false; readonly problem: DnsProblem };

export function failed(kind: Exclude<DnsProblem['kind'], 'rateLimited'>, message: string): Failed {
  return { ok: false, problem: { kind, message } };
}

export function rateLimited(message: string, retryAt: number): Failed {
  return { ok: false, problem: { kind: 'rateLimited', message, retryAt } };
}

/** What another party wrote, fit for a condition: one line, at most 300 characters, without request ids, which would change it at each try. */
export function said(text: string): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .replaceAll(/[,;(]?\s*\b(request|ray)[ -]?id\b\s*[:=]?\s*[\w-]+\)?/gi, '')
    .trim();
  return [...line]
    .slice(0, 300)
    .join('')
    .replace(/[.\s]+$/, '');
}
