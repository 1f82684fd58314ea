// Decides for one CustomResourceDefinition what is done about it: created, updated, taken over, left, or refused with the list of what would be
// lost. Called by provision/crds.ts for each; none is ever deleted.
//
//   owner            Auto              Reconcile         PreferExisting   Ignore
//   absent           create            create            create           –
//   Certway          update            update            –                –
//   package manager  –                 –                 –                –
//   other            –                 –                 –                –
//   abandoned        take over         take over         –                –
//   unknown          –                 take over         –                –
//
// One that carries our label but was never written by us, or that another has marked, is handed over: it is held against a take-over's list.

import type { GatewayInfraSpec } from '../api/gateway-infra.ts';
import type { Ownership } from './crd-owner.ts';
import type { CrdSight } from './crd-sight.ts';

export type CrdPolicy = NonNullable<NonNullable<GatewayInfraSpec['crds']>['policy']>;

export type CrdStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'apply'; readonly why: 'missing' | 'drift' | 'takeOver' }
  /** `losses`: sentences without a full stop. */
  | { readonly kind: 'refuse'; readonly why: 'takeOver' | 'update'; readonly losses: readonly string[] };

export interface CrdSeen {
  readonly name: string;
  /** Undefined: there is none. */
  readonly live?: { readonly sight: CrdSight; readonly ownership: Ownership };
  /** Whether we bring one of that name. */
  readonly brought: boolean;
}

const none: CrdStep = { kind: 'none' };

export function planCrd({ live, brought }: CrdSeen, policy: CrdPolicy): CrdStep {
  if (policy === 'Ignore') return none;
  if (live === undefined) return brought ? { kind: 'apply', why: 'missing' } : none;
  const { sight, ownership } = live;
  // What is on its way out is made anew when it is gone.
  if (policy === 'PreferExisting' || sight.terminating || sight.beside === undefined) return none;
  switch (ownership.kind) {
    case 'Certway':
      return sight.beside.oursAlone ? update(sight.beside) : takeOver(sight.beside);
    case 'Abandoned':
      return takeOver(sight.beside);
    case 'Unknown':
      return policy === 'Reconcile' ? takeOver(sight.beside) : none;
    case 'PackageManager':
    case 'Other':
      return none;
    default:
      return ownership satisfies never;
  }
}

function update({ same, obstacles }: NonNullable<CrdSight['beside']>): CrdStep {
  if (same) return none;
  if (obstacles.length > 0) return { kind: 'refuse', why: 'update', losses: obstacles };
  return { kind: 'apply', why: 'drift' };
}

function takeOver({ same, losses }: NonNullable<CrdSight['beside']>): CrdStep {
  if (same) return none;
  if (losses.length > 0) return { kind: 'refuse', why: 'takeOver', losses };
  return { kind: 'apply', why: 'takeOver' };
}
