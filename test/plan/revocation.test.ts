// What happens to a certificate that its owner wants revoked, from the wish to the end, and what is refused.

import { describe, expect, it } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import type { Condition } from '../../src/api/meta.ts';
import {
  plainSerial,
  planRevocation,
  type RevocationSeen,
  replacementFor,
  revocationWish,
} from '../../src/plan/revocation.ts';

const now = Date.parse('2026-11-21T12:00:00Z');

function certificate(wish: string | undefined, ...conditions: readonly Condition[]): Certificate {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: {
      name: 'web',
      namespace: 'team',
      ...(wish !== undefined && { annotations: { 'certway.dev/revoke': wish } }),
    },
    spec: { secretName: 'web', issuerRef: { name: 'le' } },
    status: { conditions },
  };
}

const revoked: Condition = {
  type: 'Revoked',
  status: 'True',
  reason: 'Revoked',
  message: 'Certificate AB12 was revoked (x).',
};

function seen(wish: string | undefined, change: Partial<RevocationSeen> = {}): RevocationSeen {
  return { certificate: certificate(wish), issuer: 'acme', served: holds('AB12'), ...change };
}

function holds(serial: string) {
  return { serial, fingerprint: `of ${serial}` };
}

describe('a wish', () => {
  it.each([
    ['superseded@ab12', { reason: 'superseded', serial: 'AB12', when: 'replaced' }],
    ['KEYCOMPROMISE@00:ab:12 now', { reason: 'keyCompromise', serial: 'AB12', when: 'now' }],
    [' unspecified@0 ', { reason: 'unspecified', serial: '0', when: 'replaced' }],
    ['', undefined],
    [undefined, undefined],
  ])('%j is read', (text, wish) => {
    expect(revocationWish(certificate(text))).toEqual(wish);
  });

  it.each([
    'superseded',
    '@AB12',
    'caCompromise@AB12',
    'superseded@XY',
    'superseded@AB12 later',
    `superseded@${'A'.repeat(81)}`,
  ])('%j is misread, and that is told', (text) => {
    expect(planRevocation(seen(text), now)).toMatchObject({
      kind: 'tell',
      condition: { status: 'False', reason: 'Misread' },
    });
    expect(replacementFor(seen(text))).toBeUndefined();
  });

  it.each([
    ['0A', 'A'],
    ['00', '0'],
    ['aa:bb', 'AABB'],
  ])('names its certificate in any spelling: %s', (serial, plain) => {
    expect(plainSerial(serial)).toBe(plain);
  });
});

