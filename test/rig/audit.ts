// Who wrote what to the API server: from its audit log per user, and from its own counters for everybody. The benchmark and the
// write-budget tests call it. Counted is every mutating request, refused and no-op ones too; Leases are left out.

import { open } from 'node:fs/promises';

/** One mutating request, as the audit log has it. `verb` is create, update, patch, delete or deletecollection; an apply is a patch. */
export interface Write {
  readonly user: string;
  readonly verb: string;
  /** With its subresource: "orders/status". */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  /** When the API server received it, epoch ms. */
  readonly at: number;
}

export interface Span {
  readonly since?: number;
  readonly until?: number;
}

export interface WriteRow {
  readonly verb: string;
  readonly resource: string;
  readonly code: number;
  readonly count: number;
}

export interface WriteCount {
  readonly total: number;
  /** The most frequent first. */
  readonly rows: readonly WriteRow[];
}

export interface Audit {
  /** Reads what has been appended since the last call, and nothing else. */
  writesBy(user: string, span?: Span): Promise<WriteCount>;
  /** All writes seen so far, in the order of their completion. */
  writes(): Promise<readonly Write[]>;
}

/** The controller's own user name in the audit log. */
export const controllerUser = 'system:serviceaccount:certway-system:certway-controller';

/** Follows a growing audit log of JSON lines, one per completed request. Throws when the log shrinks: it has been rotated. */
export function openAudit(path: string): Audit {
  const seen: Write[] = [];
  let tail = { offset: 0, rest: Buffer.alloc(0) as Buffer };
  const catchUp = async (): Promise<void> => {
    const more = await readFrom(path, tail.offset);
    const lines = splitLines(Buffer.concat([tail.rest, more]));
    tail = { offset: tail.offset + more.length, rest: lines.rest };
    seen.push(...lines.whole.map(readWrite).filter((write) => write !== undefined));
  };
  let last = Promise.resolve();
  const current = async (): Promise<readonly Write[]> => {
    last = last.then(catchUp);
    await last;
    return seen;
  };
  return {
    writes: current,
    writesBy: async (user, span = {}) =>
      countWrites(
        (await current()).filter((write) => write.user === user),
        span,
      ),
  };
}

export function countWrites(
  writes: readonly Write[],
  { since = 0, until = Number.POSITIVE_INFINITY }: Span,
): WriteCount {
  const rows = new Map<string, WriteRow>();
  const counted = writes.filter((write) => write.at >= since && write.at <= until);
  for (const { verb, resource, code } of counted) {
    const key = `${verb} ${resource} ${code}`;
    rows.set(key, { verb, resource, code, count: (rows.get(key)?.count ?? 0) + 1 });
  }
  return { total: counted.length, rows: [...rows.values()].sort((a, b) => b.count - a.count) };
}

async function readFrom(path: string, offset: number): Promise<Buffer> {
  await using file = await open(path);
  const { size } = await file.stat();
  if (size < offset) {
    throw new Error(`${path} is shorter than before: it was rotated, and its writes can no longer be counted`);
  }
  const more = Buffer.alloc(size - offset);
  const { bytesRead } = await file.read(more, 0, more.length, offset);
  return more.subarray(0, bytesRead);
}

function splitLines(bytes: Buffer): { readonly whole: readonly string[]; readonly rest: Buffer } {
  const end = bytes.lastIndexOf('\n') + 1;
  const whole = bytes.subarray(0, end).toString().split('\n');
  return { whole: whole.filter((line) => line !== ''), rest: bytes.subarray(end) };
}

interface AuditEvent {
  readonly verb: string;
  readonly stage: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
}

// Most lines are reads: looking for the verb first spares their parsing.
const mutating = /"verb":"(?:create|update|patch|delete|deletecollection)"/;

function readWrite(line: string): Write | undefined {
  if (!mutating.test(line)) {
    return undefined;
  }
  const event = JSON.parse(line) as AuditEvent;
  const { resource = '', subresource, namespace = '', name = '' } = event.objectRef ?? {};
  if (event.stage !== 'ResponseComplete' || resource === 'leases') {
    return undefined;
  }
  return {
    user: event.user.username,
    verb: event.verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    code: event.responseStatus?.code ?? 0,
    at: Date.parse(event.requestReceivedTimestamp),
  };
}

const sample = /^apiserver_request_total\{([^}]*)\} (\S+)$/gm;

/** All clients' mutating requests since the API server's start, Leases apart, from the text of its /metrics. */
export function allWrites(metrics: string): number {
  let total = 0;
  for (const [, labels = '', value] of metrics.matchAll(sample)) {
    const writes = /verb="(?:POST|PUT|PATCH|APPLY|DELETE|DELETECOLLECTION)"/.test(labels);
    if (writes && !labels.includes('resource="leases"')) {
      total += Number(value);
    }
  }
  return total;
}
