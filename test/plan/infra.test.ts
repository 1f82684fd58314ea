// What the infrastructure half's word does to one Certificate, to a request that somebody else made, and to a proof under way.

import { describe, expect, it } from 'vitest';
import type { OrderState, Proof } from '../../src/order/state.ts';
import { planCertificate } from '../../src/plan/certificate.ts';
import type { InfraHold } from '../../src/plan/infra-hold.ts';
import { planRequest } from '../../src/plan/request.ts';
import { believedProofs, retraced } from '../../src/plan/retrace.ts';
import type { CertificateSeen } from '../../src/plan/seen.ts';
import { nothingStands } from '../../src/plan/standing.ts';
import {
  certificate,
  conditionIn,
  day,
  expired,
  good,
  now,
  request,
  seen,
  settle,
  statusOf,
} from './certificate-scene.ts';

const pending: InfraHold = { kind: 'pending', message: 'Namespace "team" is not provisioned yet.' };
const draining: InfraHold = { kind: 'draining', message: 'Namespace "team" drains.' };
const reserved: InfraHold = { kind: 'reserved', message: 'Namespace "team" is reserved.' };
const acme = { kind: 'acme', path: { kind: 'open' } } as const;
const move = 'The Gateways are being moved.';
const standing = { ...nothingStands, routes: ['acme-foo'] };
const forbidden = { kind: 'forbidden', message: 'Certway may not write Secrets; run: certway grant team' } as const;
const order = {
  apiVersion: 'acme.cert-manager.io/v1',
  kind: 'Order',
  metadata: { name: 'foo-2-1', namespace: 'team', uid: 'o1' },
  spec: { issuerRef: { name: 'ca' }, request: 'Q1NS', dnsNames: ['foo.com'] },
} as const;

interface Row {
  readonly seen: Partial<CertificateSeen>;
  readonly issuing:
    | { readonly status: 'True' | 'False'; readonly reason: string; readonly message: string }
    | undefined;
  readonly ready: 'True' | 'False';
}

describe('a Certificate in a namespace that infra', () => {
  const waits = { status: 'True', reason: 'InfraNotReady', message: pending.message } as const;
  const pauses = { status: 'False', reason: 'NamespaceDraining', message: draining.message } as const;
  it.each<[string, Row]>([
    ['is preparing says that it waits for that', { seen: { infra: pending }, issuing: waits, ready: 'False' }],
    [
      'is preparing says so, and not that a right is missing which is on its way',
      { seen: { infra: pending, secret: forbidden }, issuing: waits, ready: 'False' },
    ],
    [
      'is preparing waits with its renewal',
      { seen: { infra: pending, secret: good, renewAt: now - 1 }, issuing: waits, ready: 'True' },
    ],
    [
      'leaves pauses its renewals, and says so before one is due',
      { seen: { infra: draining, secret: good, renewAt: now + day }, issuing: pauses, ready: 'True' },
    ],
    [
      'leaves is not issued anew, though its Secret has expired',
      { seen: { infra: draining, secret: expired }, issuing: pauses, ready: 'False' },
    ],
    [
      'copies that very Secret to is not issued',
      {
        seen: { claimedSecret: 'It is infra’s.', secret: { kind: 'absent' } },
        issuing: { status: 'True', reason: 'SecretNotOurs', message: 'It is infra’s.' },
        ready: 'False',
      },
    ],
    [
      'reserves is served where no listener asks for it',
      { seen: { infra: reserved, secret: good, renewAt: now + day }, issuing: undefined, ready: 'True' },
    ],
  ])('%s', (_, row) => {
    const { next, seen: told } = settle(seen(row.seen));
    const status = told.certificate.status ?? {};
    expect(next.kind).toBe('rest');
    const condition = conditionIn(status, 'Issuing');
    if (row.issuing === undefined) expect(condition).toBeUndefined();
    else expect(condition).toMatchObject(row.issuing);
    expect(conditionIn(status, 'Ready')?.status).toBe(row.ready);
  });

  it('leaves: the challenge routes go before anything is said', () => {
    const issuer = { ...acme };
    const given = seen({ infra: draining, issuer, request: request(), order, standing });
    expect(planCertificate(given, 2, now)).toEqual({ kind: 'withdraw', standing });
  });

  it('reserves: its listeners’ suspension has the reserve’s name, another one its own', () => {
    const reason = (suspended: string) => {
      const metadata = { annotations: { 'certway.dev/suspended': suspended } };
      const status = statusOf(
        planCertificate(seen({ infra: reserved, certificate: certificate(undefined, metadata) }), 2, now),
      );
      return conditionIn(status, 'Issuing')?.reason;
    };
    expect(reason(reserved.message)).toBe('NamespaceReserved');
    expect(reason('The door is shut.')).toBe('Suspended');
  });

  it.each([pending, draining])(
    'holds ($kind): the form of a good Secret is left as it is, and so are old keys',
    (infra) => {
      const drift = ['labels'] as unknown as CertificateSeen['drift'];
      const given = { secret: good, renewAt: now + day, drift, leftovers: { keySecrets: ['foo-1-key'], requests: [] } };
      expect(settle(seen(given)).next.kind).toBe('rewriteSecret');
      expect(settle(seen({ ...given, infra })).next.kind).toBe('rest');
      const tidy = { ...given, drift: [] };
      expect(settle(seen(tidy)).next.kind).toBe('deleteKey');
      expect(settle(seen({ ...tidy, infra })).next.kind).toBe('rest');
    },
  );
});

