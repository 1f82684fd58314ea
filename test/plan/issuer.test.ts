import { describe, expect, it } from 'vitest';
import type { Issuer, IssuerSpec } from '../../src/api/certmanager.ts';
import { planIssuer } from '../../src/plan/issuer.ts';
import type { IssuerAction, IssuerSeen } from '../../src/plan/issuer-seen.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const spec: IssuerSpec = {
  acme: { server: 'https://ca.example/dir', email: 'a@example.com', privateKeySecretRef: { name: 'account' } },
};

function issuer(
  change: { spec?: IssuerSpec; status?: Issuer['status']; annotations?: Record<string, string> } = {},
): Issuer {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name: 'le', generation: 1, annotations: change.annotations ?? {} },
    spec: change.spec ?? spec,
    ...(change.status !== undefined && { status: change.status }),
  };
}

function seen(change: Partial<IssuerSeen> = {}): IssuerSeen {
  return {
    issuer: issuer(),
    accountKey: { kind: 'unread' },
    account: 'asTold',
    registration: { kind: 'none' },
    ...change,
  };
}

const held = { kind: 'held', hash: 'h', thumbprint: 't' } as const;
const done = { kind: 'done', url: 'https://ca.example/acct/1', email: 'a@example.com' } as const;

function reason(action: IssuerAction): string | undefined {
  return action.kind === 'writeStatus' ? action.ready.reason : undefined;
}

describe('an ACME issuer on its way to Ready', () => {
  it.each<[string, Partial<IssuerSeen>, IssuerAction['kind']]>([
    ['reads its key', {}, 'loadKey'],
    ['makes one when there is none', { accountKey: { kind: 'absent' } }, 'makeKey'],
    ['registers', { accountKey: held }, 'register'],
    ['leaves its thumbprint for every replica', { accountKey: held, registration: done }, 'annotate'],
  ])('%s', (_, change, kind) => {
    expect(planIssuer(seen(change), now).kind).toBe(kind);
  });

  it('is Ready with its account, and then asks for nothing, also after a restart', () => {
    const annotations = { 'certway.dev/account-thumbprint': 't' };
    const action = planIssuer(seen({ issuer: issuer({ annotations }), accountKey: held, registration: done }), now);
    if (action.kind !== 'writeStatus') throw new Error(action.kind);
    expect(action.status).toMatchObject({
      acme: { uri: 'https://ca.example/acct/1', lastRegisteredEmail: 'a@example.com', lastPrivateKeyHash: 'h' },
      conditions: [{ type: 'Ready', status: 'True', reason: 'ACMEAccountRegistered' }],
    });
    const restarted = seen({ issuer: issuer({ annotations, status: action.status }) });
    expect(planIssuer(restarted, now)).toEqual({ kind: 'rest' });
  });

  const registered = {
    acme: { uri: 'https://ca.example/acct/1', lastRegisteredEmail: 'a@example.com', lastPrivateKeyHash: 'h' },
    conditions: [{ type: 'Ready', status: 'True' }],
  } as const;
  const annotations = { 'certway.dev/account-thumbprint': 't' };
  it.each<[string, Partial<IssuerSeen>]>([
    [
      'the address changed',
      {
        issuer: issuer({
          annotations,
          status: registered,
          spec: { acme: { ...spec.acme, email: 'b@example.com' } as never },
        }),
      },
    ],
    [
      'the server changed',
      {
        issuer: issuer({
          annotations,
          status: registered,
          spec: { acme: { ...spec.acme, server: 'https://other.example/dir' } as never },
        }),
      },
    ],
    [
      'the CA does not know the account any more',
      { issuer: issuer({ annotations, status: registered }), account: 'lost' },
    ],
    ['the thumbprint is gone', { issuer: issuer({ status: registered }) }],
  ])('looks again when %s', (_, change) => {
    expect(planIssuer(seen(change), now)).toEqual({ kind: 'loadKey' });
  });
});

describe('an issuer that cannot be Ready says why', () => {
  it.each<[string, Partial<IssuerSeen>, string]>([
    [
      'an http server',
      { issuer: issuer({ spec: { acme: { ...spec.acme, server: 'http://ca/dir' } as never } }) },
      'InvalidURL',
    ],
    [
      'ACME v1',
      {
        issuer: issuer({
          spec: { acme: { ...spec.acme, server: 'https://acme-v01.api.letsencrypt.org/directory' } as never },
        }),
      },
      'InvalidConfig',
    ],
    [
      'no key, and none may be made',
      {
        issuer: issuer({ spec: { acme: { ...spec.acme, disableAccountKeyGeneration: true } as never } }),
        accountKey: { kind: 'absent' },
      },
      'ErrVerifyACMEAccount',
    ],
    ['an unreadable key', { accountKey: { kind: 'unusable', message: 'no key' } }, 'ErrVerifyACMEAccount'],
    [
      'a CA without its Secret',
      { issuer: issuer({ spec: { ca: { secretName: 'ca' } } }), signer: { kind: 'absent', message: 'missing' } },
      'ErrGetKeyPair',
    ],
    [
      'a CA that is none',
      { issuer: issuer({ spec: { ca: { secretName: 'ca' } } }), signer: { kind: 'unusable', message: 'not a CA' } },
      'ErrInvalidKeyPair',
    ],
    ['a type that we do not sign for', { issuer: issuer({ spec: { vault: {} } }) }, 'NotSupported'],
  ])('%s', (_, change, expected) => {
    expect(reason(planIssuer(seen(change), now))).toBe(expected);
  });
});

describe('a registration that the CA refuses', () => {
  const refused = (attempts: number, retryAt?: number) =>
    ({
      kind: 'problem',
      attempts,
      at: now,
      problem: { kind: 'rateLimited', detail: 'too many accounts', ...(retryAt !== undefined && { retryAt }) },
    }) as const;

  it('is told, and tried again when the CA says', () => {
    const change = { accountKey: held, registration: refused(1, now + 3_600_000) };
    const told = planIssuer(seen(change), now);
    expect(reason(told)).toBe('ErrRegisterACMEAccount');
    if (told.kind !== 'writeStatus') throw new Error(told.kind);
    const after = seen({ ...change, issuer: issuer({ status: told.status }) });
    expect(planIssuer(after, now)).toEqual({ kind: 'rest', revisitAt: now + 3_600_000 });
    expect(planIssuer(after, now + 3_600_000)).toEqual({ kind: 'register' });
  });

  it.each([
    [1, 5_000],
    [2, 10_000],
    [20, 600_000],
  ])('without a word from the CA: after failure %i in %i ms', (attempts, interval) => {
    const change = { accountKey: held, registration: refused(attempts) };
    const told = planIssuer(seen(change), now);
    if (told.kind !== 'writeStatus') throw new Error(told.kind);
    const after = seen({ ...change, issuer: issuer({ status: told.status }) });
    expect(planIssuer(after, now)).toEqual({ kind: 'rest', revisitAt: now + interval });
  });
});

it('registers again after any change of the spec, so that a wrong one is told', () => {
  const status = {
    acme: { uri: 'https://ca.example/acct/1', lastRegisteredEmail: 'a@example.com', lastPrivateKeyHash: 'h' },
    conditions: [{ type: 'Ready', status: 'True', observedGeneration: 0 }],
  } as const;
  const annotations = { 'certway.dev/account-thumbprint': 't' };
  expect(planIssuer(seen({ issuer: issuer({ annotations, status }) }), now)).toEqual({ kind: 'loadKey' });
});
