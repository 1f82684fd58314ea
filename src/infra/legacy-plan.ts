// The course of a move from an earlier Envoy Gateway, decided anew at every look from what stands: after a kill the next look goes on where the last
// one was. Called by provision/legacy.ts.
//
//   nothing found                      → NoneFound | Cleaned            ours may start
//   may not look                       → NotReadable                    ours waits
//   cleanup: Manual                    → CleanupManual                  ours waits while it runs
//   another tool keeps it              → ManagedElsewhere               ours waits while it runs
//   its settings would be lost         → ConfigurationAtRisk            ours waits
//   not announced                      → InProgress, nothing removed    ours waits
//   its controller stands              → InProgress, stop it            ours waits until every Pod of it is gone
//   its Service bears Helm's marks     → InProgress, hand it over       ours waits
//   proxies without a replacement      → InProgress (orders wait), then Waiting
//   anything else of it                → Removing

import type { Gateway } from '../api/gateway.ts';
import type { Condition } from '../api/meta.ts';
import { findInstall, type Install, isRunning, type LegacySight } from './legacy-install.ts';
import type { LegacyObject } from './legacy-kinds.ts';
import { handedOver, leftovers, stopping, takenOver } from './legacy-order.ts';
import { type Sweep, sweepOf } from './legacy-sweep.ts';
import * as words from './legacy-words.ts';

export type LegacyReason =
  | 'NoneFound'
  | 'Cleaned'
  | 'NotReadable'
  | 'CleanupManual'
  | 'ManagedElsewhere'
  | 'ConfigurationAtRisk'
  | 'InProgress'
  | 'Waiting'
  | 'Removing';

export interface LegacyInput {
  /** One per namespace that was looked at. */
  readonly sights: readonly LegacySight[];
  readonly systemNamespace: string;
  readonly certwayNamespace: string;
  readonly controllerName: string;
  readonly cleanup: 'Manual' | 'Auto';
  /** Whether spec.envoyGatewayConfigRef names one. */
  readonly config: 'named' | 'none';
  /** LegacyCleaned, as it stands in the status. */
  readonly previous?: Condition;
  readonly gateways: readonly Gateway[];
  readonly fresh: readonly LegacyObject[];
  /** When our own controller was made, epoch ms. */
  readonly oursSince?: number;
  /** How long old and new proxies serve side by side, ms. */
  readonly overlapMs: number;
  readonly now: number;
}

export interface LegacyPlan {
  /** Whether our own controller may be rendered. */
  readonly system: 'hold' | 'go';
  readonly reason: LegacyReason;
  readonly message: string;
  /** To be written first, as they stand here. */
  readonly handOver: readonly LegacyObject[];
  /** To be removed after that, in this order, stopping at the first that fails. */
  readonly remove: readonly LegacyObject[];
  /** When to look again, epoch ms. */
  readonly revisitAt: number;
}

/** How long Gateways that are not served anew hold back certificate orders. */
export const patienceMs = 600_000;
const pauseMs = { idle: 600_000, manual: 15_000, stopping: 1_000, awaiting: 2_000 } as const;

/** What to do about everything that was found, the most urgent first: a controller that runs anywhere holds ours back. */
export function planLegacy(input: LegacyInput): LegacyPlan {
  const installs = input.sights.flatMap((sight) => {
    const install = findInstall(sight);
    return install === undefined || isAnothers(install, input) ? [] : [install];
  });
  const plans = installs.map((install) => judge(install, input));
  return plans.find(({ system }) => system === 'hold') ?? plans[0] ?? clean(input);
}

/** Whether deleting has been announced in the status, so that people could read it first. */
export function isAnnounced(condition: Condition | undefined): boolean {
  return condition?.status === 'False' && ['InProgress', 'Waiting', 'Removing'].includes(condition.reason ?? '');
}

function clean({ previous, now }: LegacyInput): LegacyPlan {
  const cleaned = isAnnounced(previous) || previous?.reason === 'Cleaned';
  return {
    system: 'go',
    reason: cleaned ? 'Cleaned' : 'NoneFound',
    message: cleaned
      ? 'Nothing of an earlier Envoy Gateway is left but its CRDs, its namespace and what its users made.'
      : 'No earlier Envoy Gateway was found.',
    handOver: [],
    remove: [],
    revisitAt: now + pauseMs.idle,
  };
}

/** It serves other GatewayClasses, in a namespace where none of its names is in our way. */
function isAnothers({ namespace, config }: Install, { systemNamespace, controllerName }: LegacyInput): boolean {
  const served = config?.controllerName;
  return namespace !== systemNamespace && served !== undefined && served !== controllerName;
}

