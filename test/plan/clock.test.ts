// A clock that jumps, forward or back: what is due by the new time is done, what is not is left, and no pause outlasts what it was meant to be by years.

import { describe, expect, it } from 'vitest';
import { renewAt } from '../../src/plan/renewal.ts';
import { certificate, conditionIn, day, facts, minute, now, request, seen, settle } from './certificate-scene.ts';

const life = { notBefore: now, notAfter: now + 90 * day };

function served(at: number) {
  const renewal = renewAt({ leaf: life, seed: 'c1' });
  if (renewal.kind !== 'due') throw new Error(renewal.kind);
  const leaf = { ...life, keyFingerprint: 'k1', fingerprint: 'f1', origin: 'issuer' } as const;
  const given = seen({
    secret: { kind: 'ours', facts: { ...facts, leaf } },
    renewAt: renewal.at,
    certificate: certificate({ revision: 1 }),
  });
  return { due: renewal.at, ...settle(given, at) };
}

describe('a certificate of 90 days', () => {
  it.each([
    ['a day later', now + day],
    ['set back by a year, so that the certificate is of the future', now - 365 * day],
    ['set back by a minute', now - minute],
    ['a moment before its renewal', now + 59 * day],
  ])('rests until its renewal when it is %s', (_, at) => {
    const { due, next, seen: after } = served(at);
    expect(next).toEqual({ kind: 'rest', revisitAt: due });
    expect(conditionIn(after.certificate.status ?? {}, 'Ready')).toMatchObject({ status: 'True' });
  });

  it.each([
    ['set forward beyond its renewal', now + 70 * day],
    ['set forward beyond its end', now + 400 * day],
  ])('is issued anew when the clock is %s, and rests again when it was a mistake', (_, at) => {
    expect(served(at).next).toEqual({ kind: 'makeKey' });
    const { due, next } = served(now);
    expect(next).toEqual({ kind: 'rest', revisitAt: due });
  });
});

describe('a failure', () => {
  const condition = { type: 'Ready', status: 'False', reason: 'Failed', message: 'no' } as const;
  const failed = (at: number) => request({ failureTime: new Date(at).toISOString(), conditions: [condition] });
  const held = { key: 'held', keyFingerprint: 'k2', signed: false } as const;
  const told = settle(seen({ attempt: held, request: failed(now) })).seen;

  it('pauses the issuance by the clock', () => {
    expect(settle(told).next).toEqual({ kind: 'rest', revisitAt: now + minute });
    expect(settle(told, now + 3 * minute).next.kind).toBe('deleteRequest');
  });

  it('that the clock has left far in the future pauses nothing', () => {
    expect(settle(told, now - 365 * day).next.kind).toBe('deleteRequest');
  });

  it('after that is told, and pauses the issuance again', () => {
    const then = now - 365 * day;
    const { next, seen: after, statuses } = settle({ ...told, request: failed(then) }, then);
    expect(statuses).toBe(1);
    expect(after.certificate.status?.lastFailureTime).toBe(new Date(then).toISOString());
    expect(next).toEqual({ kind: 'rest', revisitAt: then + 10 * minute });
  });

  it('whose time somebody else has taken from a wrong clock is dated by its request', () => {
    const { next, seen: after } = settle(seen({ attempt: held, request: failed(now + 365 * day) }));
    expect(after.certificate.status?.lastFailureTime).toBe('2026-11-21T12:00:00Z');
    expect(next).toEqual({ kind: 'rest', revisitAt: now + minute });
  });
});
