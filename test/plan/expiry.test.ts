// A Certificate is Ready only until its certificate ends: whatever else it waits for, it is looked at again then.

import { expect, it } from 'vitest';
import type { CertificateSeen } from '../../src/plan/seen.ts';
import { day, facts, good, minute, now, request, seen, settle } from './certificate-scene.ts';

const end = facts.leaf?.notAfter ?? 0;

it.each<[string, Partial<CertificateSeen>, number]>([
  ['nothing', {}, end],
  ['a renewal', { renewAt: now + minute }, now + minute],
  ['a renewal that would come too late', { renewAt: end + day }, end],
  ['a change of the issuer', { renewAt: now, issuer: { kind: 'notReady', message: 'no' } }, end],
  ['a write that may be tried again', { renewAt: now, refusal: { message: 'quota', until: end + day } }, end],
  [
    'an approver',
    {
      renewAt: now,
      request: request({}, { approval: { kind: 'open', approver: 'theirs' } }),
      attempt: { key: 'durable', keyFingerprint: 'k2', signed: false },
    },
    end,
  ],
])('that waits for %s', (_, change, revisitAt) => {
  expect(settle(seen({ secret: good, ...change })).next).toEqual({ kind: 'rest', revisitAt });
});
