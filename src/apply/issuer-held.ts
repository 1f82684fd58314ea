// What this process knows of an issuer besides the object itself; a restart knows nothing and need not. Kept by issuer.ts.

import type { Issuer } from '../api/certmanager.ts';
import type {
  AccountKeySeen,
  Failure,
  IssuerSeen,
  NextKeySeen,
  RegistrationSeen,
  RolloverSeen,
} from '../plan/issuer-seen.ts';
import type { KeySecret, NextKey } from './account-key.ts';
import { issuerKey, secretNamespace } from './issuer-of.ts';
import type { Ports } from './ports.ts';
import { asItCounts } from './stamp-served.ts';

export interface Held {
  generation: number | undefined;
  key: HeldKey;
  registration: RegistrationSeen;
  traffic: RolloverSeen['traffic'];
  /** What the CA has said of the next key with that hash. */
  standing?: { readonly hash: string; readonly of: NextKeySeen['standing'] };
  /** The account (accountId) whose traffic this issuer's rollover has stopped. */
  paused?: string;
  rolloverFailure?: Failure;
  closing?: Failure;
  solvers?: { readonly versions: string; readonly lack: string | undefined };
  /** Nothing but a change of one of its Secrets helps; whoever wakes the issuer may have made it. */
  waitsForSecret?: true;
}

export type HeldKey =
  /** `lastHash`: of the key that stood there when it was last read. */
  | { readonly kind: 'unread'; readonly lastHash?: string }
  | { readonly kind: 'other'; readonly seen: Exclude<AccountKeySeen, { kind: 'held' }>; readonly watched: string }
  /** `watched`: the watch's last word on the Secret; another word that is not the Secret as it was read is news. */
  | { readonly kind: 'read'; readonly secret: KeySecret; readonly watched: string };

export function nothingHeld(generation: number | undefined): Held {
  return { generation, key: { kind: 'unread' }, registration: { kind: 'none' }, traffic: { kind: 'flowing' } };
}

/** To be read again: the Secret is another than it was. */
export function reread(key: HeldKey): HeldKey {
  return key.kind === 'read' ? { kind: 'unread', lastHash: key.secret.current.hash } : { kind: 'unread' };
}

/** The next of the failures of one kind. */
export function failedAgain(last: Failure | undefined, problem: Failure['problem'], at: number): Failure {
  return { problem, attempts: (last?.attempts ?? 0) + 1, at };
}

export function accountKeySeen(ports: Ports, issuer: Issuer, held: Held): IssuerSeen['accountKey'] {
  const { key } = held;
  switch (key.kind) {
    case 'unread':
      return { kind: 'unread' };
    case 'other':
      return key.seen;
    case 'read': {
      const { current, next, rolledOver } = key.secret;
      return {
        kind: 'held',
        hash: current.hash,
        thumbprint: current.thumbprint,
        ...(next !== undefined && { next: nextSeen(ports, issuer, held, next) }),
        ...(rolledOver !== undefined && { rolledOver }),
      };
    }
    default:
      return key satisfies never;
  }
}

function nextSeen(ports: Ports, issuer: Issuer, held: Held, { hash, thumbprint, by }: NextKey): NextKeySeen {
  if (by !== issuerKey(issuer) && isSharer(ports, issuer, by)) return { hash, thumbprint, standing: 'theirs' };
  return { hash, thumbprint, standing: held.standing?.hash === hash ? held.standing.of : 'unknown' };
}

function isSharer(ports: Ports, issuer: Issuer, key: string): boolean {
  return sharers(ports, issuer).some((other) => issuerKey(other) === key);
}

/** The other issuers whose account key stands in the same entry of the same Secret. */
export function sharers(
  ports: Pick<Ports, 'stores'> & { readonly settings: Pick<Ports['settings'], 'clusterResourceNamespace'> },
  issuer: Issuer,
): readonly Issuer[] {
  const { name, key = 'tls.key' } = issuer.spec.acme?.privateKeySecretRef ?? { name: '' };
  const namespace = secretNamespace(ports, issuer);
  return [ports.stores.issuers, ports.stores.clusterIssuers]
    .flatMap((store) => store.by('secret', name))
    .filter((other) => issuerKey(other) !== issuerKey(issuer))
    .filter((other) => secretNamespace(ports, other) === namespace)
    .map((other) => asItCounts(ports, other))
    .filter(({ spec: { acme } }) => {
      const ref = acme?.privateKeySecretRef;
      return ref?.name === name && (ref.key ?? 'tls.key') === key;
    });
}
