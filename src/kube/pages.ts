// A whole collection in pages of 500, as one consistent reading. Called by client.ts and reflector.ts.

import type { KubeObject } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import type { Resource } from '../api/resources.ts';
import { collectionPath } from './paths.ts';
import { type KubeProblem, unavailable } from './problem.ts';
import { isRecord, received, versionOf } from './received.ts';
import type { Session } from './session.ts';

const pageSize = '500';
// The pages of one reading expire with the server's compaction (5 min): begin again, but not for ever.
const readings = 3;

export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface PageOptions extends Selection {
  readonly content?: 'whole' | 'metadata';
  readonly signal?: AbortSignal;
  readonly onWarning?: (warning: string) => void;
}

export interface Listing<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

/** No resourceVersion is sent: the server answers from a consistent reading, never from a cache that lags. */
export async function listAll<T extends KubeObject>(
  session: Session,
  of: Resource<T>,
  options: PageOptions = {},
): Promise<Reply<Listing<T>, KubeProblem>> {
  for (let reading = 1; ; reading += 1) {
    const answer = await readOnce(session, of, options);
    if (answer.ok || answer.problem.kind !== 'gone' || reading === readings) return answer;
  }
}

/** Those three fields alone, without what else a caller's options hold. */
export function selectionOf({ namespace, labelSelector, fieldSelector }: Selection): Selection {
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

/** What narrows a list or a watch, as query parameters. */
export function selectionQuery(by: Selection): Readonly<Record<string, string>> {
  const { namespace: _, ...query } = selectionOf(by);
  return query;
}

async function readOnce<T extends KubeObject>(
  session: Session,
  of: Resource<T>,
  options: PageOptions,
): Promise<Reply<Listing<T>, KubeProblem>> {
  const items: T[] = [];
  const metadataOnly = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
  for (let position: string | undefined; ; ) {
    const page = await session.request<unknown>({
      method: 'GET',
      path: collectionPath(of, options.namespace),
      query: { ...selectionQuery(options), limit: pageSize, ...(position === undefined ? {} : { continue: position }) },
      ...(options.content === 'metadata' ? { accept: metadataOnly } : {}),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.onWarning === undefined ? {} : { onWarning: options.onWarning }),
    });
    if (!page.ok) return page;
    const parsed = isRecord(page.value) ? page.value : {};
    const resourceVersion = versionOf(parsed);
    // An empty list of metadata comes with `items: null` (Go's nil slice).
    const raws = parsed.items ?? [];
    if (!Array.isArray(raws) || resourceVersion === undefined) {
      return { ok: false, problem: unavailable(`what came for ${of.plural} is not a list`) };
    }
    for (const raw of raws) {
      const item = received(raw, of);
      if (item !== undefined) items.push(item);
    }
    position = continuation(parsed.metadata);
    if (position === undefined) return { ok: true, value: { items, resourceVersion } };
  }
}

function continuation(metadata: unknown): string | undefined {
  const position = isRecord(metadata) ? metadata.continue : undefined;
  return typeof position === 'string' && position !== '' ? position : undefined;
}
