// Which proofs of a waiting order have a Challenge, what it says, and when one that stands is the one that is wanted.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AcmeSolver } from '../../src/api/certmanager.ts';
import type { Challenge } from '../../src/api/challenge.ts';
import type { Order } from '../../src/api/order.ts';
import type { OrderState, Proof } from '../../src/order/state.ts';
import { type ChallengeFacts, challengesFor, mirrors, saysSame } from '../../src/plan/challenges.ts';

const order: Order = {
  apiVersion: 'acme.cert-manager.io/v1',
  kind: 'Order',
  metadata: { name: 'web-1-123', namespace: 'team', uid: 'u1', labels: { team: 'a' } },
  spec: { request: '', issuerRef: { name: 'le', kind: 'ClusterIssuer' } },
};
const dns: AcmeSolver = { dns01: { rfc2136: { nameserver: '192.0.2.1' } } };
const http: AcmeSolver = { http01: { gatewayHTTPRoute: {} } };

function proof(host: string, change: Partial<Proof> = {}): Proof {
  const urls = { authorizationUrl: `https://ca/authz/${host}`, challengeUrl: `https://ca/chall/${host}` };
  return { type: 'dns-01', host, wildcard: false, token: `t-${host}`, ...urls, ...change };
}

const caOrder = { url: 'https://ca/1', status: 'pending', finalize: '', authorizations: [], identifiers: [] } as const;

function waiting(reason: string, ...proofs: readonly Proof[]): OrderState {
  const wait = { until: 1, reason, message: `${reason} it is.`, attempts: 1 };
  return { kind: 'recorded', order: caOrder, proofs, wait };
}

function made(state: OrderState, change: Partial<ChallengeFacts> = {}): readonly Challenge[] {
  const solverOf = ({ type }: Proof) => (type === 'dns-01' ? dns : http);
  return challengesFor({
    order,
    state,
    thumbprint: 'thumb',
    solverOf,
    progressOf: () => ({ kind: 'open' }),
    ...change,
  });
}

describe('a Challenge', () => {
  it('is the proof as the CA knows it, owned by its Order', () => {
    const [challenge] = made(waiting('NotPropagated', proof('a.test', { wildcard: true })));
    expect(challenge).toEqual({
      apiVersion: 'acme.cert-manager.io/v1',
      kind: 'Challenge',
      metadata: {
        name: expect.stringMatching(/^web-1-123-[0-9a-f]{10}$/),
        namespace: 'team',
        labels: { team: 'a' },
        ownerReferences: [
          {
            apiVersion: 'acme.cert-manager.io/v1',
            kind: 'Order',
            name: 'web-1-123',
            uid: 'u1',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: {
        url: 'https://ca/chall/a.test',
        authorizationURL: 'https://ca/authz/a.test',
        dnsName: 'a.test',
        wildcard: true,
        type: 'DNS-01',
        token: 't-a.test',
        key: createHash('sha256').update('t-a.test.thumb').digest('base64url'),
        issuerRef: { name: 'le', kind: 'ClusterIssuer' },
        solver: dns,
      },
      status: { state: 'pending', processing: true, presented: true, reason: 'NotPropagated it is.' },
    });
  });

  it('of HTTP-01 holds the key authorization itself', () => {
    const [challenge] = made(waiting('SelfCheckFailed', proof('a.test', { type: 'http-01' })));
    expect(challenge?.spec).toMatchObject({ type: 'HTTP-01', key: 't-a.test.thumb', solver: http });
  });

  it.each(['PresentError', 'DNSLookupFailed', 'NoChallengePath', 'NameTaken'])(
    'is not presented after %s',
    (reason) => {
      expect(made(waiting(reason, proof('a.test')))[0]?.status?.presented).toBe(false);
    },
  );

  it('of a name and of its wildcard are two, and no name is too long or ends badly', () => {
    const long = { ...order, metadata: { ...order.metadata, name: `${'a'.repeat(241)}.${'b'.repeat(11)}` } };
    const both = waiting('NotPropagated', proof('a.test'), proof('a.test', { wildcard: true }));
    const names = made(both, { order: long }).map(({ metadata }) => metadata.name);
    expect(new Set(names).size).toBe(2);
    for (const name of names) {
      expect(name.length).toBeLessThanOrEqual(253);
      expect(name).toMatch(/^a{241}-[0-9a-f]{10}$/);
    }
  });
});

describe('no Challenge has', () => {
  const hosts = (state: OrderState, change: Partial<ChallengeFacts> = {}) =>
    made(state, change).map(({ spec }) => spec.dnsName);

  it('an order that waits for nothing, or has no proofs yet', () => {
    expect(hosts({ kind: 'recorded', order: caOrder, proofs: [proof('a.test')] })).toEqual([]);
    const wait = { until: 1, reason: 'SelfCheckFailed', message: 'x', attempts: 1 };
    expect(hosts({ kind: 'intended', asked: 'no', wait })).toEqual([]);
  });

  it('a proof that is settled, or whose solver the issuer has no more', () => {
    const state = waiting('NotPropagated', proof('a.test'), proof('b.test'), proof('c.test'));
    const progressOf: ChallengeFacts['progressOf'] = ({ host }) =>
      host === 'a.test' ? { kind: 'settled' } : { kind: 'open', reason: `${host} lacks it.` };
    const found = made(state, { progressOf, solverOf: ({ host }) => (host === 'b.test' ? undefined : dns) });
    expect(found.map(({ spec, status }) => [spec.dnsName, status?.reason])).toEqual([['c.test', 'c.test lacks it.']]);
  });

  it.each(['PresentError', 'DNSLookupFailed', 'NotPropagated'])(
    'a name by HTTP-01 where %s holds the order',
    (reason) => {
      expect(hosts(waiting(reason, proof('a.test', { type: 'http-01' }), proof('b.test')))).toEqual(['b.test']);
    },
  );
});

describe('one that stands', () => {
  const [wanted] = made(waiting('NotPropagated', proof('a.test')));
  if (wanted === undefined) throw new Error('none was made');
  const with_ = (spec: object, metadata: object = {}) =>
    ({
      ...wanted,
      metadata: { ...wanted.metadata, ...metadata },
      spec: { ...wanted.spec, ...spec },
    }) satisfies Challenge;

  it('is the wanted one whatever its status and its labels', () => {
    expect(mirrors({ ...with_({}, { labels: {} }), status: {} }, wanted)).toBe(true);
  });

  it.each([
    ['another Order owns', with_({}, { ownerReferences: [{ ...wanted.metadata.ownerReferences?.[0], uid: 'u2' }] })],
    ['has another token', with_({ token: 'old' })],
    ['has another key, as after a rollover', with_({ key: 'old' })],
    ['names another solver', with_({ solver: http })],
  ])('that %s is another', (_, standing) => {
    expect(mirrors(standing, wanted)).toBe(false);
  });

  it('says the same where reason and presented are equal', () => {
    expect(saysSame(wanted, { ...wanted })).toBe(true);
    expect(saysSame({ ...wanted, status: { ...wanted.status, reason: 'other' } }, wanted)).toBe(false);
    expect(saysSame({ ...wanted, status: { ...wanted.status, presented: false } }, wanted)).toBe(false);
  });
});
