// What `certway budget` makes of books and Orders: the same ledger as the controller's, told account by account.

import { describe, expect, it } from 'vitest';
import type { CertificateRequest, Issuer } from '../../src/api/certmanager.ts';
import type { ConfigMap } from '../../src/api/core.ts';
import { annotations } from '../../src/api/names.ts';
import type { Order } from '../../src/api/order.ts';
import { makeStores } from '../../src/apply/stores.ts';
import type { Ask } from '../../src/budget/ask.ts';
import { writeCheckpoint } from '../../src/budget/checkpoint.ts';
import { Ledger } from '../../src/budget/ledger.ts';
import { type Limits, per } from '../../src/budget/limits.ts';
import type { BudgetScene } from '../../src/cli/budget-fetch.ts';
import { budgetView } from '../../src/cli/budget-view.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const hour = 3_600_000;
const directory = 'https://ca.example/directory';
const [one, two] = ['https://ca.example/acct/1', 'https://ca.example/acct/2'] as const;
const limits: Limits = {
  limits: {
    newOrdersPerAccount: per(300, 3 * hour),
    certificatesPerDomain: per(3, 3 * hour),
    certificatesPerExactSet: per(5, 168 * hour),
    failedAuthorizations: per(5, hour),
  },
  overrides: [],
};

const issuer = (name: string, account: string | undefined, namespace?: string): Issuer => ({
  apiVersion: 'cert-manager.io/v1',
  kind: namespace === undefined ? 'ClusterIssuer' : 'Issuer',
  metadata: { name, ...(namespace !== undefined && { namespace }) },
  spec: { acme: { server: directory, privateKeySecretRef: { name: 'key' } } },
  ...(account !== undefined && { status: { acme: { uri: account } } }),
});

const ask = (id: string, account: string, tenant: string, ...identifiers: readonly string[]): Ask => ({
  id,
  account,
  identifiers,
  class: 'new',
  urgency: 'new',
  deadline: now,
  tenant,
  since: now,
});

/** Books as the controller writes them: of a ledger to which this happened. */
function booksOf(happened: (ledger: Ledger) => void, accounts: readonly string[] = [one], at = now - 30_000) {
  const ledger = new Ledger(limits);
  happened(ledger);
  return accounts.map((account, index) => book(writeCheckpoint(ledger.snapshot(account, at)), index));
}

const book = (text: string, index = 0): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: `certway-budget-${index}`,
    namespace: 'certway-system',
    annotations: { [annotations.directory]: directory },
  },
  data: { checkpoint: text },
});

function issue(ledger: Ledger, each: Ask, at = now - 60_000): void {
  ledger.reserve(each, at);
  ledger.placed(each.id, at);
  ledger.issued(each.id, at);
}

const order = (
  name: string,
  change: { note?: object; issuer?: string; namespace?: string; replaces?: string },
): Order => ({
  apiVersion: 'acme.cert-manager.io/v1',
  kind: 'Order',
  metadata: {
    name,
    namespace: change.namespace ?? 'team-a',
    uid: name,
    creationTimestamp: '2026-11-21T11:00:00Z',
    ...(change.note !== undefined && { annotations: { [annotations.state]: JSON.stringify(change.note) } }),
  },
  spec: {
    issuerRef: { name: change.issuer ?? 'le', kind: 'ClusterIssuer' },
    request: '',
    dnsNames: ['a.example.com'],
    ...(change.replaces !== undefined && { replaces: change.replaces }),
  },
});

const revised = (of: Order, revision: string): Order => ({
  ...of,
  metadata: {
    ...of.metadata,
    annotations: { ...of.metadata.annotations, [annotations.certificateRevision]: revision },
  },
});

interface Given {
  readonly issuers?: readonly Issuer[];
  readonly orders?: readonly Order[];
  readonly requests?: readonly CertificateRequest[] | 'hidden';
  readonly books?: readonly ConfigMap[];
  readonly asked?: Issuer;
  readonly known?: Limits;
}

function view({ issuers = [issuer('le', one)], orders = [], requests = [], books = [], asked, known = limits }: Given) {
  const stores = makeStores((error) => {
    throw error;
  });
  for (const each of issuers) (each.kind === 'Issuer' ? stores.issuers : stores.clusterIssuers).note(each);
  for (const each of orders) stores.orders.note(each);
  for (const each of requests === 'hidden' ? [] : requests) stores.requests.note(each);
  const scene: BudgetScene = {
    ...(asked !== undefined && { asked: { kind: 'seen', value: asked } }),
    stores,
    requests: requests === 'hidden' ? 'hidden' : 'seen',
    books: { kind: 'seen', value: books },
    limits: new Map([[directory, known]]),
    unseen: [],
  };
  return budgetView(scene, now);
}

