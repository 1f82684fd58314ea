// What a fault proxy may do with one request, and the small scripts that decide it. Tests hand a script to a proxy; scripts are
// plain functions, so that a test can also write its own.

import type { OutgoingHttpHeaders } from 'node:http';

/** What every proxied request tells about itself. `nth` counts requests of the same edge, from 1. */
export interface AtEdge {
  readonly edge: string;
  readonly name?: string;
  readonly nth: number;
}

/** In crash tests: SIGKILL the controller, and return when it is dead. */
export type Hook = () => void | Promise<void>;

/** One whole answer to a request. */
export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer | string;
}

export type Verdict =
  | { readonly kind: 'forward' }
  /** Forwarded after `ms`, even when the client has gone by then. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The upstream never sees the request; the connection is cut after the hook. */
  | { readonly kind: 'killBefore'; readonly hook: Hook }
  /** The upstream has answered completely; the hook runs, and the client never hears of it. */
  | { readonly kind: 'killAfter'; readonly hook: Hook }
  /** The upstream has answered completely; the client sees a cut connection. */
  | { readonly kind: 'dropReply' }
  /** The upstream has answered completely; the client gets half of it, then a cut connection. */
  | { readonly kind: 'halveReply' }
  /** The upstream has answered completely; the client hears nothing, and the connection stands. */
  | { readonly kind: 'withholdReply' }
  /** The upstream has answered completely; the client gets what is made of that. */
  | { readonly kind: 'edit'; readonly edit: (answer: Answer) => Answer }
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    };

export type Script<R extends AtEdge> = (request: R) => Verdict | Promise<Verdict>;

export const forward: Verdict = { kind: 'forward' };

/** The upstream never sees the request. */
export const cut: Verdict = { kind: 'killBefore', hook: () => undefined };

export interface EdgeMatch {
  /** "create certificaterequests", "update orders/status", "newOrder": see kube-request.ts and acme-request.ts. */
  readonly edge: string;
  /** The object's name, where the edge alone is not enough (a key Secret against a target Secret). */
  readonly name?: RegExp;
  /** Which of the requests that match, from 1; without it, all of them. */
  readonly nth?: number;
}

/** Gives the verdict to requests that match, and forwards all others. */
export function at(match: EdgeMatch, verdict: Verdict): Script<AtEdge> {
  let matched = 0;
  return (request) => {
    if (request.edge !== match.edge || (match.name !== undefined && !match.name.test(request.name ?? ''))) {
      return forward;
    }
    matched += 1;
    return match.nth === undefined || match.nth === matched ? verdict : forward;
  };
}

/** Asks each script and takes the first verdict that is not «forward». */
export function firstOf<R extends AtEdge>(...scripts: readonly Script<R>[]): Script<R> {
  return async (request) => {
    let chosen = forward;
    for (const script of scripts) {
      const verdict = await script(request);
      if (chosen.kind === 'forward') {
        chosen = verdict;
      }
    }
    return chosen;
  };
}
