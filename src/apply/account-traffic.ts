// What is under way in the name of each ACME account, so that its key can be changed when nothing is: requests, and validations that the CA has been
// asked for (it looks for the key's thumbprint). While an account is paused its requests are answered as not sent, and the order machine tries them
// again. Kept by accounts.ts; the rollover pauses and resumes.

import { type AcmeProblem, notSent } from '../acme/problem.ts';
import type { AcmeEndpoint, SignedRequest } from '../acme/transport.ts';

/** No CA takes longer than that from a challenge's answer to its verdict; ms. */
export const longestValidationMs = 90_000;

interface Account {
  inFlight: number;
  /** When each challenge was answered (epoch ms). */
  readonly answered: Map<string, number>;
  /** Epoch ms; sessions of an earlier key end with it. */
  pausedUntil: number;
  generation: number;
}

export interface Traffic {
  /** The endpoint as one session may use it, until the account's key changes. `account` everywhere: accounts.ts's accountId. */
  guard(endpoint: AcmeEndpoint, account: string): AcmeEndpoint;
  pause(account: string): void;
  /** From that moment (epoch ms) on, and only for sessions that are opened from now on. */
  resume(account: string, at: number): void;
  underWay(account: string): { readonly requests: number; readonly challenges: readonly string[] };
  /** The CA has given its verdict. */
  settle(account: string, challengeUrl: string): void;
}

export function accountTraffic(now: () => number): Traffic {
  const accounts = new Map<string, Account>();
  const of = (id: string): Account => {
    const known = accounts.get(id) ?? { inFlight: 0, answered: new Map(), pausedUntil: 0, generation: 0 };
    accounts.set(id, known);
    return known;
  };
  return {
    guard: (endpoint, id) => {
      const account = of(id);
      const { generation } = account;
      const post = async <T>(request: SignedRequest<T>) => {
        if (account.generation !== generation || account.pausedUntil > now()) return changing;
        const isFirst = isAnswer(request) && !account.answered.has(request.url);
        if (isAnswer(request)) remember(account, request.url, now());
        account.inFlight += 1;
        try {
          const reply = await endpoint.post(request);
          // Nobody looks because of an answer that was not taken.
          if (isFirst && !reply.ok && isUntaken(reply.problem)) account.answered.delete(request.url);
          return reply;
        } finally {
          account.inFlight -= 1;
        }
      };
      return { ...endpoint, post };
    },
    pause: (id) => {
      of(id).pausedUntil = Number.POSITIVE_INFINITY;
    },
    resume: (id, at) => {
      const account = of(id);
      account.pausedUntil = at;
      account.generation += 1;
      account.answered.clear();
    },
    underWay: (id) => {
      const { inFlight, answered } = of(id);
      const young = [...answered].filter(([, at]) => now() - at < longestValidationMs);
      return { requests: inFlight, challenges: young.map(([challenge]) => challenge) };
    },
    settle: (id, challenge) => {
      of(id).answered.delete(challenge);
    },
  };
}

/** RFC 8555 §7.5.1; a POST-as-GET of the same URL only reads. */
function isAnswer(request: { readonly action: string; readonly payload?: unknown }): boolean {
  return request.action === 'challenge' && request.payload !== undefined;
}

function isUntaken(problem: AcmeProblem): boolean {
  return problem.kind === 'rateLimited' || (problem.kind === 'network' && problem.sent === 'no');
}

function remember({ answered }: Account, url: string, now: number): void {
  for (const [old, at] of answered) {
    if (now - at < longestValidationMs) break;
    answered.delete(old);
  }
  answered.delete(url);
  answered.set(url, now);
}

const changing = notSent('The account’s key is being changed; nothing was sent to the CA.');