describe('cells', () => {
  const books = booksOf((ledger) => {
    issue(ledger, ask('1', one, 'team-a', 'a.example.com'));
    issue(ledger, ask('2', one, 'team-a', 'b.example.com'));
    issue(ledger, ask('3', one, 'team-b', 'c.example.com', 'd.example.com', 'e.example.com'));
  });
  const [account] = view({ books }).accounts;

  it('are those of the books, scarcest first', () => {
    expect(account?.notedAt).toBe(now - 30_000);
    expect(account?.cells.map(({ limit }) => limit)).toEqual([
      'certificatesPerDomain',
      'certificatesPerExactSet',
      'certificatesPerExactSet',
      'certificatesPerExactSet',
      'newOrdersPerAccount',
    ]);
    expect(account?.cells[0]).toEqual({
      limit: 'certificatesPerDomain',
      subject: 'example.com',
      used: 3,
      left: 0,
      burst: 3,
      nextFree: now - 60_000 + hour,
      spentBy: [
        { tenant: 'team-a', count: 2 },
        { tenant: 'team-b', count: 1 },
      ],
    });
  });

  it('call a failed name by that name', () => {
    const failed = booksOf((ledger) => {
      const each = ask('1', one, 'team-a', 'dead.example.com');
      ledger.reserve(each, now);
      ledger.placed('1', now);
      ledger.failed('1', ['dead.example.com'], now);
    });
    const [found] = view({ books: failed }).accounts;
    expect(found?.cells.map(({ limit, subject }) => `${limit} ${subject}`)).toContain(
      'failedAuthorizations dead.example.com',
    );
  });

  it('of a domain are told to every account that spends there, with what all have spent', () => {
    const shared = booksOf(
      (ledger) => {
        issue(ledger, ask('1', one, 'team-a', 'a.example.com'));
        issue(ledger, ask('2', two, 'team-b', 'b.example.com'));
        issue(ledger, ask('3', two, 'team-b', 'b.other.example'));
      },
      [one, two],
    );
    const { accounts } = view({
      issuers: [issuer('le', one), issuer('le', two, 'team-b')],
      books: shared,
    });
    const domains = accounts.map(({ cells }) => cells.filter(({ limit }) => limit === 'certificatesPerDomain'));
    expect(domains.map((cells) => cells.map(({ subject, used }) => `${subject} ${used}`))).toEqual([
      ['example.com 2'],
      ['example.com 2', 'other.example 1'],
    ]);
  });

  it('that have come free since the books were written are gone', () => {
    const old = booksOf((ledger) => issue(ledger, ask('1', one, 'team-a', 'a.example.com'), now - 200 * hour), [one]);
    expect(view({ books: old }).accounts[0]?.cells).toEqual([]);
  });
});

describe('what happened since the books were written', () => {
  const placed: Order = { ...order('open', {}), status: { url: 'https://ca.example/order/1', state: 'pending' } };

  it('counts: an order at the CA has spent its place, and reserves what it may still spend', () => {
    const [account] = view({ orders: [placed] }).accounts;
    expect(account?.cells.map(({ limit, subject, used }) => `${limit} ${subject} ${used}`).sort()).toEqual([
      'certificatesPerDomain example.com 1',
      'certificatesPerExactSet a.example.com 1',
      'failedAuthorizations a.example.com 1',
      `newOrdersPerAccount ${one} 1`,
    ]);
  });

  it('counts once where the books have it already', () => {
    const books = booksOf((ledger) => {
      ledger.reserve(ask('open', one, 'team-a', 'a.example.com'), now - 1000);
      ledger.placed('open', now - 1000);
    });
    const [account] = view({ orders: [placed], books }).accounts;
    expect(account?.cells.find(({ limit }) => limit === 'newOrdersPerAccount')?.used).toBe(1);
  });

  it('is nothing for an order that waits here', () => {
    expect(view({ orders: [order('a', {})] }).accounts[0]?.cells).toEqual([]);
  });

  it('is left out where no limit is known', () => {
    const [account] = view({ orders: [placed], known: { limits: {}, overrides: [] } }).accounts;
    expect(account?.cells).toEqual([]);
  });

  it('is not guessed of an Order whose request nobody may see', () => {
    const valid: Order = { ...placed, status: { url: 'https://ca.example/order/1', state: 'valid' } };
    expect(view({ orders: [valid], requests: 'hidden' }).accounts[0]?.cells).toEqual([]);
  });
});

