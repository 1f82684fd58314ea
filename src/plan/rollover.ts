// Decides the next step of an account key's rollover (RFC 8555 §7.3.5), asked for by an annotation on the Issuer. Called by issuer.ts while an asked-for
// value is not done, or the key Secret holds a next key. Every step may be the last of its process; the Secret says where the next one begins:
//
//   asked ──makeNextKey──▶ the Secret holds both keys ──askNextKey: which one does the CA know?
//     the old one ──drain──▶ no request and no validation is under way ──changeKey──▶ the next one ──swapKey──▶ the Secret holds it alone
//   changeKey without an answer ──▶ askNextKey again       refused ──▶ the old key stays in use; tried again later
//   swapped ──annotate (issuer.ts)──▶ replicas answer with the new thumbprint ──status──▶ done ──resume──▶ orders go on

import { annotations } from '../api/names.ts';
import type { AccountKeySeen, IssuerAction, IssuerSeen, NextKeySeen } from './issuer-seen.ts';
import { retryAt, say, sayFailure } from './issuer-status.ts';

export const rolloverCondition = 'AccountKeyRolledOver';

const theirTurnMs = 5_000;

type Held = AccountKeySeen & { readonly kind: 'held' };

/** The value that asks for a rollover which has not been done; undefined where nothing is asked. A new account's key is new enough. */
export function askedRollover({ issuer }: IssuerSeen, key: Held): string | undefined {
  const noted = issuer.metadata.annotations ?? {};
  const asked = noted[annotations.rolloverAccountKey] ?? '';
  const isDone = asked === noted[annotations.rolledOverAccountKey] || asked === key.rolledOver;
  return asked === '' || isDone || noted[annotations.accountThumbprint] === undefined ? undefined : asked;
}

/** The value to be noted as done with the thumbprint: what this Secret's rollover was asked by, or what stood there before there was an account. */
export function doneRollover({ issuer }: IssuerSeen, key: Held): string | undefined {
  const noted = issuer.metadata.annotations ?? {};
  const asked = noted[annotations.rolloverAccountKey] ?? '';
  const isFresh = noted[annotations.accountThumbprint] === undefined;
  return asked !== '' && (isFresh || asked === key.rolledOver) ? asked : undefined;
}

/** Undefined where there is nothing to roll over. The issuer is registered with the key in the Secret, or was when a rollover began. */
export function planRollover(seen: IssuerSeen, key: Held, now: number): IssuerAction | undefined {
  if (key.next !== undefined) return withNext(seen, key.next, askedRollover(seen, key), now);
  if (askedRollover(seen, key) === undefined) return undefined;
  const { obstacle } = seen.rollover;
  if (obstacle !== undefined) {
    const refusal = { status: 'False', reason: 'Refused', message: obstacle } as const;
    return say(seen, refusal, now, { type: rolloverCondition });
  }
  return pausing(seen, now) ?? { kind: 'makeNextKey' };
}

function withNext(seen: IssuerSeen, next: NextKeySeen, asked: string | undefined, now: number): IssuerAction {
  const { spec, status } = seen.issuer;
  const host = URL.parse(status?.acme?.uri ?? '')?.host;
  // There is no account that this key could be for: the issuer has gone to another CA since.
  if (host === undefined || host !== URL.parse(spec.acme?.server ?? '')?.host) return { kind: 'dropNextKey' };
  switch (next.standing) {
    case 'unknown':
      return pausing(seen, now) ?? { kind: 'askNextKey' };
    case 'foreign':
      return { kind: 'dropNextKey' };
    case 'theirs':
      return { kind: 'rest', revisitAt: now + theirTurnMs };
    case 'inForce':
      return { kind: 'swapKey', asked: asked ?? '' };
    case 'unused':
      return asked === undefined ? { kind: 'dropNextKey' } : (pausing(seen, now) ?? change(seen, now));
    default:
      return next.standing satisfies never;
  }
}

function change({ rollover: { traffic } }: IssuerSeen, now: number): IssuerAction {
  switch (traffic.kind) {
    case 'flowing':
      return { kind: 'drain' };
    case 'draining':
      return traffic.lookAt <= now ? { kind: 'drain' } : { kind: 'rest', revisitAt: traffic.lookAt };
    case 'quiet':
      return { kind: 'changeKey' };
    default:
      return traffic satisfies never;
  }
}

function pausing(seen: IssuerSeen, now: number): IssuerAction | undefined {
  const { failure } = seen.rollover;
  if (failure === undefined) return undefined;
  const until = retryAt(failure);
  if (until <= now) return undefined;
  return sayFailure(seen, { failure, reason: 'Failed', until }, now, { type: rolloverCondition });
}