describe('while Gateways are moved, a Certificate', () => {
  it('that is proven through them gets no order, and says why', () => {
    const { next, seen: told } = settle(seen({ issuer: acme, move }));
    expect(next.kind).toBe('rest');
    expect(conditionIn(told.certificate.status ?? {}, 'Issuing')).toMatchObject({
      status: 'True',
      reason: 'InfraNotReady',
      message: move,
    });
  });

  it('whose order is under way keeps it', () => {
    const attempt = { key: 'durable', keyFingerprint: 'k2', signed: false } as const;
    const given = { issuer: acme, move, request: request(), order, standing, attempt };
    expect(settle(seen(given)).next.kind).toBe('advanceOrder');
  });

  it('that is signed without them is', () => {
    expect(settle(seen({ move })).next.kind).toBe('makeKey');
  });
});

describe('a request that somebody else made, in a namespace that drains', () => {
  const alone = { request: request().object, approver: 'ours', issuer: acme, attempt: { signed: false } } as const;

  it('loses its routes, and says what it waits for', () => {
    expect(planRequest({ ...alone, infra: draining, order, standing }, now)).toEqual({ kind: 'withdraw', standing });
    const told = planRequest({ ...alone, infra: draining, order, standing: nothingStands }, now);
    expect(told).toEqual({ kind: 'tellPending', message: draining.message });
  });

  it('gets no order while Gateways are moved', () => {
    expect(planRequest({ ...alone, move, standing: nothingStands }, now)).toEqual({
      kind: 'tellPending',
      message: move,
    });
  });
});

describe('a path that answered where the Gateway is no longer', () => {
  const proof: Proof = {
    type: 'http-01',
    host: 'foo.com',
    wildcard: false,
    authorizationUrl: 'a',
    challengeUrl: 'c',
    token: 't',
  };
  const record: Proof = { ...proof, type: 'dns-01' };
  const caOrder = { url: 'u', status: 'pending', identifiers: [], authorizations: [], finalize: 'f' } as const;
  const proofs = [proof, record];

  it.each<[OrderState, readonly Proof[]]>([
    [{ kind: 'reachable', order: caOrder, proofs }, [proof]],
    [{ kind: 'recorded', order: caOrder, proofs, walked: true }, [proof]],
    [{ kind: 'recorded', order: caOrder, proofs }, []],
    [{ kind: 'presented', order: caOrder, proofs }, []],
    [{ kind: 'validating', order: caOrder, proofs, polls: 0 }, []],
  ])('is believed in state $kind only before the CA is told', (state, believed) => {
    expect(believedProofs(state)).toEqual(believed);
  });

  it('is walked again, with what the order has met so far', () => {
    const again = { kind: 'recorded', order: caOrder, proofs, refusals: 1 } as const;
    expect(retraced({ ...again, kind: 'reachable' })).toEqual(again);
    expect(retraced({ ...again, walked: true })).toEqual(again);
    expect(retraced({ kind: 'cleared', at: now, admitted: true, plain: true })).toEqual({
      kind: 'intended',
      asked: 'no',
      plain: true,
    });
    const told = { kind: 'validating', order: caOrder, proofs, polls: 3 } as const;
    expect(retraced(told)).toBe(told);
  });
});
