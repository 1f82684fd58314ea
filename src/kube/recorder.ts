// Says things where `kubectl describe` shows them: core/v1 Events. Called by apply/. One create per saying, and a refusal is said once, not on
// each reconcile and not again after a restart. Nothing depends on an event: failures go to `onProblem` and no further.

import { createHash } from 'node:crypto';
import type { KubeEvent } from '../api/core.ts';
import type { EventDraft } from '../api/meta.ts';
import { apiVersion, events } from '../api/resources.ts';
import type { Kube } from './client.ts';
import type { KubeProblem } from './problem.ts';

export interface RecorderOptions {
  readonly kube: Kube;
  /** The replica, shown as reportingInstance. */
  readonly instance: string;
  readonly component?: string;
  readonly now?: () => number;
  onProblem(event: EventDraft, problem: KubeProblem): void;
}

export interface SayOptions {
  /** What tells this saying from an equal one before it: a generation, an attempt, the uid of what was made. Part of the event's name. */
  readonly of?: string | number;
  /** `look`: read first and write only what is not there; the default for Warnings. `write`: create at once; the default for Normal. */
  readonly once?: 'look' | 'write';
}

export interface Recorder {
  /** Resolves when said, known to be said, or given up. Never rejects. */
  say(event: EventDraft, options?: SayOptions): Promise<void>;
}

// The API server drops events after an hour (--event-ttl): a refusal that still stands is then worth saying again.
const memoMs = 3_600_000;
const memoSize = 10_000;

export function eventRecorder(options: RecorderOptions): Recorder {
  const now = options.now ?? Date.now;
  /** Name → until when it need not be looked at; in order of saying. */
  const said = new Map<string, number>();

  const remember = (name: string) => {
    said.delete(name);
    said.set(name, now() + memoMs);
    const [oldest] = said.keys();
    if (said.size > memoSize && oldest !== undefined) said.delete(oldest);
  };

  const give = async (event: EventDraft, name: string, look: 'look' | 'write'): Promise<KubeProblem | undefined> => {
    const object = eventObject(event, name, options, now());
    if (look === 'look') {
      const present = await options.kube.get(events, object.metadata);
      if (present.ok) return undefined;
      if (present.problem.kind !== 'notFound') return present.problem;
    }
    const created = await options.kube.create(events, object);
    return created.ok || created.problem.kind === 'alreadyExists' ? undefined : created.problem;
  };

  return {
    say: async (event, { of = '', once = event.type === 'Warning' ? 'look' : 'write' } = {}) => {
      const name = eventName(event, of);
      if (once === 'look' && (said.get(name) ?? 0) > now()) return;
      // Before the first await, so that two sayings at once make one event.
      remember(name);
      const problem = await give(event, name, once);
      if (problem === undefined) return;
      said.delete(name);
      options.onProblem(event, problem);
    },
  };
}

/** `<object>.<16 hex digits>`: the same saying has the same name in every process. Within 253 characters and valid as a DNS subdomain. */
export function eventName(event: EventDraft, of: string | number): string {
  const { about, type, reason, message } = event;
  const identity = about.uid ?? `${about.apiVersion}/${about.kind}/${about.namespace ?? ''}/${about.name}`;
  const parts = JSON.stringify([identity, type, reason, message, String(of)]);
  const hash = createHash('sha256').update(parts).digest('hex').slice(0, 16);
  const stem = about.name.slice(0, 236).replace(/[^a-z0-9]+$/, '');
  return `${stem}.${hash}`;
}

function eventObject(event: EventDraft, name: string, options: RecorderOptions, now: number): KubeEvent {
  const component = options.component ?? 'certway';
  const { apiVersion: version, kind, namespace, name: object, uid } = event.about;
  // Events about cluster-scoped objects stand in the namespace "default", where kubectl describe looks for them.
  const where = namespace ?? 'default';
  const at = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    apiVersion: apiVersion(events),
    kind: events.kind,
    metadata: { name, namespace: where },
    involvedObject: {
      apiVersion: version,
      kind,
      name: object,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
    },
    type: event.type,
    reason: event.reason,
    message: event.message.slice(0, 1024),
    source: { component },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
    reportingComponent: component,
    reportingInstance: options.instance,
  };
}
