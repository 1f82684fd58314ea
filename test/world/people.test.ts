// deploy/people.yaml: what somebody may do who is bound to view, edit or admin in a namespace. By impersonation, against the roles that the API
// server aggregates; orders and challenges stay the controller's (GHSA-8rvj-mm4h-c258).

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { actingAs, boundTo } from './acting.ts';
import { caIssuer, makeTeam, type Team } from './team.ts';

const group = 'cert-manager.io';
const acme = 'acme.cert-manager.io';
const roles = ['view', 'edit', 'admin'] as const;
type Role = (typeof roles)[number];

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'people');
  await team.kubectl.apply(roles.map((role) => boundTo(userOf(role), role, team.namespace)));
  await until('the roles to be aggregated and known', async () => {
    const known = await Promise.all(
      roles.map((role) => may(role, [{ verb: 'list', group: acme, resource: 'orders' }])),
    );
    return known.flat().every((each) => each);
  });
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const userOf = (role: Role) => `${team.namespace}-${role}`;
const as = (role: Role) => actingAs(team.kubectl, userOf(role));
const here = () => ['-n', team.namespace];

interface Asked {
  readonly verb: string;
  readonly group: string;
  /** With its subresource. */
  readonly resource: string;
}

/** The API server's own answers to SubjectAccessReviews, in the order asked. */
async function may(role: Role, asked: readonly Asked[]): Promise<readonly boolean[]> {
  const items = asked.map(({ verb, group, resource: full }) => {
    const [resource, subresource] = full.split('/');
    const resourceAttributes = { namespace: team.namespace, verb, group, resource, subresource };
    const spec = { user: userOf(role), groups: ['system:authenticated'], resourceAttributes };
    return { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  });
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const said = await team.kubectl.run(['create', '-f', '-', '-o', 'jsonpath={.status.allowed}{"\\n"}'], list);
  return said
    .trim()
    .split('\n')
    .map((answer) => answer === 'true');
}

const issuerRef = { name: 'ca', kind: 'ClusterIssuer' };
const csr = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----').toString('base64');
const order = {
  apiVersion: 'acme.cert-manager.io/v1',
  kind: 'Order',
  metadata: { name: 'mine' },
  spec: { request: csr, issuerRef, dnsNames: ['a.example.com'] },
};
const challenge = {
  apiVersion: 'acme.cert-manager.io/v1',
  kind: 'Challenge',
  metadata: { name: 'mine' },
  spec: {
    authorizationURL: 'https://acme.example.com/authz/1',
    url: 'https://acme.example.com/chall/1',
    dnsName: 'a.example.com',
    issuerRef,
    key: 'k',
    token: 't',
    type: 'DNS-01',
    solver: { dns01: { webhook: { groupName: 'acme.attacker.test', solverName: 'mine' } } },
  },
};

describe('by role', () => {
  const read = ['get', 'list', 'watch'];
  const write = ['create', 'update', 'patch', 'delete'];
  const ours = ['certificates', 'certificaterequests', 'issuers'];
  const acmes = ['orders', 'challenges'];
  const cases: readonly (readonly [Role, boolean, readonly string[], string, readonly string[]])[] = [
    ['view', true, read, group, ours],
    ['view', true, read, acme, acmes],
    ['view', false, write, group, ours],
    ['view', false, write, acme, acmes],
    ['edit', true, [...read, ...write], group, ours],
    // Renewal by hand.
    ['edit', true, ['update'], group, ['certificates/status']],
    ['edit', true, [...read, 'delete'], acme, acmes],
    ['edit', false, ['create', 'update', 'patch'], acme, [...acmes, 'orders/status', 'challenges/status']],
    ['edit', false, ['update', 'patch'], group, ['certificaterequests/status', 'issuers/status']],
    ['edit', false, ['approve'], group, ['signers']],
    ['edit', false, ['create', 'update', 'delete'], group, ['clusterissuers']],
    ['admin', true, [...read, ...write], group, ours],
    ['admin', false, ['create', 'update', 'patch'], acme, [...acmes, 'orders/status', 'challenges/status']],
    ['admin', false, ['approve'], group, ['signers']],
  ];

  it.each(cases)('%s: %s for %j in %s on %j', async (role, expected, verbs, of, resources) => {
    const asked = resources.flatMap((resource) => verbs.map((verb) => ({ verb, group: of, resource })));
    const answers = await may(role, asked);
    expect(asked.map((each, index) => ({ ...each, may: answers[index] }))).toEqual(
      asked.map((each) => ({ ...each, may: expected })),
    );
  });
});

describe('somebody with edit', () => {
  it.each([order, challenge])('makes no $kind', async (manifest) => {
    const attack = as('edit').run(['create', '-f', '-', ...here()], JSON.stringify(manifest));
    await expect(attack).rejects.toThrow(`cannot create resource "${manifest.kind.toLowerCase()}s"`);
  });

  it('cannot turn an Order to another issuer, and may delete it', async () => {
    await team.kubectl.run(['create', '-f', '-', ...here()], JSON.stringify(order));
    const turn = JSON.stringify({ spec: { issuerRef: { ...issuerRef, name: 'of-others' } } });
    const attack = as('edit').run(['patch', 'order', 'mine', ...here(), '--type=merge', '-p', turn]);
    await expect(attack).rejects.toThrow('cannot patch resource "orders"');
    await as('edit').run(['delete', 'order', 'mine', ...here()]);
  });

  it('gets a certificate from an issuer of their own', async () => {
    await as('edit').apply(caIssuer(team.namespace));
    await team.ready('ca-root');
  });
});

describe('somebody with view', () => {
  it('reads, and makes nothing', async () => {
    await as('view').run(['get', 'certificates,certificaterequests,issuers,orders,challenges', ...here()]);
    const attack = as('view').run(
      ['create', '-f', '-', ...here()],
      JSON.stringify(caIssuer(team.namespace, 'other')[0]),
    );
    await expect(attack).rejects.toThrow('cannot create resource "issuers"');
  });
});
