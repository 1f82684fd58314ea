// Gathers what budgets are told from, as far as the user may see it: the controller's books, issuers, Orders and the limits as they are written. Called
// by budget.ts. It only ever looks: GET and LIST.

import type { Issuer } from '../api/certmanager.ts';
import type { ConfigMap } from '../api/core.ts';
import { labels } from '../api/names.ts';
import { certificateRequests, clusterIssuers, configMaps, gatewayTenants, issuers, orders } from '../api/resources.ts';
import { directoryOf } from '../apply/budget-ask.ts';
import { limitsMap, limitTexts } from '../apply/budget-limits.ts';
import type { Stores } from '../apply/ports.ts';
import { makeStores } from '../apply/stores.ts';
import type { Limits } from '../budget/limits.ts';
import { openLogger } from '../report/logger.ts';
import type { BudgetArgs } from './budget-args.ts';
import { asOne } from './status-blame.ts';
import type { Eyes } from './status-eyes.ts';
import { itemsOf, type Many, type Sight } from './status-scene.ts';

export interface BudgetScene {
  /** The one that was asked for; absent for all. */
  readonly asked?: Sight<Issuer>;
  readonly books: Many<ConfigMap>;
  /** Issuers of both kinds, Orders, and the requests that those were made for: the controller's caches, as far as the user may fill them. */
  readonly stores: Pick<
    Stores,
    'issuers' | 'clusterIssuers' | 'orders' | 'requests' | 'certificates' | 'gatewayTenants'
  >;
  /** When an Order was issued only its request knows. */
  readonly requests: 'seen' | 'hidden';
  /** By directory. */
  readonly limits: ReadonlyMap<string, Limits>;
  /** Sentences without full stops. */
  readonly unseen: readonly string[];
}

type Wish = Pick<BudgetArgs, 'issuer' | 'booksIn'>;

export async function fetchBudget(eyes: Eyes, { issuer, booksIn }: Wish): Promise<BudgetScene> {
  const here = issuer?.namespace;
  const [asked, clusterWide, local, books, allOrders, requests, limits, tenants] = await Promise.all([
    issuer === undefined ? undefined : seeAsked(eyes, issuer),
    eyes.list(clusterIssuers),
    everywhereOr(here, (selection) => eyes.list(issuers, selection)),
    eyes.list(configMaps, { namespace: booksIn, labelSelector: `${labels.budget}=checkpoint` }),
    everywhereOr(here, (selection) => eyes.list(orders, selection)),
    everywhereOr(here, (selection) => eyes.list(certificateRequests, selection)),
    eyes.get(configMaps, { namespace: booksIn, name: limitsMap }),
    eyes.list(gatewayTenants),
  ]);
  const stores = makeStores((error) => {
    throw error;
  });
  for (const each of itemsOf(clusterWide)) stores.clusterIssuers.note(each);
  for (const each of itemsOf(local)) stores.issuers.note(each);
  if (asked?.kind === 'seen') (here === undefined ? stores.clusterIssuers : stores.issuers).note(asked.value);
  for (const each of itemsOf(allOrders)) stores.orders.note(each);
  for (const each of itemsOf(requests)) stores.requests.note(each);
  // Whoever may not see tenants sees their namespaces.
  for (const each of itemsOf(tenants)) stores.gatewayTenants.note(each);
  if (limits.kind === 'seen') stores.limits.note(limits.value);
  const written = await readLimits(stores);
  const sights = [books, clusterWide, local, allOrders, requests, limits];
  const hidden = new Set(sights.flatMap((sight) => (sight.kind === 'hidden' ? [sight.why] : [])));
  return {
    ...(asked !== undefined && { asked }),
    books,
    stores,
    requests: requests.kind === 'seen' ? 'seen' : 'hidden',
    limits: written.limits,
    unseen: [...hidden, ...written.mistakes],
  };
}

function seeAsked(eyes: Eyes, { name, namespace }: NonNullable<Wish['issuer']>): Promise<Sight<Issuer>> {
  return namespace === undefined ? eyes.get(clusterIssuers, { name }) : eyes.get(issuers, { name, namespace });
}

/** All of the cluster; where that is refused, those of the namespace. */
async function everywhereOr<T>(
  here: string | undefined,
  list: (selection: { readonly namespace?: string }) => Promise<Many<T>>,
): Promise<Many<T>> {
  const all = await list({});
  if (all.kind !== 'hidden' || here === undefined) return all;
  const local = await list({ namespace: here });
  return local.kind === 'seen' ? local : all;
}

/** As the controller reads them; what it would say about a bad text is a sentence here. */
async function readLimits(stores: Stores) {
  const mistakes: string[] = [];
  const log = openLogger({ level: 'silent' });
  const recorder = { say: async ({ message }: { readonly message: string }) => void mistakes.push(asOne(message)) };
  const texts = limitTexts({ stores, recorder, log });
  const limits = new Map<string, Limits>();
  const users = [...stores.clusterIssuers.list(), ...stores.issuers.list()];
  for (const directory of new Set(users.filter(({ spec }) => spec.acme !== undefined).map(directoryOf))) {
    limits.set(directory, await texts.at(directory));
  }
  return { limits, mistakes };
}
