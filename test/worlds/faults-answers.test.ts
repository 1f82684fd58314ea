// Answers of a CA that fit no question: more to prove than was asked for, a certificate of somebody else's key, one challenge taken and the next refused, an
// order that belongs to an account which the issuer has left.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CertificateRequest } from '../../src/api/certmanager.ts';
import { certificateRequests } from '../../src/api/resources.ts';
import { createCsr, derToPem } from '../../src/pki/csr.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { rateLimited } from '../rig/proxy/acme-fault.ts';
import { type Answer, at, forward, type Verdict } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { issuerNamed } from '../world/account-eyes.ts';
import { acmeIssuer, gateway, makeTeam, type Team } from '../world/team.ts';
import { customer, pebbleEnv } from './faults-scene.ts';

let world: World;
let controller: Controller;
let team: Team;

beforeAll(async () => {
  world = await startWorld({ pebbleEnv });
  controller = await startController(world);
  team = await makeTeam(world, 'answers');
  await team.kubectl.apply([gateway(team.namespace)]);
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const many = Array.from({ length: 1_000 }, (_, index) => index);

/** An order that lists a thousand names and authorizations; the first are the real ones. */
const flooded: Verdict = {
  kind: 'edit',
  edit: ({ body, ...answer }: Answer) => {
    const order: { identifiers: object[]; authorizations: string[] } = JSON.parse(String(body));
    const identifiers = many.map((number) => ({ type: 'dns', value: `n${number}.example.com` }));
    const authorizations = many.map((number) => `${order.authorizations[0]}${number}`);
    const flood = {
      ...order,
      identifiers: [...order.identifiers, ...identifiers],
      authorizations: [...order.authorizations, ...authorizations],
    };
    return { ...answer, body: JSON.stringify(flood) };
  },
};

it('an order with a thousand authorizations for one name is not followed, and not made twice', async () => {
  await using by = await customer(world, team, 'flood');
  by.ca.proxy.follow(at({ edge: 'newOrder', nth: 1 }, flooded));
  await by.want({ set: 'flood', hosts: [by.host('a')] });
  await team.ready('flood-tls', 60_000);
  expect(by.placed()).toBe(1);
  expect(by.asked('read authz')).toBeLessThan(20);
});

it('of two challenges the one that was taken is not answered again when the other was refused', async () => {
  await using by = await customer(world, team, 'halves');
  by.ca.proxy.follow(at({ edge: 'challenge', nth: 2 }, rateLimited('new-orders-per-account', 4, Date.now())));
  await by.want({ set: 'halves', hosts: [by.host('a'), by.host('b')] });
  const { status } = await team.ready('halves-tls', 60_000);
  expect(status?.failedIssuanceAttempts ?? 0).toBe(0);
  const answered = by.ca.proxy.passed.filter(({ edge }) => edge === 'challenge');
  expect(answered.map(({ status }) => status)).toEqual([200, 429, 200]);
  expect(new Set(answered.filter(({ status }) => status === 200).map(({ name }) => name)).size).toBe(2);
  expect(by.hasty()).toEqual([]);
});

it('a certificate of another key reaches neither a Secret nor a request', async () => {
  const solvers = [{ http01: { gatewayHTTPRoute: { parentRefs: [{ name: 'parent' }] } } }];
  await using by = await customer(world, team, 'strange', { solvers });
  await by.want({ set: 'mine', hosts: [by.host('mine')] });
  await team.ready('mine-tls');
  const chain = Buffer.from((await team.secret('mine-tls'))?.data?.['tls.crt'] ?? '', 'base64').toString();
  by.ca.proxy.follow(at({ edge: 'read cert' }, { kind: 'edit', edit: (answer) => ({ ...answer, body: chain }) }));
  await by.want({ set: 'other', hosts: [by.host('other')] });
  const names = { dnsNames: [by.host('hand')], ipAddresses: [], uris: [], emailAddresses: [] };
  const csr = await createCsr({ key: await generateKey({ algorithm: 'ECDSA' }), names });
  const request: CertificateRequest = {
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: { name: 'hand', namespace: team.namespace },
    spec: {
      request: Buffer.from(derToPem('CERTIFICATE REQUEST', csr)).toString('base64'),
      issuerRef: { name: 'strange' },
    },
  };
  await team.kubectl.apply([request]);
  const { message } = await team.says('other-tls', 'Issuing', /^Failed: /, 60_000);
  expect(message).toContain('another key');
  expect(await team.secret('other-tls')).toBeUndefined();
  const failed = await until('the request to fail', async () => {
    const all = await team.all<CertificateRequest>(certificateRequests);
    const found = all.find(({ metadata }) => metadata.name === 'hand');
    return conditionOf(found?.status?.conditions, 'Ready')?.reason === 'Failed' && found;
  });
  expect(conditionOf(failed.status?.conditions, 'Ready')?.message).toContain('another key');
  expect(failed.status?.certificate).toBeUndefined();
});

it('an order of the account that the issuer has left is made anew with the next account, at once', async () => {
  await using by = await customer(world, team, 'mover');
  await team.kubectl.apply([acmeIssuer(team.namespace, by.ca, 'donor')]);
  await team.issuerSays('donor', 'True', /^ACMEAccountRegistered/);
  const donor = (await issuerNamed(team, 'donor')).status?.acme?.uri;
  by.ca.proxy.follow(at({ edge: 'challenge', nth: 1 }, rateLimited('new-orders-per-account', 8, Date.now())));
  await by.want({ set: 'mover', hosts: [by.host('a')] });
  await until('the CA to put it off', () => by.asked('challenge') === 1);
  const first = await by.order('mover');
  const data = { 'tls.key': (await team.secret('donor-account'))?.data?.['tls.key'] };
  const patch = JSON.stringify({ data });
  await team.kubectl.run(['patch', 'secret/mover-account', '-n', team.namespace, '--type=merge', '-p', patch]);
  await until('the issuer to have the other account', async () => {
    return (await issuerNamed(team, 'mover')).status?.acme?.uri === donor;
  });
  expect(by.asked('challenge')).toBe(1);
  by.ca.proxy.follow(() => forward);
  const { status } = await team.ready('mover-tls', 40_000);
  expect(status?.failedIssuanceAttempts ?? 0).toBe(0);
  expect((await by.order('mover')).metadata.uid).not.toBe(first.metadata.uid);
  expect(by.placed()).toBe(2);
});
