import { describe, expect, it } from 'vitest';
import type { Certificate, CertificateRequest, CertificateStatus } from '../../src/api/certmanager.ts';
import type { Condition } from '../../src/api/meta.ts';
import type { Order } from '../../src/api/order.ts';
import { type CertificateAction, planCertificate } from '../../src/plan/certificate.ts';
import type { CertificateSeen, RequestSeen, SecretFacts } from '../../src/plan/seen.ts';
import { nothingStands } from '../../src/plan/standing.ts';

const standing = { ...nothingStands, routes: ['r'] };
const now = Date.parse('2026-11-21T12:00:00Z');
const day = 86_400_000;

function certificate(status?: CertificateStatus, change: Partial<Certificate['metadata']> = {}): Certificate {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: 'foo-tls', namespace: 'team', uid: 'c1', generation: 1, ...change },
    spec: { secretName: 'foo-tls', dnsNames: ['foo.com'], issuerRef: { name: 'ca', kind: 'ClusterIssuer' } },
    ...(status !== undefined && { status }),
  };
}

const facts: SecretFacts = {
  certificateName: 'foo-tls',
  issuer: { name: 'ca', kind: 'ClusterIssuer', group: 'cert-manager.io' },
  missing: [],
  mismatches: [],
  leaf: { notBefore: now - day, notAfter: now + 89 * day, keyFingerprint: 'k1', fingerprint: 'f1', origin: 'issuer' },
};

function request(change: Partial<RequestSeen> = {}, status?: CertificateRequest['status']): RequestSeen {
  return {
    object: {
      apiVersion: 'cert-manager.io/v1',
      kind: 'CertificateRequest',
      metadata: { name: 'foo-tls-1', namespace: 'team', uid: 'r1' },
      spec: { issuerRef: { name: 'ca' }, request: 'Q1NS' },
      ...(status !== undefined && { status }),
    },
    approval: { kind: 'open', approver: 'ours' },
    keyFingerprint: 'k1',
    matchesSpec: true,
    ...change,
  };
}

const order: Order = {
  apiVersion: 'acme.cert-manager.io/v1',
  kind: 'Order',
  metadata: { name: 'foo-tls-1-x', namespace: 'team', uid: 'o1' },
  spec: { issuerRef: { name: 'ca' }, request: 'Q1NS', dnsNames: ['foo.com'] },
};

function seen(change: Partial<CertificateSeen> = {}): CertificateSeen {
  return {
    certificate: certificate(),
    secret: { kind: 'absent' },
    issuer: { kind: 'local' },
    standing: nothingStands,
    renewal: 'wanted',
    leastBackOffMs: 60_000,
    attempt: { key: 'none', signed: false },
    leftovers: { keySecrets: [], requests: [] },
    keystores: { kind: 'judged', unfit: [] },
    drift: [],
    ...change,
  };
}

const held = { key: 'held', keyFingerprint: 'k1', signed: false } as const;
const durable = { key: 'durable', keyFingerprint: 'k1', signed: false } as const;
const acme = { kind: 'acme', path: { kind: 'open' } } as const;
const good = { kind: 'ours', facts } as const;
const issued: CertificateRequest['status'] = {
  certificate: 'Q0VSVA==',
  conditions: [{ type: 'Ready', status: 'True', reason: 'Issued' }],
};

function plan(change: Partial<CertificateSeen>): CertificateAction {
  return planCertificate(seen(change), 1, now);
}

function ready(action: CertificateAction): Condition | undefined {
  if (action.kind !== 'writeStatus') throw new Error(`planned ${action.kind}`);
  return action.status.conditions?.find((each) => each.type === 'Ready');
}

describe('an issuance by a local issuer, edge by edge', () => {
  it.each<[string, Partial<CertificateSeen>, CertificateAction['kind']]>([
    ['nothing there', {}, 'makeKey'],
    ['key held', { attempt: held }, 'createRequest'],
    ['request made', { attempt: held, request: request() }, 'sign'],
    ['signed', { attempt: { ...held, signed: true }, request: request() }, 'writeSecret'],
    ['Secret written', { attempt: held, request: request(), secret: good }, 'issueRequest'],
    ['request complete', { attempt: held, request: request({}, issued), secret: good }, 'writeStatus'],
    ['killed after the request', { request: request() }, 'deleteRequest'],
    ['killed after the Secret', { request: request(), secret: good }, 'issueRequest'],
    ['killed after the request was complete', { request: request({}, issued), secret: good }, 'writeStatus'],
    ['signing failed', { attempt: { ...held, failure: 'no' }, request: request() }, 'failRequest'],
  ])('%s', (_, change, action) => {
    expect(plan(change).kind).toBe(action);
  });
});

