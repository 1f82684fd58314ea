// Who can mend what is wrong, by the reason that the controller gives, and the sentence that says so. Pure; called by the status views.

import type { IssuerRef } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';

export type Who = 'developer' | 'platform owner' | 'nobody';

export interface Problem {
  /** Problems of one key have one cause: the first that is met is told. */
  readonly key: string;
  readonly who: Who;
  /** Without its full stop. */
  readonly sentence: string;
}

/** The key of everything that is wrong because of one issuer. */
export function issuerKey(ref: IssuerRef): string {
  const { kind, name } = fullRef(ref);
  return `issuer/${kind}/${name}`;
}

export interface Blamed {
  readonly reason: string;
  /** The kind whose owner is concerned: what stands on a Gateway is its owner's. */
  readonly owner: string;
  readonly issuerKind?: string;
  readonly names?: readonly string[];
}

const platformOwners: ReadonlySet<string> = new Set([
  'Forbidden',
  'NotAllowed',
  'ParentNotAccepted',
  'Refused',
  'NamesNotAllowed',
  'AwaitingApproval',
  'NamespaceReserved',
]);

/** The CA says when it goes on, or it is asked again: there is nothing to mend. */
const waits: ReadonlySet<string> = new Set([
  'EqualOrder',
  'RateLimited',
  'CAUnavailable',
  'CAUnreachable',
  'CAMalformedReply',
  'CARefused',
  'Processing',
  'WaitInsteadOfSelfCheck',
  'NotPropagated',
  'InfraNotReady',
]);

export function whoMends({ reason, owner, issuerKind, names = [] }: Blamed): Who {
  if (waits.has(reason)) return 'nobody';
  if (owner === 'Gateway' || platformOwners.has(reason)) return 'platform owner';
  switch (reason) {
    case 'IssuerNotFound':
    case 'IssuerNotReady':
    case 'CAPaused':
    case 'VaultUnavailable':
    case 'VaultDenied':
    case 'PresentError':
    case 'DNSLookupFailed':
    case 'RehearsalUnreadable':
      return issuerKind === 'ClusterIssuer' ? 'platform owner' : 'developer';
    case 'NoChallengePath':
      // A wildcard is the developer's wish; ports, routes and solvers are the Gateway's and the issuer's.
      return names.some((name) => name.startsWith('*.')) ? 'developer' : 'platform owner';
    default:
      return 'developer';
  }
}

/** Several sentences as one, without the last full stop. */
export function asOne(message: string): string {
  const text = message.trim().replace(/\.$/, '');
  return text.replace(/\. (\p{Lu})(?=\p{Ll}| )/gu, (_all, letter: string, at: number) =>
    properNoun.test(text.slice(at + 2)) ? `; ${letter}` : `; ${letter.toLowerCase()}`,
  );
}

const properNoun = /^(Certway|Gateway|Secret|Issuer|Certificate|Listener|Pebble|Let)/;

export function sentenceFor({ who, sentence }: Problem): string {
  switch (who) {
    case 'developer':
      return `The developer can fix this: ${sentence}`;
    case 'platform owner':
      return `The platform owner can fix this: ${sentence}`;
    case 'nobody':
      return `Nothing to do but wait: ${sentence}`;
    default:
      return who satisfies never;
  }
}
