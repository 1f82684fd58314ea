// How a command asks the controller for something: by an annotation, with the rights of whoever runs it, and then by watching what the object says of it.
// Called by account.ts and revoke.ts.

import { setTimeout as after } from 'node:timers/promises';
import type { KubeObject } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import type { Resource } from '../api/resources.ts';
import type { Kube } from '../kube/client.ts';
import { kubeClient } from '../kube/client.ts';
import type { Ref } from '../kube/paths.ts';
import { type KubeProblem, sentenceOf } from '../kube/problem.ts';
import { openSession, type Session } from '../kube/session.ts';

export interface Asker extends AsyncDisposable {
  readonly kube: Kube;
  /** Of the kubeconfig's context. */
  readonly namespace: string;
}

/** The problem is a sentence: no kubeconfig, no way to the server. */
export async function openAsker(
  kubeconfig: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<Reply<Asker, string>> {
  try {
    const session: Session = await openSession({
      ...(kubeconfig !== undefined && { kubeconfig }),
      environment,
      userAgent: 'certway-cli',
    });
    const { namespace = 'default' } = session;
    const asker = { kube: kubeClient(session), namespace, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() };
    return { ok: true, value: asker };
  } catch (error) {
    return { ok: false, problem: sentenceOf(error) };
  }
}

const mostTries = 5;

/** Writes one annotation; once more where somebody else has written meanwhile. */
export async function annotate<T extends KubeObject>(
  kube: Kube,
  of: Resource<T>,
  ref: Ref,
  name: string,
  value: string,
): Promise<Reply<T, KubeProblem>> {
  for (let tries = 1; ; tries += 1) {
    const read = await kube.get(of, ref);
    if (!read.ok) return read;
    const { metadata } = read.value;
    const annotations = { ...metadata.annotations, [name]: value };
    const written = await kube.replace(of, { ...read.value, metadata: { ...metadata, annotations } });
    if (written.ok || written.problem.kind !== 'conflict' || tries === mostTries) return written;
  }
}

export interface Following<T> {
  readonly of: Resource<T & KubeObject>;
  readonly ref: Ref;
  readonly deadlineMs: number;
  /** What the object says now; `over` ends the wait. */
  readonly read: (object: T) => { readonly over?: 'good' | 'bad'; readonly line: string };
  /** A line that differs from the one before. */
  readonly onLine: (line: string) => void;
}

const lookMs = 1_000;

/** How it ended: 0 as wished, 1 not, or not within the deadline. */
export async function follow<T extends KubeObject>(kube: Kube, following: Following<T>): Promise<0 | 1> {
  const { of, ref, deadlineMs, read, onLine } = following;
  const deadline = performance.now() + deadlineMs;
  let last = '';
  while (performance.now() < deadline) {
    const seen = await kube.get(of, ref);
    if (!seen.ok && seen.problem.kind !== 'unavailable' && seen.problem.kind !== 'throttled') {
      onLine(seen.problem.message);
      return 1;
    }
    const { over, line } = seen.ok ? read(seen.value) : { line: seen.problem.message };
    if (line !== last) onLine(line);
    last = line;
    if (over !== undefined) return over === 'good' ? 0 : 1;
    await after(lookMs);
  }
  onLine(
    `Not done within ${Math.round(deadlineMs / 1000)} s; it goes on without this command. Is the controller running?`,
  );
  return 1;
}