describe('a key that is kept from one issuance to the next', () => {
  const keeping = certificate({ revision: 1 });
  const kept = { ...keeping, spec: { ...keeping.spec, privateKey: { rotationPolicy: 'Never' as const } } };
  const due = { certificate: kept, secret: good, renewAt: now - 1 };
  const other = request({ issued: 'another' }, issued);
  it.each<[string, Partial<CertificateSeen>, CertificateAction['kind']]>([
    [
      'the request of a renewal is signed although its key is in the Secret already',
      { attempt: held, request: request() },
      'sign',
    ],
    [
      'its certificate is put on record first',
      { attempt: { ...held, signed: true }, request: request() },
      'issueRequest',
    ],
    ['then it goes into the Secret', { attempt: { ...held, signed: true }, request: other }, 'writeSecret'],
    ['taken up again after a crash', { attempt: durable, request: other, issuer: acme }, 'takeCertificate'],
    [
      'and only then the revision is counted',
      { attempt: held, request: request({ issued: 'f1' }, issued) },
      'writeStatus',
    ],
  ])('%s', (_, change, action) => {
    expect(planCertificate(seen({ ...due, ...change }), 2, now).kind).toBe(action);
  });
});

describe('a sound pair that another spec asked for', () => {
  const requestChanged = 'The spec differs from what was asked for in subject.';
  it('is issued anew, as RequestChanged', () => {
    expect(plan({ secret: good, requestChanged }).kind).toBe('makeKey');
    const blocked = plan({ secret: good, requestChanged, issuer: { kind: 'missing' } });
    expect(ready(blocked)).toMatchObject({ status: 'False', reason: 'RequestChanged' });
  });

  it('is over when the new pair is there', () => {
    const change = { secret: good, requestChanged, attempt: held, request: request({}, issued) };
    expect(plan(change).kind).toBe('writeStatus');
  });
});

it('a good certificate that is to be revoked is replaced, and its replacement is not', () => {
  const replacement = { fingerprint: 'f1', freshKey: true, message: 'to be revoked' };
  expect(plan({ secret: good, replacement }).kind).toBe('makeKey');
  expect(plan({ secret: good, replacement: { ...replacement, fingerprint: 'f0' } }).kind).not.toBe('makeKey');
});

describe('approval', () => {
  const awaited = request({ approval: { kind: 'open', approver: 'theirs' } });
  const denied = request({ approval: { kind: 'denied', message: 'not on a Friday' } });
  it.each<[string, Partial<CertificateSeen>, CertificateAction['kind']]>([
    ['nothing is signed before somebody else has approved', { attempt: held, request: awaited }, 'writeStatus'],
    ['no order is made before that', { attempt: durable, request: awaited, issuer: acme }, 'writeStatus'],
    ['an approved one is signed', { attempt: held, request: request({ approval: { kind: 'approved' } }) }, 'sign'],
    ['a denied one fails', { attempt: held, request: denied }, 'failRequest'],
    ['even when it is signed already', { attempt: { ...held, signed: true }, request: denied }, 'failRequest'],
    [
      'another issuer sees our approval',
      { attempt: durable, request: request(), issuer: { kind: 'external' } },
      'approve',
    ],
    [
      'and then does its work, which is told',
      { attempt: durable, request: request({ approval: { kind: 'approved' } }), issuer: { kind: 'external' } },
      'writeStatus',
    ],
    [
      'what it signs is taken',
      { attempt: durable, request: request({ approval: { kind: 'approved' } }, issued), issuer: { kind: 'external' } },
      'takeCertificate',
    ],
  ])('%s', (_, change, action) => {
    expect(plan(change).kind).toBe(action);
  });

  it('says what it waits for', () => {
    const action = plan({ attempt: held, request: awaited });
    expect(ready(action)?.message).toContain('CertificateRequest "foo-tls-1" waits for somebody to approve it.');
  });
});

