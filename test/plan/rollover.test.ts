// The rollover of an account key, step by step and from every place where a process may have stopped.

import { describe, expect, it } from 'vitest';
import type { Issuer } from '../../src/api/certmanager.ts';
import { planIssuer } from '../../src/plan/issuer.ts';
import type { AccountKeySeen, IssuerSeen, NextKeySeen } from '../../src/plan/issuer-seen.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const uri = 'https://ca.example/acct/1';
const thumbprint = 'certway.dev/account-thumbprint';
const wish = 'certway.dev/rollover-account-key';
const done = 'certway.dev/rolled-over-account-key';

function issuer(annotations: Record<string, string>, server = 'https://ca.example/dir'): Issuer {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Issuer',
    metadata: { name: 'le', namespace: 'team', generation: 1, annotations },
    spec: { acme: { server, privateKeySecretRef: { name: 'account' } } },
    status: {
      acme: { uri, lastPrivateKeyHash: 'old' },
      conditions: [{ type: 'Ready', status: 'True', observedGeneration: 1 }],
    },
  };
}

const old = { kind: 'held', hash: 'old', thumbprint: 'told' } as const;
const asked = { [thumbprint]: 'told', [wish]: 'now' };

function next(standing: NextKeySeen['standing']): AccountKeySeen {
  return { ...old, next: { hash: 'new', thumbprint: 'tnew', standing } };
}

function plan(accountKey: AccountKeySeen, change: Partial<IssuerSeen> & { notes?: Record<string, string> } = {}) {
  const { notes = asked, ...rest } = change;
  const seen: IssuerSeen = {
    issuer: issuer(notes),
    accountKey,
    account: 'asTold',
    registration: { kind: 'none' },
    rollover: { traffic: { kind: 'flowing' } },
    ...rest,
  };
  return planIssuer(seen, now);
}

const failure = { problem: { kind: 'unavailable', status: 503, detail: 'down' }, attempts: 1, at: now } as const;

