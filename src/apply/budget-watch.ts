// What objects tell the budget without an order's step: Orders that end or are deleted, limits and words of people that change. Wired by budgets.ts;
// everything here costs the same however much the cluster holds.

import type { Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import type { Change } from '../kube/store.ts';
import { accountOf, directoryOf, provenAccount } from './budget-ask.ts';
import type { Bureau, Bureaus } from './budget-bureau.ts';
import { issuerOf } from './issuer-of.ts';
import { isPaused } from './order-note.ts';
import { identifiersOf, isUnfinished } from './order-object.ts';
import type { Stores } from './ports.ts';
import { rehearsalId } from './rehearsal-turn.ts';

type Needed = Pick<Stores, 'orders' | 'issuers' | 'clusterIssuers' | 'limits'>;

/** Returns what ends it. Orders that are over go out of `ours`. */
export function watchSpending(
  stores: Needed,
  open: Bureaus,
  ours: Set<string>,
  there: (issuer: Issuer) => Issuer | undefined,
): () => void {
  const ends = [
    stores.orders.subscribe((change) => {
      const order = change.kind === 'removed' ? change.previous : change.object;
      const { uid = '' } = order.metadata;
      if (change.kind === 'applied' && isUnfinished(order)) return;
      ours.delete(uid);
      for (const { desk } of open.all())
        if (desk.ledger.isReserved(rehearsalId(uid)) || change.kind === 'removed') desk.leave(rehearsalId(uid));
      const bureau = open.all().find(({ desk }) => desk.ledger.isReserved(uid));
      if (bureau !== undefined) close(bureau, order, change.kind);
      else if (change.kind === 'removed') forget(open, order);
      const account = accountBehind(stores, order);
      if (change.kind === 'removed' && isUnfinished(order) && isPaused(order)) endPause(stores, open, order, there);
      if (account !== '') bureau?.books.changed(account);
    }),
    stores.limits.subscribe(() => open.limitsChanged()),
    ...[stores.issuers, stores.clusterIssuers].map((issuers) =>
      issuers.subscribe((change) => {
        if (saysLimits(change)) open.limitsChanged();
        if (change.kind === 'applied' && saysUnpaused(change)) {
          unpause(open, change.object, provenAccount(change.object));
          const elsewhere = there(change.object);
          if (elsewhere !== undefined) unpause(open, elsewhere, accountOf(elsewhere));
        }
      }),
    ),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Written by this process after the fact was counted, or by one before it: then it is counted now. */
function close({ desk, now }: Bureau, { metadata, status }: Order, how: 'applied' | 'removed'): void {
  const { uid = '' } = metadata;
  if (how === 'applied' && status?.state === 'valid') desk.ledger.issued(uid, now());
  else if (status?.url !== undefined) desk.ledger.failed(uid, [], now());
  else desk.leave(uid);
  desk.changed();
}

/** It may still stand in a line. */
function forget(open: Bureaus, { metadata }: Order): void {
  for (const { desk } of open.all()) desk.leave(metadata.uid ?? '');
}

/** Somebody says that what the CA has stopped for the account may go on: the next order asks it. */
export function unpause(open: Bureaus, issuer: Issuer, account: string): void {
  const bureau = open.known(issuer);
  if (bureau === undefined || account === '') return;
  bureau.desk.ledger.unheld(account);
  bureau.desk.changed();
  bureau.books.changed(account);
}

/** Somebody has deleted what the CA had paused: the next order for these names asks it. */
function endPause(stores: Needed, open: Bureaus, order: Order, there: (issuer: Issuer) => Issuer | undefined): void {
  const issuer = issuerOf({ stores }, order);
  const names = identifiersOf(order).map(({ value }) => value);
  for (const each of issuer === undefined ? [] : [issuer, there(issuer)]) {
    const bureau = each === undefined ? undefined : open.known(each);
    if (bureau === undefined || each === undefined) continue;
    bureau.desk.ledger.unheld(accountOf(each), names);
    bureau.desk.changed();
    bureau.books.changed(accountOf(each));
  }
}

function accountBehind(stores: Needed, order: Order): string {
  const issuer = issuerOf({ stores }, order);
  return issuer === undefined ? '' : accountOf(issuer);
}

/** Not when it is first seen: what an earlier process has been told is in its Orders. */
function saysUnpaused({ object, previous }: Change<Issuer> & { readonly kind: 'applied' }): boolean {
  const word = ({ metadata }: Issuer) => metadata.annotations?.[annotations.unpause];
  return previous !== undefined && word(object) !== word(previous);
}

/** What it says of limits, or for whom it says it, is another; or who uses the CA is, for a tenant who is alone there may say more. */
function saysLimits(change: Change<Issuer>): boolean {
  if (change.kind === 'removed') return change.previous.spec.acme !== undefined;
  const said = (issuer: Issuer) => {
    if (issuer.spec.acme === undefined) return '';
    return JSON.stringify([
      issuer.metadata.annotations?.[annotations.limits],
      directoryOf(issuer),
      provenAccount(issuer),
    ]);
  };
  return said(change.object) !== (change.previous === undefined ? '' : said(change.previous));
}