describe('a key that the spec no longer asks for', () => {
  const stale = { key: 'stale', keyFingerprint: 'k1', signed: false } as const;
  it.each<[string, Partial<CertificateSeen>, CertificateAction['kind']]>([
    [
      'its request goes first',
      { attempt: stale, request: request({ matchesSpec: false }), issuer: acme },
      'deleteRequest',
    ],
    ['then the key itself', { attempt: stale, issuer: acme }, 'dropKey'],
    ['and a new one is made', { issuer: acme }, 'makeKey'],
    ['a local issuer likewise', { attempt: stale }, 'dropKey'],
  ])('%s', (_, change, action) => {
    expect(plan(change).kind).toBe(action);
  });
});

it('an issuer that nobody has looked at yet is waited for without a word', () => {
  expect(plan({ issuer: { kind: 'unseen' } })).toEqual({ kind: 'rest' });
});

it('a refused write is told, and tried again when its time has come', () => {
  const change = {
    refusal: { message: 'The API server refuses to create Secret: exceeded quota', until: now + 15_000 },
  };
  const told = plan(change);
  expect(ready(told)?.message).toContain('exceeded quota');
  if (told.kind !== 'writeStatus') throw new Error(told.kind);
  const after = seen({ ...change, certificate: certificate(told.status) });
  expect(planCertificate(after, 1, now)).toEqual({ kind: 'rest', revisitAt: now + 15_000 });
  expect(planCertificate(after, 1, now + 15_000).kind).toBe('makeKey');
});

describe('an issuance by ACME, edge by edge', () => {
  const recorded: Order = { ...order, status: { url: 'https://ca/o/1', state: 'pending' } };
  const failed = { kind: 'failed', phase: 'invalid', reason: 'foo.com: refused' } as const;
  const invalid: Order = { ...order, status: { state: 'invalid' } };
  it.each<[string, Partial<CertificateSeen>, CertificateAction['kind']]>([
    ['nothing there', {}, 'makeKey'],
    ['key held', { attempt: held }, 'storeKey'],
    ['key durable', { attempt: durable }, 'createRequest'],
    ['request made', { attempt: durable, request: request() }, 'createOrder'],
    ['order made', { attempt: durable, request: request(), order }, 'advanceOrder'],
    ['downloaded', { attempt: { ...durable, signed: true }, request: request(), order: recorded }, 'writeSecret'],
    ['Secret written', { attempt: durable, request: request(), order: recorded, secret: good, standing }, 'withdraw'],
    ['route gone', { attempt: durable, request: request(), order: recorded, secret: good }, 'recordOrder'],
    ['killed after the key', { request: request() }, 'loadKey'],
    ['key Secret gone', { attempt: { key: 'lost', signed: false }, request: request() }, 'deleteRequest'],
    ['killed mid-order', { request: request(), order: recorded, standing }, 'loadKey'],
    [
      'refused, route stands',
      { attempt: { ...durable, order: failed }, request: request(), order, standing },
      'withdraw',
    ],
    ['refused, route gone', { attempt: { ...durable, order: failed }, request: request(), order }, 'recordOrder'],
    [
      'refused, recorded',
      { attempt: { ...durable, order: failed }, request: request(), order: invalid },
      'failRequest',
    ],
  ])('%s', (_, change, action) => {
    expect(plan({ issuer: acme, ...change }).kind).toBe(action);
  });

  it('deletes the key Secret only once the status stands', () => {
    const done = seen({ secret: good, leftovers: { keySecrets: ['foo-tls-1-key'], requests: [] } });
    const status = planCertificate(done, 2, now);
    if (status.kind !== 'writeStatus') throw new Error(status.kind);
    const told = { ...done, certificate: certificate(status.status) };
    expect(planCertificate(told, 2, now)).toEqual({ kind: 'deleteKey', secretName: 'foo-tls-1-key' });
  });
});

