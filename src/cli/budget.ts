// `certway budget [ISSUER]`: what the limits of CAs leave, who has spent it and who waits, with the user's own rights. Called by main.ts. Exit code 0: told,
// 1: not, or not all of it, 2: usage.

import type { BudgetArgs } from './budget-args.ts';
import { type BudgetScene, fetchBudget } from './budget-fetch.ts';
import type { BudgetView } from './budget-node.ts';
import { budgetLines } from './budget-print.ts';
import { budgetView } from './budget-view.ts';
import { openReader } from './reader.ts';
import { eyesOf } from './status-eyes.ts';

type Streams = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>;

export async function printBudget(wish: BudgetArgs, to: Streams): Promise<number> {
  const session = await openReader(wish.kubeconfig, to.env, 'certway-budget');
  if (!session.ok) return fail(to, session.problem, 2);
  await using opened = session.value;
  const scene = await fetchBudget(eyesOf(opened), wish);
  const refusal = refusalOf(scene, wish);
  if (refusal !== undefined) return fail(to, refusal, 1);
  const now = Date.now();
  const view = budgetView(scene, now);
  to.stdout.write(wish.output === 'json' ? `${JSON.stringify(view, readable, 2)}\n` : `${text(view, now)}\n`);
  return view.unseen.length === 0 ? 0 : 1;
}

/** Why nothing can be told, as a sentence. */
function refusalOf({ asked, books }: BudgetScene, { issuer, booksIn }: BudgetArgs): string | undefined {
  const name =
    issuer?.namespace === undefined ? `ClusterIssuer ${issuer?.name}` : `Issuer ${issuer.namespace}/${issuer.name}`;
  if (asked?.kind === 'hidden') return `${asked.why}.`;
  if (asked?.kind === 'absent') {
    const how = issuer?.namespace === undefined ? ' For an Issuer, say its namespace with -n.' : '';
    return `${name} does not exist.${how}`;
  }
  if (asked?.kind === 'seen' && asked.value.spec.acme === undefined)
    return `${name} is no ACME issuer: it has no budget.`;
  if (asked?.kind === 'seen' && asked.value.status?.acme?.uri === undefined) return `${name} has no account yet.`;
  if (books.kind !== 'hidden') return undefined;
  if (books.cause === 'failed') return `${books.why}.`;
  return `${books.why}, where the controller keeps its books; the Role certway-budget-view there (deploy/people.yaml) gives that right. Where the controller runs with another --cluster-resource-namespace than ${booksIn}, say so here too.`;
}

function text(view: BudgetView, now: number): string {
  const empty = view.accounts.length === 0 ? ['No ACME issuer has an account yet.'] : [];
  return [...empty, ...budgetLines(view, now)].join('\n');
}

const times: ReadonlySet<string> = new Set(['notedAt', 'until', 'since', 'nextFree']);

/** Programs read RFC 3339. */
function readable(key: string, value: unknown): unknown {
  return times.has(key) && typeof value === 'number' ? new Date(value).toISOString() : value;
}

function fail(to: Streams, message: string, code: 1 | 2): number {
  to.stderr.write(`certway: ${message}\n`);
  return code;
}
