// `certway status KIND NAME`: fetches with the user's own rights, judges, prints. Called by main.ts. Exit code 0: all is good, 1: something is
// missing or cannot be seen, 2: usage.

import type { Reply } from '../api/reply.ts';
import { sentenceOf } from '../kube/problem.ts';
import { openSession, type Session } from '../kube/session.ts';
import type { ResolveOptions } from '../resolve/world.ts';
import type { StatusArgs } from './status-args.ts';
import { eyesOf } from './status-eyes.ts';
import { fetchScene } from './status-fetch.ts';
import type { StatusView } from './status-node.ts';
import { statusLines } from './status-print.ts';
import { statusView } from './status-view.ts';

export interface StatusWish extends StatusArgs {
  readonly options: ResolveOptions;
  /** $COLUMNS: where lines are to be wrapped although the output is no terminal. */
  readonly columns: number | undefined;
  /** $NO_COLOR. */
  readonly noColour: boolean;
}

export async function printStatus(
  wish: StatusWish,
  to: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>,
): Promise<number> {
  const session = await open(wish, to.env);
  if (!session.ok) {
    to.stderr.write(`certway: ${session.problem}\n`);
    return 2;
  }
  await using opened = session.value;
  const { kind, name, namespace = opened.namespace ?? 'default', options } = wish;
  const view = statusView(await fetchScene(eyesOf(opened), { kind, name, namespace }, options), Date.now());
  to.stdout.write(wish.output === 'json' ? `${JSON.stringify(view, undefined, 2)}\n` : text(view, wish, to.stdout));
  return view.verdict.state === 'good' ? 0 : 1;
}

async function open({ kubeconfig }: StatusWish, environment: NodeJS.ProcessEnv): Promise<Reply<Session, string>> {
  try {
    const session = await openSession({
      ...(kubeconfig !== undefined && { kubeconfig }),
      environment,
      userAgent: 'certway-status',
      // It only ever looks.
      guardWrite: () => false,
    });
    return { ok: true, value: session };
  } catch (error) {
    return { ok: false, problem: sentenceOf(error) };
  }
}

function text(view: StatusView, { columns, noColour }: StatusWish, stdout: NodeJS.WriteStream): string {
  const width = stdout.isTTY ? stdout.columns : (columns ?? Number.POSITIVE_INFINITY);
  const colours = stdout.isTTY && !noColour ? 'some' : 'none';
  return `${statusLines(view, { width, colours }).join('\n')}\n`;
}