describe('accounts', () => {
  it('name all issuers that share one, and are none before there is one', () => {
    const { accounts } = view({
      issuers: [issuer('le', one), issuer('mine', one, 'team-a'), issuer('new', undefined)],
    });
    expect(accounts.map(({ issuers }) => issuers)).toEqual([['ClusterIssuer le', 'Issuer team-a/mine']]);
    expect(accounts[0]).not.toHaveProperty('notedAt');
  });

  it('are only the one that was asked for', () => {
    const asked = issuer('mine', two, 'team-a');
    const { accounts } = view({ issuers: [issuer('le', one), asked], asked });
    expect(accounts.map(({ account }) => account)).toEqual([two]);
  });

  it('with a book that nobody can read say so, and go on without it', () => {
    const { accounts, unseen } = view({ books: [book('{"account":')] });
    expect(accounts).toHaveLength(1);
    expect(unseen).toEqual([
      expect.stringMatching(/^ConfigMap certway-budget-0: The checkpoint cannot be used: it is no JSON$/),
    ]);
  });
});

describe('what the CA has stopped', () => {
  it.each([
    [
      'an account, by a limit without a name',
      { status: 429, retryAt: now + hour },
      [{ kind: 'account', until: now + hour }],
    ],
    ['everything, by a 503', { status: 503, retryAt: now + hour }, [{ kind: 'endpoint', until: now + hour }]],
    [
      'names, until a person acts',
      { status: 429, pauseUrl: 'https://ca.example/pause/1' },
      [{ kind: 'pause', set: 'a.example.com', url: 'https://ca.example/pause/1' }],
    ],
  ])('%s', (_, problem, expected) => {
    const books = booksOf((ledger) => ledger.told(ask('1', one, 'team-a', 'a.example.com'), problem, now));
    expect(view({ books }).accounts[0]?.holds).toEqual(expected);
  });
});

describe('who waits', () => {
  const note = {
    reason: 'RateLimited',
    message: 'example.com is spent',
    attempts: 0,
    nextAttemptAt: '2026-11-21T13:00:00Z',
  };

  it('is told with since when, until when and why, first come first', () => {
    const late = order('late', { note: { ...note, inLine: true } });
    const { metadata } = late;
    const early = { ...order('early', { note }), metadata: { ...order('early', { note }).metadata } };
    const orders: readonly Order[] = [
      { ...late, metadata: { ...metadata, creationTimestamp: '2026-11-21T11:30:00Z' } },
      early,
    ];
    expect(view({ orders }).accounts[0]?.waiting).toMatchObject([
      {
        tenant: 'team-a',
        order: 'early',
        since: now - hour,
        until: now + hour,
        why: 'example.com is spent',
      },
      { order: 'late' },
    ]);
  });

  it.each([
    ['waits for its path', order('a', { note: { ...note, reason: 'SelfCheckFailed' } })],
    ['waits for nothing', order('a', {})],
    ['is over', { ...order('a', { note }), status: { state: 'valid' as const } }],
    ['is of another issuer', order('a', { note, issuer: 'other' })],
  ])('is no Order that %s', (_, each) => {
    expect(view({ orders: [each] }).accounts[0]?.waiting).toEqual([]);
  });

  it.each([
    ['ari', order('a', { note, replaces: 'aki.serial' })],
    ['renewal', revised(order('a', { note }), '2')],
    ['new', revised(order('a', { note }), '1')],
    ['new', order('a', { note })],
  ])('is of class %s', (expected, each) => {
    expect(view({ orders: [each] }).accounts[0]?.waiting.map((row) => row.class)).toEqual([expected]);
  });

  it('without an end where a person has to act', () => {
    for (const reason of ['CAPaused', 'EqualOrder']) {
      const endless = order('a', { note: { ...note, reason, inLine: true } });
      expect(view({ orders: [endless] }).accounts[0]?.waiting[0]).not.toHaveProperty('until');
    }
  });
});