describe('what stands in the way', () => {
  it.each<[string, Partial<CertificateSeen>, string]>([
    ['a missing issuer', { issuer: { kind: 'missing' } }, 'ClusterIssuer "ca" does not exist'],
    [
      'an issuer that is not ready',
      { issuer: { kind: 'notReady', message: 'no Secret.' } },
      'is not ready: no Secret.',
    ],
    ['no right to Secrets', { secret: { kind: 'forbidden', message: 'run certway grant' } }, 'run certway grant'],
    ['a Secret that is not ours', { secret: { kind: 'foreign' } }, 'it is left alone'],
    ['a rival', { rival: 'older' }, 'Certificate "older" already writes'],
    ['a spec that cannot be asked for', { invalid: 'There is no key usage "x".' }, 'no key usage'],
    [
      'no way to prove the name',
      { issuer: { kind: 'acme', path: { kind: 'closed', message: 'No HTTP listener.' } } },
      'No HTTP',
    ],
    [
      'a name that the namespace may not have',
      { notAllowed: { reason: 'NamesNotAllowed', message: 'not foo.com' } },
      'not foo.com',
    ],
  ])('%s is told once and then waited for without a timer', (_, change, words) => {
    const told = plan(change);
    expect(ready(told)?.message).toContain(words);
    if (told.kind !== 'writeStatus') throw new Error(told.kind);
    const again = planCertificate(seen({ ...change, certificate: certificate(told.status) }), 1, now);
    expect(again).toEqual({ kind: 'rest' });
  });

  it('a suspended Certificate is neither issued nor renewed, and stays Ready while it lasts', () => {
    const annotations = { 'certway.dev/suspended': 'The Gateway no longer allows this namespace.' };
    const change = { certificate: certificate(undefined, { annotations }), secret: good, renewAt: now - 1 };
    const action = plan(change);
    expect(ready(action)).toMatchObject({ status: 'True' });
    expect(action).toMatchObject({ stage: { kind: 'blocked', reason: 'Suspended' } });
  });
});

it('a Certificate suspended in the middle of an order has its challenge routes withdrawn', () => {
  const annotations = { 'certway.dev/suspended': 'The Gateway no longer allows this namespace.' };
  const change = {
    certificate: certificate(undefined, { annotations }),
    issuer: acme,
    request: request(),
    order,
    standing,
  };
  expect(plan(change)).toEqual({ kind: 'withdraw', standing });
});

describe('after a failure', () => {
  const failure = {
    failureTime: '2026-11-21T12:00:00Z',
    conditions: [{ type: 'Ready', status: 'False', reason: 'Failed', message: 'no' }],
  } as const;
  const told = (attempts: number, observedGeneration = 1): CertificateStatus => ({
    lastFailureTime: '2026-11-21T12:00:00Z',
    failedIssuanceAttempts: attempts,
    conditions: [{ type: 'Issuing', status: 'False', reason: 'Failed', message: 'no', observedGeneration }],
  });

  it('counts it in the status', () => {
    const action = plan({ request: request({}, failure) });
    expect(action).toMatchObject({ status: { lastFailureTime: '2026-11-21T12:00:00Z', failedIssuanceAttempts: 1 } });
  });

  it.each([
    [1, 60_000],
    [2, 600_000],
    [3, 6_000_000],
    [4, day],
    [9, day],
  ])('%i in a row: the next attempt comes after %i ms', (attempts, interval) => {
    const change = { certificate: certificate(told(attempts)), request: request({}, failure) };
    const first = planCertificate(seen(change), 1, now);
    if (first.kind !== 'writeStatus') throw new Error(first.kind);
    const settled = seen({ ...change, certificate: certificate(first.status) });
    expect(planCertificate(settled, 1, now)).toEqual({ kind: 'rest', revisitAt: now + interval });
    expect(planCertificate(settled, 1, now + interval)).toEqual({ kind: 'deleteRequest', name: 'foo-tls-1' });
  });

  it('a changed spec is tried at once', () => {
    const changed = certificate(told(3), { generation: 2 });
    expect(plan({ certificate: changed, request: request({ matchesSpec: false }, failure) }).kind).toBe(
      'deleteRequest',
    );
  });
});

