// What a change that a watch reports is about, for those who wake keys by it: most changes concern nobody. Called by triggers.ts.

import type { KubeObject } from '../api/meta.ts';
import { annotations } from '../api/names.ts';
import type { Change } from '../kube/store.ts';
import { conditionOf } from '../plan/conditions.ts';
import { projected } from '../tenancy/projection.ts';

/** Its spec is new, or it came or went. */
export function isEdited(change: Change<KubeObject>): boolean {
  return change.kind === 'removed' || change.object.metadata.generation !== change.previous?.metadata.generation;
}

/** Its orders may be rehearsed elsewhere now, or not any more. */
export function saysRehearsal(change: Change<KubeObject>): boolean {
  const place = (of: KubeObject | undefined) => of?.metadata.annotations?.[annotations.rehearse];
  return change.kind === 'applied' && place(change.object) !== place(change.previous);
}

/** Somebody has ended the CA's pause, and says so. */
export function saysUnpaused(change: Change<KubeObject>): boolean {
  const said = ({ metadata }: KubeObject) => metadata.annotations?.[annotations.unpause];
  return change.kind === 'applied' && change.previous !== undefined && said(change.object) !== said(change.previous);
}

/** Whom it lets in, and which names it may have, is as it was. */
export function sameRules(a: KubeObject, b: KubeObject | undefined): boolean {
  const rules = ({ metadata }: KubeObject) => [
    metadata.labels ?? {},
    projected.map((key) => metadata.annotations?.[key]),
  ];
  return b !== undefined && JSON.stringify(rules(a)) === JSON.stringify(rules(b));
}

type WithConditions = { readonly status?: { readonly conditions?: Parameters<typeof conditionOf>[0] } } & KubeObject;

export function sameReadiness(a: WithConditions, b: WithConditions): boolean {
  const [now, last] = [conditionOf(a.status?.conditions, 'Ready'), conditionOf(b.status?.conditions, 'Ready')];
  return (
    a.metadata.generation === b.metadata.generation && now?.status === last?.status && now?.message === last?.message
  );
}