describe('a rollover', () => {
  it('begins with a second key in the Secret', () => {
    expect(plan(old)).toEqual({ kind: 'makeNextKey' });
  });

  it.each([
    ['the value is the one that was done', { notes: { ...asked, [done]: 'now' } }],
    ['the value is empty', { notes: { [thumbprint]: 'told', [wish]: '' } }],
    ['nothing is asked', { notes: { [thumbprint]: 'told' } }],
  ])('does not begin when %s', (_, change) => {
    expect(plan(old, change)).toEqual({ kind: 'rest' });
  });

  it('does not begin again where the Secret says that it is done', () => {
    expect(plan({ ...old, rolledOver: 'now' })).toEqual({ kind: 'rest' });
  });

  it.each([
    ['nobody knows which key the CA knows', next('unknown'), {}, { kind: 'askNextKey' }],
    ['requests may be under way', next('unused'), {}, { kind: 'drain' }],
    [
      'they are waited for',
      next('unused'),
      { rollover: { traffic: { kind: 'draining', lookAt: now + 500 } } },
      { kind: 'rest', revisitAt: now + 500 },
    ],
    [
      'they may be over',
      next('unused'),
      { rollover: { traffic: { kind: 'draining', lookAt: now } } },
      { kind: 'drain' },
    ],
    ['nothing is under way', next('unused'), { rollover: { traffic: { kind: 'quiet' } } }, { kind: 'changeKey' }],
    ['the CA has changed', next('inForce'), {}, { kind: 'swapKey', asked: 'now' }],
    ['the new key has another account', next('foreign'), {}, { kind: 'dropNextKey' }],
    ['the wish was withdrawn in time', next('unused'), { notes: { [thumbprint]: 'told' } }, { kind: 'dropNextKey' }],
    [
      'the wish was withdrawn too late',
      next('inForce'),
      { notes: { [thumbprint]: 'told' } },
      { kind: 'swapKey', asked: '' },
    ],
    ['another issuer rolls the shared key over', next('theirs'), {}, { kind: 'rest' }],
    [
      'it does so while this one has no account',
      next('theirs'),
      { account: 'lost' },
      { kind: 'rest', revisitAt: now + 5_000 },
    ],
    ['the CA refuses the account meanwhile', next('unknown'), { account: 'lost' }, { kind: 'askNextKey' }],
    [
      'the issuer has gone to another CA',
      next('unknown'),
      { issuer: issuer(asked, 'https://other.example/dir') },
      { kind: 'dropNextKey' },
    ],
  ] as const)('goes on where it is: %s', (_, key, change, action) => {
    expect(plan(key, change)).toEqual(action);
  });

  it.each([
    ['unknown', { kind: 'askNextKey' }],
    ['unused', { kind: 'register' }],
  ] as const)('changes nothing after an edit of the spec until the account is confirmed: %s', (standing, action) => {
    const edited = issuer(asked, 'https://ca.example/other-dir');
    const later = { ...edited, metadata: { ...edited.metadata, generation: 2 } };
    for (const kind of ['flowing', 'quiet'] as const)
      expect(plan(next(standing), { issuer: later, rollover: { traffic: { kind } } })).toEqual(action);
  });

  it('tells the new thumbprint and what is done in one write, then the status, then goes on with orders', () => {
    const key = { kind: 'held', hash: 'new', thumbprint: 'tnew', rolledOver: 'now' } as const;
    const registration = { kind: 'done', url: uri, email: '' } as const;
    const rollover = { traffic: { kind: 'quiet' } } as const;
    expect(plan(key, { registration, rollover })).toEqual({ kind: 'annotate', thumbprint: 'tnew', rolledOver: 'now' });
    const notes = { ...asked, [thumbprint]: 'tnew', [done]: 'now' };
    const told = plan(key, { registration, rollover, notes });
    if (told.kind !== 'writeStatus') throw new Error(told.kind);
    expect(told.status).toMatchObject({
      acme: { uri, lastPrivateKeyHash: 'new' },
      conditions: [{ type: 'Ready' }, { type: 'AccountKeyRolledOver', status: 'True', reason: 'RolledOver' }],
    });
    const finished = { ...issuer(notes), status: told.status };
    expect(plan(key, { issuer: finished, registration, rollover })).toEqual({ kind: 'resume' });
    expect(plan(key, { issuer: finished, registration })).toEqual({ kind: 'rest' });
  });

  it('after a crash behind the swap asks the CA for the new key’s account', () => {
    expect(plan({ kind: 'held', hash: 'new', thumbprint: 'tnew', rolledOver: 'now' })).toEqual({ kind: 'register' });
  });

  it('is not made for a wish that is older than the account: its key is new', () => {
    const registration = { kind: 'done', url: uri, email: '' } as const;
    const fresh = plan(old, { notes: { [wish]: 'from git' }, registration });
    expect(fresh).toEqual({ kind: 'annotate', thumbprint: 'told', rolledOver: 'from git' });
  });
});

describe('a rollover that cannot be', () => {
  const written = (action: ReturnType<typeof plan>) => {
    if (action.kind !== 'writeStatus') throw new Error(action.kind);
    return action.status.conditions?.find((each) => each.type === 'AccountKeyRolledOver');
  };

  it('says what stands against it, and the issuer stays Ready', () => {
    const action = plan(old, { rollover: { traffic: { kind: 'flowing' }, obstacle: 'Shared.' } });
    expect(written(action)).toMatchObject({ status: 'False', reason: 'Refused', message: 'Shared.' });
    expect(action).toMatchObject({ status: { conditions: [{ type: 'Ready', status: 'True' }, {}] } });
  });

  it.each([
    ['before its key is made', old],
    ['before the CA was asked', next('unused')],
    ['while nobody knows which key is in use', next('unknown')],
  ])('says when it is tried again, %s', (_, key) => {
    const rollover = { traffic: { kind: 'flowing' }, failure } as const;
    const action = plan(key, { rollover });
    expect(written(action)).toMatchObject({ reason: 'Failed', message: 'down. Tried again at 2026-11-21T12:00:05Z.' });
    if (action.kind !== 'writeStatus') throw new Error(action.kind);
    const told = { ...issuer(asked), status: action.status };
    expect(plan(key, { issuer: told, rollover })).toEqual({ kind: 'rest', revisitAt: now + 5_000 });
  });
});
