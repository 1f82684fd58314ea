// What this process holds in memory for one Certificate's issuance. Losing it costs reads, never a second order or a key.

import type { KeyObject } from 'node:crypto';
import type { PrivateKeySpec } from '../api/certmanager.ts';
import type { OrderState, Wait } from '../order/state.ts';
import type { CsrFacts } from '../pki/csr.ts';
import { keyMatchesSpec } from '../pki/keys.ts';
import type { Renewal } from '../plan/renewal.ts';
import type { AttemptSeen } from '../plan/seen.ts';
import type { Ground } from './infra-sight.ts';
import type { Look } from './order-turn.ts';
import type { SecretContent } from './secret-content.ts';
import type { KeystoreCheck } from './see-keystores.ts';

/** What the request with this UID says, read once. */
interface ReadRequest {
  readonly uid: string;
  readonly facts?: CsrFacts;
  readonly keyFingerprint?: string;
  /** Whether it asks for what the spec said at that generation, and in what not. */
  readonly judged?: {
    readonly generation: number | undefined;
    readonly fits: boolean;
    readonly differs?: readonly string[];
  };
}

export interface Attempt {
  /** The revision that the fields below belong to. */
  revision: number;
  key?:
    | { readonly kind: 'held' | 'durable'; readonly key: KeyObject; readonly fingerprint: string }
    | { readonly kind: 'lost' };
  signed?: { readonly chainPem: string; readonly caPem?: string };
  failure?: string;
  /** Why another certificate was asked for, where one had been issued before. */
  why?: string;
  /** A remote signer cannot sign for now. */
  wait?: Wait;
  order?: OrderState;
  /** The Order was created here and nothing has been asked of the CA for it yet. */
  freshOrder?: string;
  /** When the paths of the order's proofs stood, epoch ms; for solvers that ask for a delay instead of a look. */
  presentedAt?: number;
  /** A look at the path of a proof that is still going on, or whose result nobody has taken yet. */
  look?: Look;
  /** Where the Gateways were when the paths of the order's proofs answered. */
  ground?: Ground;
  /** What the API server said when it refused to let us touch the namespace's Secrets; until a right is granted there. */
  forbidden?: { readonly message: string; readonly since: number };
  /** Another refusal of the API server; `count` in a row. */
  refusal?: {
    readonly message: string;
    readonly until: number;
    readonly count: number;
    readonly generation: number | undefined;
  };
  request?: ReadRequest;
  /** The same for the request that the target Secret came from. */
  origin?: ReadRequest;
  /** The target Secret's content by resourceVersion, or that it was seen absent or somebody else's. */
  secret?:
    | { readonly kind: 'content'; readonly content: SecretContent }
    | { readonly kind: 'absent' }
    | { readonly kind: 'foreign'; readonly resourceVersion: string | undefined };
  /** Whether its keystores are right, as last looked at. */
  keystores?: KeystoreCheck;
  /** When it is to be renewed, as worked out for that generation, certificate and CA. */
  renewal?: { readonly of: string; readonly known: Renewal };
}

export function newAttempt(revision: number): Attempt {
  return { revision };
}

/** Forgets what belonged to an earlier revision; the reading of the target Secret stays. */
export function renewAttempt(attempt: Attempt, revision: number): Attempt {
  if (attempt.revision === revision) return attempt;
  const { secret, keystores } = attempt;
  return { revision, ...(secret !== undefined && { secret }), ...(keystores !== undefined && { keystores }) };
}

/** Forgets what belonged to a request that is gone, by our hand or somebody else's: neither its order's waits nor its refusal are the next one's. */
export function forgetRequest(attempt: Attempt): void {
  const parts = [
    'signed',
    'failure',
    'order',
    'freshOrder',
    'presentedAt',
    'look',
    'ground',
    'wait',
    'request',
  ] as const;
  for (const part of parts) delete attempt[part];
}

export function attemptSeen(attempt: Attempt, spec: PrivateKeySpec | undefined): AttemptSeen {
  const { key, order, failure, wait } = attempt;
  const isStale = key !== undefined && key.kind !== 'lost' && !keyMatchesSpec(key.key, spec);
  return {
    key: isStale ? 'stale' : (key?.kind ?? 'none'),
    ...(key !== undefined && key.kind !== 'lost' && { keyFingerprint: key.fingerprint }),
    signed: attempt.signed !== undefined,
    ...(failure !== undefined && { failure }),
    ...(wait !== undefined && { wait }),
    ...(order !== undefined && { order }),
  };
}
