// `certway status KIND NAME`: fetches with the user's own rights, judges, prints. Called by main.ts. Exit code 0: all is good, 1: something is
// missing or cannot be seen, 2: usage.

import type { ResolveOptions } from '../resolve/world.ts';
import { openReader, type PaperWish, paperFor } from './reader.ts';
import type { StatusArgs } from './status-args.ts';
import { eyesOf } from './status-eyes.ts';
import { fetchScene } from './status-fetch.ts';
import { statusLines } from './status-print.ts';
import { statusView } from './status-view.ts';

export interface StatusWish extends StatusArgs, PaperWish {
  readonly options: ResolveOptions;
}

export async function printStatus(
  wish: StatusWish,
  to: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>,
): Promise<number> {
  const session = await openReader(wish.kubeconfig, to.env, 'certway-status');
  if (!session.ok) {
    to.stderr.write(`certway: ${session.problem}\n`);
    return 2;
  }
  await using opened = session.value;
  const { kind, name, namespace = opened.namespace ?? 'default', options } = wish;
  const view = statusView(await fetchScene(eyesOf(opened), { kind, name, namespace }, options), Date.now());
  const lines = () => statusLines(view, paperFor(wish, to.stdout)).join('\n');
  to.stdout.write(`${wish.output === 'json' ? JSON.stringify(view, undefined, 2) : lines()}\n`);
  return view.verdict.state === 'good' ? 0 : 1;
}
