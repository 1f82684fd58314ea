// What objects tell the budget without an order's step: Orders that end or are deleted, limits and words of people that change. Wired by budgets.ts;
// everything here costs the same however much the cluster holds.

import type { Issuer } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import { annotations } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import type { Change } from '../kube/store.ts';
import { accountOf } from './budget-ask.ts';
import type { Bureau, Bureaus } from './budget-bureau.ts';
import { isPaused } from './order-note.ts';
import { isUnfinished } from './order-object.ts';
import type { Stores } from './ports.ts';

type Needed = Pick<Stores, 'orders' | 'issuers' | 'clusterIssuers' | 'limits'>;

/** Returns what ends it. Orders that are over go out of `ours`. */
export function watchSpending(stores: Needed, open: Bureaus, ours: Set<string>): () => void {
  const ends = [
    stores.orders.subscribe((change) => {
      const order = change.kind === 'removed' ? change.previous : change.object;
      const { uid = '' } = order.metadata;
      if (change.kind === 'applied' && isUnfinished(order)) return;
      ours.delete(uid);
      const bureau = open.all().find(({ desk }) => desk.ledger.isReserved(uid));
      if (bureau !== undefined) close(bureau, order, change.kind);
      else if (change.kind === 'removed') forget(open, order);
      const account = accountBehind(stores, order);
      if (change.kind === 'removed' && isUnfinished(order) && isPaused(order)) unpause(open, account);
      if (account !== '') bureau?.books.changed(account);
    }),
    stores.limits.subscribe(() => open.limitsChanged()),
    ...[stores.issuers, stores.clusterIssuers].map((issuers) =>
      issuers.subscribe((change) => {
        if (saysLimits(change)) open.limitsChanged();
        if (change.kind === 'applied' && saysUnpaused(change)) unpause(open, accountOf(change.object));
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

/** Somebody has deleted what the CA had paused, or says that the pause is ended: the next one asks the CA. */
function unpause(open: Bureaus, account: string): void {
  for (const { desk, books, accounts } of open.all()) {
    if (!accounts().includes(account)) continue;
    desk.ledger.unheld(account);
    desk.changed();
    books.changed(account);
  }
}

function accountBehind({ issuers, clusterIssuers }: Needed, { metadata, spec }: Order): string {
  const { kind, name } = fullRef(spec.issuerRef);
  const issuer = kind === 'ClusterIssuer' ? clusterIssuers.get(name) : issuers.get(`${metadata.namespace}/${name}`);
  return issuer === undefined ? '' : accountOf(issuer);
}

/** Not when it is first seen: what an earlier process has been told is in its Orders. */
function saysUnpaused({ object, previous }: Change<Issuer> & { readonly kind: 'applied' }): boolean {
  const word = ({ metadata }: Issuer) => metadata.annotations?.[annotations.unpause];
  return previous !== undefined && word(object) !== word(previous);
}

/** What it says of limits, or for whom it says it, is another. */
function saysLimits(change: Change<Issuer>): boolean {
  if (change.kind === 'removed') return change.previous.metadata.annotations?.[annotations.limits] !== undefined;
  const said = ({ metadata, spec, status }: Issuer) => {
    const text = metadata.annotations?.[annotations.limits];
    return text === undefined ? '' : JSON.stringify([text, spec.acme?.server, status?.acme?.uri]);
  };
  return said(change.object) !== (change.previous === undefined ? '' : said(change.previous));
}