describe('a good Secret', () => {
  const status = (): CertificateStatus => {
    const action = planCertificate(seen({ secret: good, renewAt: now + 60 * day }), 1, now);
    if (action.kind !== 'writeStatus') throw new Error(action.kind);
    return action.status;
  };

  it('makes the Certificate Ready with its dates, and nothing else', () => {
    expect(status()).toMatchObject({
      notAfter: '2027-02-18T12:00:00Z',
      renewalTime: '2027-01-20T12:00:00Z',
      conditions: [{ type: 'Ready', status: 'True', reason: 'Ready' }],
    });
  });

  it('is looked at again when it is to be renewed, with no write in between', () => {
    const settled = seen({ secret: good, renewAt: now + 60 * day, certificate: certificate(status()) });
    expect(planCertificate(settled, 1, now)).toEqual({ kind: 'rest', revisitAt: now + 60 * day });
    expect(planCertificate(settled, 1, now + 60 * day).kind).toBe('makeKey');
  });

  it('is renewed when a person asks (cmctl renew)', () => {
    const conditions = [{ type: 'Issuing', status: 'True', reason: 'ManuallyTriggered' }] as const;
    expect(plan({ secret: good, certificate: certificate({ conditions }) }).kind).toBe('makeKey');
  });

  it.each<[string, Partial<SecretFacts>, string]>([
    ['lacks a part', { missing: ['tls.key'] }, 'MissingData'],
    ['holds a pair that does not match', { brokenPair: 'no.' }, 'InvalidKeyPair'],
    [
      'came from another issuer',
      { issuer: { name: 'other', kind: 'ClusterIssuer', group: 'cert-manager.io' } },
      'IncorrectIssuer',
    ],
    ['was issued for another Certificate', { certificateName: 'bar-tls' }, 'IncorrectCertificate'],
    ['is for other names', { mismatches: ['dnsNames differ'] }, 'SecretMismatch'],
    [
      'has expired',
      { leaf: { notBefore: 0, notAfter: now, keyFingerprint: 'k1', fingerprint: 'f1', origin: 'issuer' } },
      'Expired',
    ],
  ])('is not good when it %s', (_, change, reason) => {
    const action = plan({ secret: { kind: 'ours', facts: { ...facts, ...change } }, issuer: { kind: 'missing' } });
    expect(ready(action)).toMatchObject({ status: 'False', reason });
  });
});

describe('a temporary certificate', () => {
  const asked = certificate(undefined, { annotations: { 'cert-manager.io/issue-temporary-certificate': 'true' } });
  const underWay = { issuer: acme, attempt: durable, request: request(), order } as const;
  const standIn = {
    ...facts,
    leaf: { notBefore: now, notAfter: now + day, keyFingerprint: 'k1', fingerprint: 'f1', origin: 'standIn' },
  } as const;

  it('stands in once there is a key and nothing in the Secret', () => {
    expect(plan({ ...underWay, certificate: asked }).kind).toBe('writeTemporary');
  });

  it('is never taken for the real one, though it has the very key of the request', () => {
    const action = plan({ ...underWay, certificate: asked, secret: { kind: 'ours', facts: standIn } });
    expect(action.kind).toBe('advanceOrder');
  });

  it.each<[string, Partial<CertificateSeen>]>([
    ['nobody asks', { ...underWay }],
    ['a local issuer signs at once', { certificate: asked, attempt: held, request: request() }],
    [
      'a certificate is there already',
      { ...underWay, certificate: asked, secret: { kind: 'ours', facts: { ...facts, mismatches: ['dnsNames'] } } },
    ],
  ])('is not made when %s', (_, change) => {
    expect(plan(change).kind).not.toBe('writeTemporary');
  });
});

describe('a long wait of the order', () => {
  const state = (until: number) =>
    ({
      kind: 'known',
      url: 'https://ca/o/1',
      wait: { until, reason: 'RateLimited', message: 'too many', attempts: 1 },
    }) as const;
  const waiting = (until: number) =>
    seen({ issuer: acme, request: request(), order, attempt: { ...durable, order: state(until) } });

  it('is told in the status, kept in the Order, and slept over', () => {
    const until = now + 3_600_000;
    const told = planCertificate(waiting(until), 1, now);
    expect(ready(told)?.message).toContain('too many');
    if (told.kind !== 'writeStatus') throw new Error(told.kind);
    const after = { ...waiting(until), certificate: certificate(told.status) };
    expect(planCertificate(after, 1, now)).toEqual({ kind: 'noteWait' });
    const annotations = { 'certway.dev/state': JSON.stringify({ nextAttemptAt: new Date(until).toISOString() }) };
    const noted = { ...after, order: { ...order, metadata: { ...order.metadata, annotations } } };
    expect(planCertificate(noted, 1, now)).toEqual({ kind: 'rest', revisitAt: until });
  });

  it('is not worth a write when it is short', () => {
    expect(planCertificate(waiting(now + 900), 1, now)).toEqual({ kind: 'rest', revisitAt: now + 900 });
  });
});
