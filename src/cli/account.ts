// `certway account show|rollover|deactivate ISSUER`: reads the Issuer, or writes the annotation that asks the controller for it, and tells what comes of it.
// Called by main.ts. Exit code 0: as wished, 1: not, 2: usage.

import type { Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import { clusterIssuers, issuers } from '../api/resources.ts';
import type { Kube } from '../kube/client.ts';
import { conditionOf } from '../plan/conditions.ts';
import type { AccountArgs } from './account-args.ts';
import { accountLines, accountView, nameOf, rolloverOf } from './account-view.ts';
import { annotate, follow, openAsker } from './asking.ts';

type Streams = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>;

interface Scene {
  readonly kube: Kube;
  readonly of: typeof issuers;
  readonly ref: { readonly name: string; readonly namespace?: string };
  readonly issuer: Issuer;
  readonly wish: AccountArgs;
  readonly to: Streams;
}

const patienceMs = 180_000;

export async function runAccount(wish: AccountArgs, to: Streams): Promise<number> {
  const asker = await openAsker(wish.kubeconfig, to.env);
  if (!asker.ok) return fail(to, asker.problem, 2);
  await using opened = asker.value;
  const { kube } = opened;
  const of = wish.scope === 'cluster' ? clusterIssuers : issuers;
  const ref =
    wish.scope === 'cluster' ? { name: wish.name } : { name: wish.name, namespace: wish.namespace ?? opened.namespace };
  const read = await kube.get(of, ref);
  if (!read.ok) return fail(to, read.problem.message, 1);
  const issuer = read.value;
  if (issuer.spec.acme === undefined) return fail(to, `${nameOf(issuer)} is no ACME issuer: it has no account.`, 1);
  const scene = { kube, of, ref, issuer, wish, to };
  switch (wish.verb) {
    case 'show':
      return await show(scene);
    case 'rollover':
      return await rollOver(scene);
    case 'deactivate':
      return await deactivate(scene);
    default:
      return wish.verb satisfies never;
  }
}

async function show({ kube, issuer, wish, to }: Scene): Promise<number> {
  const view = accountView(issuer, await allIssuers(kube));
  if (view === undefined) return 1;
  to.stdout.write(
    wish.output === 'json' ? `${JSON.stringify(view, undefined, 2)}\n` : `${accountLines(view).join('\n')}\n`,
  );
  return view.ready ? 0 : 1;
}

/** As far as the user may see them. */
async function allIssuers(kube: Kube): Promise<readonly Issuer[]> {
  const lists = await Promise.all([kube.list(issuers), kube.list(clusterIssuers)]);
  return lists.flatMap((listed) => (listed.ok ? listed.value : []));
}

async function rollOver({ kube, of, ref, issuer, to }: Scene): Promise<number> {
  if (conditionOf(issuer.status?.conditions, 'Ready')?.status !== 'True') {
    return fail(to, `${nameOf(issuer)} is not Ready; its key can be changed when it is.`, 1);
  }
  const value = new Date().toISOString();
  const asked = await annotate(kube, of, ref, annotations.rolloverAccountKey, value);
  if (!asked.ok) return fail(to, asked.problem.message, 1);
  return follow<Issuer>(kube, {
    of,
    ref,
    deadlineMs: patienceMs,
    onLine: (line) => void to.stdout.write(`${line}\n`),
    read: (now) => {
      const { state, message } = rolloverOf(now);
      if (state === 'done') return { over: 'good', line: `The CA knows the account of ${nameOf(now)} by a new key.` };
      const isRefused = conditionOf(now.status?.conditions, 'AccountKeyRolledOver')?.reason === 'Refused';
      if (state === 'failed' && isRefused) return { over: 'bad', line: message };
      return { line: state === 'failed' ? message : `Changing the account key of ${nameOf(now)} …` };
    },
  });
}

async function deactivate({ kube, of, ref, issuer, wish, to }: Scene): Promise<number> {
  const url = issuer.status?.acme?.uri;
  if (url === undefined) return fail(to, `${nameOf(issuer)} has no account yet.`, 1);
  const shared = accountView(issuer, await allIssuers(kube))?.sharedWith ?? [];
  if (wish.consent === 'missing') {
    const also = shared.length === 0 ? '' : ` ${shared.join(', ')} use it too.`;
    return fail(to, `This closes the account ${url} for good.${also} Say --yes to do it.`, 1);
  }
  const asked = await annotate(kube, of, ref, annotations.deactivateAccount, url);
  if (!asked.ok) return fail(to, asked.problem.message, 1);
  return follow<Issuer>(kube, {
    of,
    ref,
    deadlineMs: patienceMs,
    onLine: (line) => void to.stdout.write(`${line}\n`),
    read: (now) => {
      const ready = conditionOf(now.status?.conditions, 'Ready');
      const isClosed = ready?.reason === 'ACMEAccountDeactivated';
      return isClosed ? { over: 'good', line: ready?.message ?? 'closed' } : { line: `Closing the account ${url} …` };
    },
  });
}

function fail(to: Streams, message: string, code: 1 | 2): number {
  to.stderr.write(`certway: ${message}\n`);
  return code;
}
