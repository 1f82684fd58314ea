// An order's turn as the directory of its rehearsal sees it: the same key, names and paths, an account of its own, and limits that are counted apart from
// those of the issuer's own directory. Called by rehearse.ts, and by those who look after what stands in line there.

import { findAccount, register } from '../acme/account.ts';
import type { AcmeSession } from '../acme/session.ts';
import type { Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import type { Reply } from '../api/reply.ts';
import type { CaProblem } from '../order/ca.ts';
import { type RehearsalPlace, rehearsalPlace } from '../plan/rehearsal.ts';
import { templateOf } from '../plan/stamp.ts';
import { keyPlace, readKeySecret } from './account-key.ts';
import type { Accounts } from './accounts.ts';
import { secretNamespace } from './issuer-of.ts';
import type { OrderTurn } from './order-turn.ts';
import type { Ports } from './ports.ts';

/** Under which an Order's rehearsal is counted. */
export function rehearsalId(uid: string): string {
  return `${uid}/rehearsal`;
}

/** Where the issuer's orders are rehearsed; what is stamped does as its template does, unless it says otherwise. */
export function placeFor(
  { stores }: { readonly stores: Pick<Ports['stores'], 'clusterIssuers'> },
  issuer: Issuer,
): RehearsalPlace {
  const { name, namespace } = issuer.metadata;
  const template = namespace === undefined ? undefined : templateOf(name);
  return rehearsalPlace(issuer, template === undefined ? undefined : stores.clusterIssuers.get(template));
}

/** The issuer as if the directory were its own; without an account where none is known there. */
export function issuerThere(ports: Pick<Ports, 'accounts' | 'settings'>, issuer: Issuer, directory: string): Issuer {
  const { metadata, spec, status } = issuer;
  const { [annotations.limits]: _, ...noted } = metadata.annotations ?? {};
  const uri = known(ports.accounts).get(placeOf(ports, issuer, directory))?.url ?? '';
  return {
    ...issuer,
    metadata: { ...metadata, uid: rehearsalId(metadata.uid ?? ''), annotations: noted },
    spec: { ...spec, ...(spec.acme !== undefined && { acme: { ...spec.acme, server: directory } }) },
    status: { ...status, acme: { ...status?.acme, uri } },
  };
}

/** What the limits there count it as: nothing is replaced. */
export function orderThere({ metadata, spec, ...order }: Order): Order {
  const { replaces: _, ...asked } = spec;
  return { ...order, metadata: { ...metadata, uid: rehearsalId(metadata.uid ?? '') }, spec: asked };
}

/** As it is counted there. */
export function countedThere({ last: _, ...turn }: OrderTurn, directory: string): OrderTurn {
  return { ...turn, order: orderThere(turn.order), issuer: issuerThere(turn.ports, turn.issuer, directory) };
}

/** Undefined while the account there is not known. */
export async function sessionThere(
  ports: Ports,
  issuer: Issuer,
  directory: string,
): Promise<Reply<AcmeSession, CaProblem> | undefined> {
  const there = issuerThere(ports, issuer, directory);
  if (there.status?.acme?.uri === '') return undefined;
  const session = await ports.accounts.session(there, secretNamespace(ports, issuer));
  return session.ok ? session : { ok: false, problem: keyless };
}

/** Registers the issuer's key there, or finds its account; one after the other, however many orders ask. */
export async function learnAccount(
  { ports, issuer, wake }: Pick<OrderTurn, 'ports' | 'issuer' | 'wake'>,
  directory: string,
): Promise<CaProblem | undefined> {
  const accounts = known(ports.accounts);
  const place = placeOf(ports, issuer, directory);
  const entry = accounts.get(place) ?? { learning: learn(ports, issuer, directory, wake) };
  accounts.set(place, entry);
  const learnt = await entry.learning;
  if (learnt.ok) entry.url = learnt.value;
  else if (accounts.get(place) === entry) accounts.delete(place);
  return learnt.ok ? undefined : learnt.problem;
}

/** The CA does not know it any more. */
export function forgetAccount(ports: Ports, issuer: Issuer, directory: string): void {
  known(ports.accounts).delete(placeOf(ports, issuer, directory));
}

interface AccountThere {
  readonly learning: Promise<Reply<string, CaProblem>>;
  url?: string;
}

/** A key finds its account again for nothing, so a restart may forget it; of whoever speaks with CAs in this process. */
const byAccounts = new WeakMap<Accounts, Map<string, AccountThere>>();

function known(accounts: Accounts): Map<string, AccountThere> {
  const found = byAccounts.get(accounts) ?? new Map<string, AccountThere>();
  byAccounts.set(accounts, found);
  return found;
}

function placeOf(ports: Pick<Ports, 'settings'>, issuer: Issuer, directory: string): string {
  const { name, entry } = keyPlace(issuer);
  return JSON.stringify([
    directory,
    secretNamespace(ports, issuer),
    name,
    entry,
    issuer.status?.acme?.lastPrivateKeyHash,
  ]);
}

async function learn(
  ports: Ports,
  issuer: Issuer,
  directory: string,
  wake: () => void,
): Promise<Reply<string, CaProblem>> {
  const read = await readKeySecret(ports.kube, issuer, secretNamespace(ports, issuer));
  if (!read.ok || read.value === undefined) return { ok: false, problem: keyless };
  const { key } = read.value.current;
  const there = issuerThere(ports, issuer, directory);
  const endpoint = ports.accounts.endpoint(there);
  const { email = '' } = issuer.spec.acme ?? {};
  const made = await ports.budgets.account(there, {
    make: () => register({ endpoint, key, ...(email !== '' && { contact: email }) }),
    find: () => findAccount({ endpoint, key }),
    wake,
  });
  return made.ok ? { ok: true, value: made.value.url } : made;
}

const keyless: CaProblem = { kind: 'network', detail: 'The account’s key cannot be read.', sent: 'no' };
