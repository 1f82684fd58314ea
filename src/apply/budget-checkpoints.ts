// The ConfigMaps that keep what is spent of the accounts at one CA across a restart (budget/checkpoint.ts): read once, written at most once a minute and
// only when something has changed. Kept by budget-bureau.ts.

import { createHash } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import type { ConfigMap } from '../api/core.ts';
import { annotations, labels } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { apiVersion, configMaps } from '../api/resources.ts';
import { type Checkpoint, isWorthWriting, readCheckpoint, writeCheckpoint } from '../budget/checkpoint.ts';
import type { Kube } from '../kube/client.ts';
import type { KubeProblem } from '../kube/problem.ts';
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
  /** The accounts of which anything is kept; none where they may not be listed. */
  all(): Promise<readonly string[]>;
  /** Nobody needs what is kept of the account any more. */
  drop(account: string): Promise<void>;
  /** Something was spent, or the CA has spoken: it is written in a while. */
  changed(account: string): void;
}

/** An order is not alone as a rule, and what a crash loses before is in the Orders. */
const firstMs = 5_000;
const betweenMs = 60_000;
const mostTries = 6;
const betweenTriesMs = 300;

interface Kept {
  map?: ConfigMap;
  /** What stands there. */
  last?: Checkpoint;
  writtenAt: number;
  timer?: NodeJS.Timeout;
}

export function checkpoints(options: CheckpointOptions): Checkpoints {
  return new Books(options);
}

class Books implements Checkpoints {
  readonly #options: CheckpointOptions;
  readonly #known = new Map<string, Kept>();
  #isOpen = true;

  constructor(options: CheckpointOptions) {
    this.#options = options;
  }

  async read(account: string): Promise<Checkpoint | undefined> {
    const { log } = this.#options;
    const kept = this.#of(account);
    let found = await this.#look(account, kept);
    // A server that fails for a moment must not make what is written there forgotten.
    for (let tries = 1; tries < mostTries && !found.ok && isPassing(found.problem); tries++) {
      await after(betweenTriesMs * tries);
      found = await this.#look(account, kept);
    }
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
  }

  async all(): Promise<readonly string[]> {
    const { kube, namespace, directory, log } = this.#options;
    const listed = await kube.list(configMaps, { namespace, labelSelector: `${labels.budget}=checkpoint` });
    if (!listed.ok)
      log.warn({ problem: listed.problem }, 'what was spent by accounts without an issuer cannot be read');
    return (listed.ok ? listed.value : []).flatMap(({ metadata: { name, annotations: noted = {} } }) => {
      const account = noted[annotations.account];
      return account !== undefined && name === nameFor(directory, account) ? [account] : [];
    });
  }

  async drop(account: string): Promise<void> {
    const { kube, namespace, directory, log } = this.#options;
    const { uid } = this.#of(account).map?.metadata ?? {};
    const name = nameFor(directory, account);
    const gone = await kube.delete(configMaps, { namespace, name }, uid === undefined ? {} : { uid });
    if (!gone.ok && gone.problem.kind !== 'notFound') log.warn({ account, problem: gone.problem }, 'not deleted');
    this.#known.delete(account);
  }

  changed(account: string): void {
    if (!this.#isOpen) return;
    const kept = this.#of(account);
    const wait = Math.max(firstMs, kept.writtenAt + betweenMs - performance.now());
    kept.timer ??= setTimeout(() => void this.#write(account), wait);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    const due = [...this.#known].filter(([, { timer }]) => timer !== undefined);
    await Promise.all(due.map(([account]) => this.#write(account)));
    for (const { timer } of this.#known.values()) clearTimeout(timer);
  }

  #of(account: string): Kept {
    const kept = this.#known.get(account) ?? { writtenAt: Number.NEGATIVE_INFINITY };
    this.#known.set(account, kept);
    return kept;
  }

  async #look(account: string, kept: Kept): Promise<Reply<ConfigMap, KubeProblem>> {
    const { kube, namespace, directory } = this.#options;
    const found = await kube.get(configMaps, { namespace, name: nameFor(directory, account) });
    if (found.ok) kept.map = found.value;
    return found;
  }

  async #write(account: string): Promise<void> {
    const { kube, log, snapshot } = this.#options;
    const kept = this.#of(account);
    clearTimeout(kept.timer);
    delete kept.timer;
    const checkpoint = snapshot(account);
    const isNothing = isEmpty(checkpoint) && (kept.last === undefined || isEmpty(kept.last));
    if (isNothing || !isWorthWriting(kept.last, checkpoint)) return;
    kept.writtenAt = performance.now();
    const map = objectFor({ ...this.#options, account }, writeCheckpoint(checkpoint), kept.map);
    const answer = kept.map === undefined ? await kube.create(configMaps, map) : await kube.replace(configMaps, map);
    if (answer.ok) {
      kept.map = answer.value;
      kept.last = checkpoint;
      return;
    }
    const { problem } = answer;
    log.warn({ account, problem }, 'what is spent of the limits could not be written down');
    if (problem.kind === 'conflict' || problem.kind === 'alreadyExists') await this.#look(account, kept);
    if (problem.kind === 'notFound') delete kept.map;
    this.changed(account);
  }
}

function isPassing({ kind }: KubeProblem): boolean {
  return kind !== 'notFound' && kind !== 'forbidden';
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
