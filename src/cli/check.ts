// `certway check`: says whether the API is ready to be used, with the user's own rights, now or within a time. Called by main.ts. Exit code 0: it
// is, as far as the user may see, 1: something is missing, 2: usage.

import { setTimeout as delay } from 'node:timers/promises';
import type { CheckArgs } from './check-args.ts';
import { fetchCheck } from './check-fetch.ts';
import { checkView } from './check-view.ts';
import { openReader, type PaperWish, paperFor } from './reader.ts';
import { treeLines } from './status-print.ts';

export interface CheckWish extends Omit<CheckArgs, 'wait'>, PaperWish {
  /** 0: one look. */
  readonly waitMs: number;
}

const betweenLooksMs = 1_000;

export async function printCheck(
  wish: CheckWish,
  to: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>,
): Promise<number> {
  const session = await openReader(wish.kubeconfig, to.env, 'certway-check');
  if (!session.ok) {
    to.stderr.write(`certway: ${session.problem}\n`);
    return 2;
  }
  await using opened = session.value;
  const begun = performance.now();
  const look = async () => checkView(await fetchCheck(opened, wish.namespace));
  let view = await look();
  while (view.verdict.state !== 'good' && performance.now() - begun < wish.waitMs) {
    await delay(betweenLooksMs);
    view = await look();
  }
  const lines = () => treeLines(`Certway on ${view.server}`, view, paperFor(wish, to.stdout)).join('\n');
  to.stdout.write(`${wish.output === 'json' ? JSON.stringify(view, undefined, 2) : lines()}\n`);
  return view.verdict.state === 'good' ? 0 : 1;
}
