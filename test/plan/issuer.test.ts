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
    rollover: { traffic: { kind: 'flowing' } },
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
    const status = action.status;
    // Somebody may have put another key there meanwhile, so it is read; the CA is not asked.
    expect(planIssuer(seen({ issuer: issuer({ annotations, status }) }), now)).toEqual({ kind: 'loadKey' });
    const restarted = seen({ issuer: issuer({ annotations, status }), accountKey: held });
    expect(planIssuer(restarted, now)).toEqual({ kind: 'rest' });
  });

  const registered = {
    acme: { uri: 'https://ca.example/acct/1', lastRegisteredEmail: 'a@example.com', lastPrivateKeyHash: 'h' },
    conditions: [{ type: 'Ready', status: 'True', observedGeneration: 1 }],
  } as const;
  const annotations = { 'certway.dev/account-thumbprint': 't' };
  const other = (change: object) => ({
    annotations,
    status: registered,
    spec: { acme: { ...spec.acme, ...change } as never },
  });
  it.each<[string, Partial<IssuerSeen>]>([
    ['the address changed', { issuer: issuer(other({ email: 'b@example.com' })) }],
    ['the server changed', { issuer: issuer(other({ server: 'https://other.example/dir' })) }],
    ['the CA refuses the account', { issuer: issuer({ annotations, status: registered }), account: 'lost' }],
    ['the thumbprint is gone', { issuer: issuer({ status: registered }) }],
    [
      'the thumbprint is of another key',
      { issuer: issuer({ status: registered, annotations: { 'certway.dev/account-thumbprint': 'x' } }) },
    ],
    [
      'the key is another',
      { issuer: issuer({ annotations, status: registered }), accountKey: { ...held, hash: 'other' } },
    ],
    [
      'the spec changed in any way',
      {
        issuer: issuer({
          annotations,
          status: { ...registered, conditions: [{ type: 'Ready', status: 'True', observedGeneration: 0 }] },
        }),
      },
    ],
  ])('asks the CA again when %s', (_, change) => {
    expect(planIssuer(seen({ accountKey: held, ...change }), now)).toEqual({ kind: 'register' });
  });

  it('has the CA told of an address that was edited since', () => {
    const edited = issuer(other({ email: 'b@example.com' }));
    expect(planIssuer(seen({ issuer: edited, accountKey: held, registration: done }), now)).toEqual({
      kind: 'register',
    });
  });
});

const refusedAddress = {
  kind: 'problem',
  attempts: 1,
  at: now,
  problem: { kind: 'refused', status: 400, type: 'invalidContact', detail: 'No such domain' },
} as const;

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
    ['a type that we do not sign for', { issuer: issuer({ spec: { venafi: {} } }) }, 'NotSupported'],
    ['a solver without its Secret', { solverLack: 'Secret "a/b" does not exist' }, 'InvalidSolver'],
    [
      'an account that the CA has closed',
      { accountKey: held, registration: { kind: 'closed', message: 'gone' } },
      'ACMEAccountDeactivated',
    ],
    [
      'a binding without its Secret',
      { accountKey: held, registration: { kind: 'blocked', message: 'none' } },
      'ErrRegisterACMEAccount',
    ],
    [
      'an address that the CA refuses',
      { accountKey: held, registration: { ...refusedAddress, step: 'update' } },
      'ErrUpdateACMEAccount',
    ],
  ])('%s', (_, change, expected) => {
    expect(reason(planIssuer(seen(change), now))).toBe(expected);
  });
});

describe('a registration that the CA refuses', () => {
  const limited = (attempts: number, retryAt?: number) =>
    ({
      kind: 'problem',
      step: 'register',
      attempts,
      at: now,
      problem: { kind: 'rateLimited', detail: 'too many accounts', ...(retryAt !== undefined && { retryAt }) },
    }) as const;

  function told(change: Partial<IssuerSeen>) {
    const action = planIssuer(seen(change), now);
    if (action.kind !== 'writeStatus') throw new Error(action.kind);
    return { ready: action.ready, after: seen({ ...change, issuer: issuer({ status: action.status }) }) };
  }

  it('is told with the moment of the next try, and tried again when the CA says', () => {
    const change = { accountKey: held, registration: limited(1, now + 3_600_000) };
    const { ready, after } = told(change);
    expect(ready).toEqual({
      status: 'False',
      reason: 'ErrRegisterACMEAccount',
      message: 'too many accounts. Tried again at 2026-11-21T13:00:00Z.',
      // The event does not change with each try.
      lasting: 'too many accounts',
    });
    expect(planIssuer(after, now)).toEqual({ kind: 'rest', revisitAt: now + 3_600_000 });
    expect(planIssuer(after, now + 3_600_000)).toEqual({ kind: 'register' });
  });

  it.each([
    ['rate limited', limited(1), 5_000],
    ['rate limited', limited(2), 10_000],
    ['rate limited', limited(20), 600_000],
    ['refused', { ...refusedAddress, step: 'register', attempts: 20 } as const, 3_600_000],
  ])('without a word from the CA: %s, attempt %#, again later', (_, registration, interval) => {
    const { after } = told({ accountKey: held, registration });
    expect(planIssuer(after, now)).toEqual({ kind: 'rest', revisitAt: now + interval });
  });
});

describe('an issuer that another part judges', () => {
  const vault = issuer({ spec: { venafi: {} } });
  const verdict = {
    readiness: { status: 'False', reason: 'VaultError', message: 'sealed' },
    revisitAt: now + 5_000,
  } as const;

  it('says what that part says, and is looked at when that part wants', () => {
    const action = planIssuer(seen({ issuer: vault, verdict }), now);
    expect(reason(action)).toBe('VaultError');
    if (action.kind !== 'writeStatus') throw new Error(action.kind);
    const after = seen({ issuer: { ...vault, status: action.status }, verdict });
    expect(planIssuer(after, now)).toEqual({ kind: 'rest', revisitAt: now + 5_000 });
  });
});

describe('closing an account', () => {
  const uri = 'https://ca.example/acct/1';
  const status = {
    acme: { uri, lastRegisteredEmail: 'a@example.com', lastPrivateKeyHash: 'h' },
    conditions: [{ type: 'Ready', status: 'True', observedGeneration: 1 }],
  } as const;
  const asked = (url: string) =>
    issuer({ status, annotations: { 'certway.dev/account-thumbprint': 't', 'certway.dev/deactivate-account': url } });

  it('is asked for by the URL of the very account', () => {
    expect(planIssuer(seen({ issuer: asked(uri), accountKey: held }), now)).toEqual({ kind: 'deactivate' });
    // The wish for an earlier account does not reach the one that came after it.
    expect(planIssuer(seen({ issuer: asked(`${uri}0`), accountKey: held }), now)).toEqual({ kind: 'rest' });
  });

  it('is tried again when the CA could not be asked', () => {
    const closing = { problem: { kind: 'network', detail: 'cut', sent: 'no' }, attempts: 1, at: now } as const;
    const change = { issuer: asked(uri), accountKey: held, closing };
    expect(planIssuer(seen(change), now)).toEqual({ kind: 'rest', revisitAt: now + 5_000 });
    expect(planIssuer(seen(change), now + 5_000)).toEqual({ kind: 'deactivate' });
  });
});
