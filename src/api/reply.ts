// The answer of every boundary call: a value, or a problem as data. A thrown Error is a bug.

export type Reply<T, P> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: P };
