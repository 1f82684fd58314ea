// One watch of one kind, from a resourceVersion until it ends, for whatever reason. Called by reflector.ts, which decides what follows.

import type { KubeObject } from '../api/meta.ts';
import type { Resource } from '../api/resources.ts';
import { type Selection, selectionQuery } from './pages.ts';
import { collectionPath } from './paths.ts';
import { type KubeProblem, problemOf, sentenceOf, unavailable } from './problem.ts';
import { isRecord, received, versionOf } from './received.ts';
import type { Session } from './session.ts';
import { timeLimit } from './wire.ts';

export interface WatchOptions<T extends KubeObject> extends Selection {
  readonly session: Session;
  readonly resource: Resource<T>;
  readonly content: 'whole' | 'metadata';
  readonly from: string;
  /** After which the server ends the watch by itself. */
  readonly seconds: number;
  /** How much later than that we end it ourselves: the way to a socket that has gone silent. */
  readonly graceMs: number;
  readonly signal: AbortSignal;
  onStarted(): void;
  onApplied(object: T): void;
  onDeleted(object: T): void;
  /** Every event moves it, bookmarks included. */
  onVersion(resourceVersion: string): void;
}

/** `closed`: the server ended the watch in good order. */
export type WatchEnd = { readonly kind: 'closed' } | { readonly kind: 'failed'; readonly problem: KubeProblem };

const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/** Never throws; the last version given to `onVersion` is where the next watch goes on. */
export async function watchOnce<T extends KubeObject>(options: WatchOptions<T>): Promise<WatchEnd> {
  using limit = timeLimit(options.seconds * 1000 + options.graceMs, options.signal);
  const answer = await options.session.stream({
    method: 'GET',
    path: collectionPath(options.resource, options.namespace),
    query: {
      ...selectionQuery(options),
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: options.from,
      timeoutSeconds: String(options.seconds),
    },
    ...(options.content === 'metadata' ? { accept: metadataOnly } : {}),
    signal: limit.signal,
  });
  if (!answer.ok) return { kind: 'failed', problem: answer.problem };
  options.onStarted();
  try {
    for await (const event of answer.value) {
      const problem = take(event, options);
      if (problem !== undefined) return { kind: 'failed', problem };
    }
    return { kind: 'closed' };
  } catch (error) {
    return { kind: 'failed', problem: unavailable(sentenceOf(error)) };
  }
}

function take<T extends KubeObject>(event: unknown, options: WatchOptions<T>): KubeProblem | undefined {
  const { type, object } = isRecord(event) ? event : {};
  if (type === 'ERROR') return statusProblem(object);
  const version = versionOf(object);
  if (version === undefined)
    return unavailable(`a watch event of ${options.resource.plural} without a resourceVersion`);
  if (type !== 'BOOKMARK') {
    const entry = received(object, options.resource);
    if (entry === undefined) return unavailable(`a watch event of ${options.resource.plural} without an object`);
    if (type === 'DELETED') options.onDeleted(entry);
    else if (type === 'ADDED' || type === 'MODIFIED') options.onApplied(entry);
    else return unavailable(`a watch event of ${options.resource.plural} of an unknown type`);
  }
  options.onVersion(version);
  return undefined;
}

function statusProblem(status: unknown): KubeProblem {
  const code = isRecord(status) ? status.code : undefined;
  return problemOf(typeof code === 'number' ? code : 500, status);
}
