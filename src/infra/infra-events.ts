// Which changes of a GatewayInfra's status are worth an event: what a person would act on, or has waited for. Called by provision/status.ts with each
// write of the status.

import type { GatewayInfra, GatewayInfraStatus } from '../api/gateway-infra.ts';
import type { Condition, EventDraft } from '../api/meta.ts';
import { conditionOf } from '../plan/conditions.ts';
import { refOf } from '../plan/object-ref.ts';

/** The status in which each condition is bad news; the others are told by what comes of them. */
const badWhen: Readonly<Record<string, Condition['status']>> = {
  Available: 'False',
  Degraded: 'True',
  CRDsReady: 'False',
  LegacyCleaned: 'False',
  WideSecretRead: 'True',
  Released: 'False',
};

/** Bad news once for each thing that is wrong; its end once, where it was told before. */
export function statusChanges(infra: GatewayInfra, after: GatewayInfraStatus): readonly EventDraft[] {
  return (after.conditions ?? []).flatMap((now) => {
    const bad = badWhen[now.type];
    if (bad === undefined) return [];
    const before = conditionOf(infra.status?.conditions, now.type);
    const isBad = now.status === bad;
    // Before the first install nothing is available, and nobody thinks it is.
    const isNews = isBad
      ? isOther(before, now) && (now.type !== 'Available' || before?.status === 'True')
      : before?.status === bad;
    if (!isNews) return [];
    const { reason = now.type, message = '' } = now;
    return [{ about: refOf(infra), type: isBad ? ('Warning' as const) : ('Normal' as const), reason, message }];
  });
}

function isOther(before: Condition | undefined, now: Condition): boolean {
  return before?.status !== now.status || before.reason !== now.reason || before.message !== now.message;
}
