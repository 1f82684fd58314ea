// The ConfigMaps that keep what is spent of the accounts at one CA across a restart (budget/checkpoint.ts): read once, written at most once a minute and
// only when something has changed. Kept by budget-bureau.ts.

import { createHash } from 'node:crypto';
import type { ConfigMap } from '../api/core.ts';
import { annotations, labels } from '../api/names.ts';
import { apiVersion, configMaps } from '../api/resources.ts';
import { type Checkpoint, isWorthWriting, readCheckpoint, writeCheckpoint } from '../budget/checkpoint.ts';
import type { Kube } from '../kube/client.ts';
import type { Logger } from '../report/logger.ts';

export interface CheckpointOptions {
  readonly kube: Kube;
  readonly namespace: string;
  readonly directory: string;
  readonly log: Logger;
  /** What is to be kept of the account now. */
  snapshot(account: string): Checkpoint;
}

export interface Checkpoints extends AsyncDisposable {
  /** Undefined where there is none, or none that can be read. */
  read(account: string): Promise<Checkpoint | undefined>;
  /** Something was spent, or the CA has spoken: it is written in a while. */
  changed(account: string): void;
}

/** An order is not alone as a rule, and what a crash loses before is in the Orders. */
const firstMs = 5_000;
const betweenMs = 60_000;

interface Kept {
  map?: ConfigMap;
  /** What stands there. */
  last?: Checkpoint;
  writtenAt: number;
  timer?: NodeJS.Timeout;
}

export function checkpoints(options: CheckpointOptions): Checkpoints {
  const { kube, namespace, directory, log, snapshot } = options;
  const known = new Map<string, Kept>();
  const of = (account: string): Kept => {
    const kept = known.get(account) ?? { writtenAt: Number.NEGATIVE_INFINITY };
    known.set(account, kept);
    return kept;
  };
  const write = async (account: string): Promise<void> => {
    const kept = of(account);
    clearTimeout(kept.timer);
    delete kept.timer;
    const checkpoint = snapshot(account);
    const isNothing = isEmpty(checkpoint) && (kept.last === undefined || isEmpty(kept.last));
    if (isNothing || !isWorthWriting(kept.last, checkpoint)) return;
    kept.writtenAt = performance.now();
    const map = objectFor({ directory, account, namespace }, writeCheckpoint(checkpoint), kept.map);
    const answer = kept.map === undefined ? await kube.create(configMaps, map) : await kube.replace(configMaps, map);
    if (answer.ok) {
      kept.map = answer.value;
      kept.last = checkpoint;
      return;
    }
    log.warn({ account, problem: answer.problem }, 'what is spent of the limits could not be written down');
    if (answer.problem.kind === 'conflict' || answer.problem.kind === 'alreadyExists') await look(account, kept);
    if (answer.problem.kind === 'notFound') delete kept.map;
    later(account, kept);
  };
  const later = (account: string, kept: Kept): void => {
    const wait = Math.max(firstMs, kept.writtenAt + betweenMs - performance.now());
    kept.timer ??= setTimeout(() => void write(account), wait);
  };
  const look = async (account: string, kept: Kept) => {
    const found = await kube.get(configMaps, { namespace, name: nameFor(directory, account) });
    if (found.ok) kept.map = found.value;
    return found;
  };
  return {
    read: async (account) => {
      const kept = of(account);
      const found = await look(account, kept);
      if (!found.ok) {
        if (found.problem.kind !== 'notFound') log.warn({ account, problem: found.problem }, unread);
        return undefined;
      }
      const read = readCheckpoint(found.value.data?.[dataKey] ?? '');
      if (read.ok && read.value.account === account) {
        kept.last = read.value;
        return read.value;
      }
      log.warn({ account, why: read.ok ? 'it is another account’s' : read.problem }, unread);
      return undefined;
    },
    changed: (account) => later(account, of(account)),
    [Symbol.asyncDispose]: async () => {
      const due = [...known].filter(([, { timer }]) => timer !== undefined);
      await Promise.all(due.map(([account]) => write(account)));
      for (const { timer } of known.values()) clearTimeout(timer);
    },
  };
}

const dataKey = 'checkpoint';
const unread = 'what was spent of the limits cannot be read; it is counted again from the Orders';

/** Of both: any CA may state the URL of another's account, and must not write into that one's books. */
export function nameFor(directory: string, account: string): string {
  const both = JSON.stringify([directory, account]);
  return `certway-budget-${createHash('sha256').update(both).digest('hex').slice(0, 16)}`;
}

/** Nothing that a restart would have to know. */
function isEmpty({ cells, pauses, accountHold, directoryHold }: Checkpoint): boolean {
  return cells.length === 0 && pauses.length === 0 && accountHold === undefined && directoryHold === undefined;
}

interface Whose {
  readonly directory: string;
  readonly account: string;
  readonly namespace: string;
}

function objectFor({ directory, account, namespace }: Whose, text: string, last: ConfigMap | undefined): ConfigMap {
  const metadata = last?.metadata ?? {
    name: nameFor(directory, account),
    namespace,
    labels: { [labels.name]: 'certway', [labels.budget]: 'checkpoint' },
    annotations: { [annotations.account]: account, [annotations.directory]: directory },
  };
  return { apiVersion: apiVersion(configMaps), kind: configMaps.kind, metadata, data: { [dataKey]: text } };
}
