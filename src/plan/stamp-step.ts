// Decides what happens next to the account that one namespace has of its own with one ClusterIssuer. Called after every action by apply/stamps.ts until
// it answers `rest`.
//
//   template gives it   used   Issuer            key's Secret    next
//   yes                 any    out of step       any             put back in step
//   yes                 yes    absent            any             create the Issuer
//   no                  yes    any               any             rest: its condition says why it is not served
//   any                 no     ours              any             after a quiet time: delete the Issuer
//   any                 no     absent            unread          read the Secret
//   any                 no     absent            ours            after a quiet time: delete the Secret
// The Issuer goes before its key, so a crash in between leaves a Secret that is found by its label, and never an Issuer whose account is lost.

import type { Issuer } from '../api/certmanager.ts';
import { labels } from '../api/names.ts';
import { backInStep, stampedIssuer } from './stamp.ts';

export type KeySecretSeen =
  | { readonly kind: 'unread' | 'absent' }
  /** Somebody's who chose that name. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'ours'; readonly uid: string };

export interface StampSeen {
  readonly namespace: string;
  /** `closed`: it is on its way out, or gone; nothing can be made in it any more. */
  readonly place: 'open' | 'closed';
  /** Present where it gives this namespace an account of its own. */
  readonly template?: Issuer;
  readonly issuer?: Issuer;
  /** `unused`: since when (epoch ms) nobody has named the Issuer, as far as this process knows. */
  readonly use: { readonly kind: 'used' } | { readonly kind: 'unused'; readonly since: number };
  readonly keySecret: KeySecretSeen;
}

export type StampAction =
  | { readonly kind: 'create'; readonly object: Issuer; readonly template: Issuer }
  | { readonly kind: 'putBack'; readonly object: Issuer }
  | { readonly kind: 'deleteIssuer'; readonly object: Issuer }
  | { readonly kind: 'readSecret' }
  | { readonly kind: 'deleteSecret'; readonly uid: string }
  | { readonly kind: 'rest'; readonly revisitAt?: number };

/** The next action; `quiet` (ms) is how long an account stays without use. `rest` carries when (epoch ms) to look again. */
export function planStamp(seen: StampSeen, quiet: number, now: number): StampAction {
  const { issuer, template, use, place } = seen;
  // Its end brings us back.
  if (issuer?.metadata.deletionTimestamp !== undefined) return { kind: 'rest' };
  if (template !== undefined && place === 'open') {
    const step = keep(template, seen);
    if (step !== undefined) return step;
  }
  if (use.kind === 'used') return { kind: 'rest' };
  const due = use.since + quiet;
  return remove(seen, due <= now ? 'due' : due);
}

/** What the template asks for now; undefined where the Issuer is as it says, or is not needed. */
function keep(template: Issuer, { issuer, namespace, use }: StampSeen): StampAction | undefined {
  const wanted = stampedIssuer(template, namespace);
  if (issuer !== undefined) {
    const object = backInStep(issuer, wanted);
    return object === undefined ? undefined : { kind: 'putBack', object };
  }
  const isLeaving = template.metadata.deletionTimestamp !== undefined;
  return use.kind === 'used' && !isLeaving ? { kind: 'create', object: wanted, template } : undefined;
}

function remove({ issuer, template, keySecret }: StampSeen, due: 'due' | number): StampAction {
  const wait: StampAction = due === 'due' ? { kind: 'rest' } : { kind: 'rest', revisitAt: due };
  if (issuer !== undefined) {
    // Where no template reserves the name, an Issuer without our labels is somebody's own.
    if (template === undefined && !isMarked(issuer)) return { kind: 'rest' };
    return due === 'due' ? { kind: 'deleteIssuer', object: issuer } : wait;
  }
  switch (keySecret.kind) {
    case 'unread':
      return { kind: 'readSecret' };
    case 'absent':
    case 'foreign':
      return { kind: 'rest' };
    case 'ours':
      return due === 'due' ? { kind: 'deleteSecret', uid: keySecret.uid } : wait;
    default:
      return keySecret satisfies never;
  }
}

function isMarked({ metadata }: Issuer): boolean {
  return metadata.labels?.[labels.managedBy] === 'certway' && metadata.labels[labels.stampedFrom] !== undefined;
}