describe('a certificate that is served', () => {
  const wish = { reason: 'superseded', serial: 'AB12', when: 'replaced' } as const;

  it('is put aside, replaced, and revoked when another one is served; then its copy goes', () => {
    const first = seen('superseded@AB12');
    expect(planRevocation(first, now)).toEqual({ kind: 'keep' });
    expect(replacementFor(first)).toBeUndefined();
    const aside = seen('superseded@AB12', { kept: 'AB12' });
    expect(planRevocation(aside, now)).toMatchObject({
      kind: 'tell',
      condition: { status: 'False', reason: 'Replacing' },
    });
    expect(replacementFor(aside)).toMatchObject({ fingerprint: 'of AB12', freshKey: false });
    const replaced = seen('superseded@AB12', { kept: 'AB12', served: holds('CD34') });
    expect(planRevocation(replaced, now)).toEqual({ kind: 'revoke', pair: 'kept', wish });
    expect(replacementFor(replaced)).toBeUndefined();
    const told = { ...replaced, certificate: certificate('superseded@AB12', revoked) };
    expect(planRevocation(told, now)).toEqual({ kind: 'drop' });
    const { kept: _, ...over } = told;
    expect(planRevocation(over, now)).toEqual({ kind: 'rest' });
  });

  it('is revoked first where its owner cannot wait, and then replaced', () => {
    const urgent = seen('keyCompromise@AB12 now');
    expect(planRevocation(urgent, now)).toMatchObject({ kind: 'revoke', pair: 'served', wish: { when: 'now' } });
    expect(replacementFor(urgent)).toBeUndefined();
    const told = { ...urgent, certificate: certificate('keyCompromise@AB12 now', revoked) };
    expect(planRevocation(told, now)).toEqual({ kind: 'rest' });
    expect(replacementFor(told)).toMatchObject({ fingerprint: 'of AB12', freshKey: true });
    expect(replacementFor({ ...told, served: holds('CD34') })).toBeUndefined();
  });

  it.each(['cessationOfOperation@AB12', 'cessationOfOperation@AB12 now'])(
    'for %j is revoked and not replaced',
    (text) => {
      expect(planRevocation(seen(text), now)).toMatchObject({ kind: 'revoke', pair: 'served' });
      expect(replacementFor({ ...seen(text), certificate: certificate(text, revoked) })).toBeUndefined();
    },
  );

  it('gets a new key after a compromise alone', () => {
    for (const reason of ['unspecified', 'superseded', 'affiliationChanged', 'keyCompromise']) {
      const freshKey = reason === 'keyCompromise';
      expect(replacementFor(seen(`${reason}@AB12`, { kept: 'AB12' }))).toMatchObject({ freshKey });
    }
  });

  it('of an issuer that cannot revoke is replaced, and who can help is told', () => {
    const other = seen('keyCompromise@AB12', { issuer: 'other' });
    expect(planRevocation(other, now)).toMatchObject({ kind: 'tell', condition: { reason: 'NotSupported' } });
    expect(replacementFor(other)).toMatchObject({ freshKey: true });
  });

  it('waits for its issuer', () => {
    const waiting = planRevocation(seen('superseded@AB12 now', { issuer: 'unready' }), now);
    expect(waiting).toMatchObject({ kind: 'tell', condition: { reason: 'IssuerNotReady' } });
  });

  it('is asked for again when the CA could not be reached, and both is told', () => {
    const failure = { problem: { kind: 'network', detail: 'cut', sent: 'no' }, attempts: 1, at: now } as const;
    const failed = seen('superseded@AB12 now', { failure });
    const told = planRevocation(failed, now);
    if (told.kind !== 'tell') throw new Error(told.kind);
    expect(told.condition.message).toBe('The CA did not revoke it: cut. Tried again at 2026-11-21T12:00:05Z.');
    const after = { ...failed, certificate: certificate('superseded@AB12 now', told.condition) };
    expect(planRevocation(after, now)).toEqual({ kind: 'rest', revisitAt: now + 5_000 });
    expect(planRevocation(after, now + 5_000)).toMatchObject({ kind: 'revoke' });
  });
});

describe('what is not served', () => {
  it.each([
    ['another one is', { served: holds('CD34') }, /holds certificate CD34/],
    ['nothing is', { served: undefined }, /holds no certificate with its key/],
  ])('is not revoked: %s', (_, { served }, words) => {
    const { served: _gone, ...rest } = seen('keyCompromise@AB12 now');
    const action = planRevocation({ ...rest, ...(served !== undefined && { served }) }, now);
    if (action.kind !== 'tell') throw new Error(action.kind);
    expect(action.condition).toMatchObject({
      status: 'False',
      reason: 'NotFound',
      message: expect.stringMatching(words),
    });
  });
});

describe('what was put aside', () => {
  it('goes when the wish is withdrawn, or is for another certificate', () => {
    expect(planRevocation(seen(undefined, { kept: 'AB12' }), now)).toEqual({ kind: 'drop' });
    expect(planRevocation(seen('superseded@AB12', { kept: 'CD34' }), now)).toEqual({ kind: 'drop' });
    expect(planRevocation(seen('superseded@AB12', { kept: 'none' }), now)).toEqual({ kind: 'drop' });
  });

  it('never takes the place of somebody else’s Secret', () => {
    const action = planRevocation(seen('superseded@AB12', { kept: 'strange' }), now);
    expect(action).toMatchObject({
      kind: 'tell',
      condition: { reason: 'Failed', message: expect.stringContaining('rename it') },
    });
    expect(planRevocation(seen(undefined, { kept: 'strange' }), now)).toEqual({ kind: 'rest' });
  });
});
