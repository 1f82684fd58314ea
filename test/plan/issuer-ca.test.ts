// A CA issuer whose own certificate ends: Ready until then, and afterwards it says what to do.

import { expect, it } from 'vitest';
import type { Issuer } from '../../src/api/certmanager.ts';
import { planIssuer } from '../../src/plan/issuer.ts';
import type { IssuerAction, IssuerSeen } from '../../src/plan/issuer-seen.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const end = now + 60_000;

function ca(notAfter: number, status?: Issuer['status']): IssuerSeen {
  return {
    issuer: {
      apiVersion: 'cert-manager.io/v1',
      kind: 'ClusterIssuer',
      metadata: { name: 'ca', generation: 1 },
      spec: { ca: { secretName: 'root' } },
      ...(status !== undefined && { status }),
    },
    signer: { kind: 'ready', notAfter },
    accountKey: { kind: 'unread' },
    account: 'asTold',
    registration: { kind: 'none' },
    rollover: { traffic: { kind: 'flowing' } },
  };
}

function written(action: IssuerAction) {
  if (action.kind !== 'writeStatus') throw new Error(`planned ${action.kind}`);
  return action;
}

it('is judged again when its certificate ends, says so then and what to do, and is Ready with a renewed one', () => {
  const good = written(planIssuer(ca(end), now));
  expect(good.ready).toMatchObject({ status: 'True', reason: 'KeyPairVerified' });
  expect(planIssuer(ca(end, good.status), now)).toEqual({ kind: 'rest', revisitAt: end });
  const ended = written(planIssuer(ca(end, good.status), end));
  expect(ended.ready).toEqual({
    status: 'False',
    reason: 'ErrInvalidKeyPair',
    message:
      'The CA’s certificate has expired, at 2026-11-21T12:01:00Z: put a renewed one with its key into Secret "root".',
  });
  expect(planIssuer(ca(end, ended.status), end)).toEqual({ kind: 'rest' });
  expect(written(planIssuer(ca(end + 1, ended.status), end)).ready.status).toBe('True');
});