function judge(install: Install, input: LegacyInput): LegacyPlan {
  const { systemNamespace, certwayNamespace, cleanup, config, previous, now } = input;
  const handOver = takenOver(install, systemNamespace).map(handedOver);
  const whole = everything(install, systemNamespace);
  const busy = isRunning(install) || handOver.length > 0;
  const told = (reason: LegacyReason, message: string, more: Partial<LegacyPlan> = {}): LegacyPlan => ({
    system: busy ? 'hold' : 'go',
    reason,
    message,
    handOver: [],
    remove: [],
    revisitAt: now + pauseMs.manual,
    ...more,
  });
  if (install.readable === 'denied') {
    return told('NotReadable', words.unreadableWords(install, certwayNamespace), { system: 'hold' });
  }
  if (cleanup === 'Manual') {
    const message = words.manualWords(install, whole, systemNamespace);
    // Nothing is removed; but a Service that is to be ours cannot keep the name of a release in its selector.
    return told('CleanupManual', message, isRunning(install) ? {} : { handOver });
  }
  if (install.keeper !== undefined) return told('ManagedElsewhere', words.keeperWords(install, install.keeper));
  const settings = install.config?.settings ?? [];
  if (isRunning(install) && config === 'none' && settings.length > 0) {
    return told('ConfigurationAtRisk', words.settingsWords(install, settings));
  }
  const message = words.announceWords(install, whole, systemNamespace);
  if (!isAnnounced(previous)) return told('InProgress', message, { revisitAt: now + pauseMs.stopping });
  if (isRunning(install)) {
    return told('InProgress', message, { remove: stopping(install), revisitAt: now + pauseMs.stopping });
  }
  if (handOver.length > 0) return told('InProgress', message, { handOver, revisitAt: now });
  return takeApart(install, input);
}

/** The controller is gone. Beside our own namespace, whatever old proxies may still mount stays until they are swept. */
function takeApart(install: Install, input: LegacyInput): LegacyPlan {
  const { systemNamespace, now } = input;
  const sweep = sweepOf({ ...input, proxies: install.proxies });
  const rest = leftovers(install, systemNamespace);
  const free = install.namespace === systemNamespace || sweep.now.length === countOf(install);
  const webhooks = rest.filter((each) => each.of.kind === 'MutatingWebhookConfiguration');
  const others = free ? rest.filter((each) => !webhooks.includes(each)) : [];
  const remove = [...webhooks, ...sweep.now, ...others].filter(
    ({ object }) => object.metadata.deletionTimestamp === undefined,
  );
  const { reason, message } = stageOf(install, sweep, input);
  const revisitAt = remove.length > 0 ? now + pauseMs.stopping : (sweep.next ?? now + pauseMs.awaiting);
  return {
    system: 'go',
    reason,
    message,
    handOver: [],
    remove,
    revisitAt: sweep.awaited.length > 0 ? Math.min(revisitAt, now + pauseMs.awaiting) : revisitAt,
  };
}

function stageOf(install: Install, sweep: Sweep, input: LegacyInput): Pick<LegacyPlan, 'reason' | 'message'> {
  const { oursSince, now, systemNamespace } = input;
  const { awaited, next } = sweep;
  if (awaited.length > 0) {
    const patient = oursSince === undefined || now < oursSince + patienceMs;
    const which = `${awaited.slice(0, 20).join(', ')}${awaited.length > 20 ? ` and ${awaited.length - 20} more` : ''}`;
    const message =
      `The old controller is gone. Waiting for the new proxies of Gateways ${which}; their old ones in namespace ${install.namespace} serve until then. ` +
      'A Gateway that never gets one: see its conditions Accepted and Programmed.';
    return { reason: patient ? 'InProgress' : 'Waiting', message };
  }
  const left = namesLeft(install, systemNamespace);
  return next === undefined
    ? { reason: 'Removing', message: `Removing what is left: ${left}.` }
    : {
        reason: 'Removing',
        message: `New proxies serve every Gateway. The old ones go at ${new Date(next).toISOString()} or when names in DNS have had the time to follow: ${left}.`,
      };
}

function namesLeft(install: Install, systemNamespace: string): string {
  return words.namesOf(everything(install, systemNamespace));
}

function countOf({ proxies }: Install): number {
  return proxies.reduce((sum, { objects }) => sum + objects.length, 0);
}

/** All that will go, in the order in which it goes when nothing has to be waited for. */
function everything(install: Install, systemNamespace: string): readonly LegacyObject[] {
  const rest = leftovers(install, systemNamespace);
  const proxies = install.proxies.flatMap(({ objects }) => objects);
  const webhooks = rest.filter((each) => each.of.kind === 'MutatingWebhookConfiguration');
  return [...stopping(install), ...webhooks, ...proxies, ...rest.filter((each) => !webhooks.includes(each))];
}
