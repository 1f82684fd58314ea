// Certificates for IP addresses (RFC 8738) by HTTP-01, validated by Pebble: an address has no hostname, so its route matches by path and is found again
// by its label, and the CA asks with the address as its Host.

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpRoute } from '../../src/api/gateway.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { httpRoutes, orders } from '../../src/api/resources.ts';
import { hostsOf, identifiersOf } from '../../src/apply/order-object.ts';
import { hostLabel } from '../../src/solve/host.ts';
import { controllerUser, openAudit } from '../rig/audit.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { acmeIssuer, gateway, listenerSet, makeTeam, type Team } from './team.ts';

const here = '127.0.0.1';
const labelOf = (address: string) => `host.certway.dev/${hostLabel(address)}`;

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'addresses');
  await team.kubectl.apply([acmeIssuer(team.namespace, world.acme), gateway(team.namespace)]);
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function certificate(name: string, names: object, issuer = 'acme'): KubeObject {
  const annotations = {
    'acme.cert-manager.io/http01-parentrefkind': 'Gateway',
    'acme.cert-manager.io/http01-parentrefname': 'parent',
  };
  const spec = { secretName: `${name}-tls`, issuerRef: { name: issuer }, privateKey: { algorithm: 'ECDSA' }, ...names };
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name, namespace: team.namespace, annotations },
    ...{ spec },
  };
}

async function namesIn(name: string): Promise<readonly string[]> {
  const data = (await team.secret(name))?.data?.['tls.crt'] ?? '';
  return (new X509Certificate(Buffer.from(data, 'base64')).subjectAltName ?? '').split(', ').toSorted();
}

const routesOf = async (address: string): Promise<readonly HttpRoute[]> =>
  (await team.all(httpRoutes)).filter(({ metadata }) => metadata.labels?.[labelOf(address)] === 'true');

const withdrawn = (address: string) =>
  until(`no route for ${address}`, async () => (await routesOf(address)).length === 0);

describe('an address', () => {
  it('is proven in as many writes as a name, and its route is gone afterwards', async () => {
    const audit = openAudit(world.auditLog);
    await audit.writes();
    await team.kubectl.apply([certificate('alone', { ipAddresses: [here] })]);
    await team.ready('alone');
    expect(await namesIn('alone-tls')).toEqual([`IP Address:${here}`]);
    await withdrawn(here);
    const ours = async () =>
      (await audit.writes()).filter(({ user, namespace }) => user === controllerUser && namespace === team.namespace);
    await until('the key to be deleted', async () =>
      (await ours()).some(
        ({ verb, resource, name }) => verb === 'delete' && resource === 'secrets' && name === 'alone-1-key',
      ),
    );
    const writes = (await ours()).filter(
      ({ name, resource }) => name.startsWith('alone') || resource === 'httproutes' || name === '',
    );
    process.stdout.write(`  an address: ${writes.length} writes\n`);
    expect(writes.length).toBeLessThanOrEqual(14);
    const [order] = (await team.all(orders)).filter(({ metadata }) => metadata.name.startsWith('alone-'));
    expect(order?.metadata.labels).toHaveProperty([labelOf(here)], 'true');
  });

  it('stands beside names, asked for by a listener’s annotation', async () => {
    const hostname = `both.${team.namespace}.example.com`;
    const annotations = { 'cert-manager.io/issuer': 'acme', 'cert-manager.io/ip-sans': here };
    await team.kubectl.apply([listenerSet(team.namespace, { name: 'both', hostname, annotations })]);
    await team.ready('both-tls');
    expect(await namesIn('both-tls')).toEqual([`DNS:${hostname}`, `IP Address:${here}`]);
    await withdrawn(here);
  });

  it('that nobody answers at makes no order; its route bears its label and goes with the Certificate', async () => {
    const dead = '127.0.0.9';
    await team.kubectl.apply([certificate('dead', { ipAddresses: [dead] })]);
    const route = await until('its route', async () => (await routesOf(dead))[0]);
    expect(route.spec.hostnames).toBeUndefined();
    await team.says('dead', 'Issuing', /^SelfCheckFailed: http:\/\/127\.0\.0\.9.* cannot be reached/);
    const order = (await team.all(orders)).find(({ metadata }) => metadata.name.startsWith('dead-'));
    expect(order?.status?.url).toBeUndefined();
    await team.kubectl.run(['delete', 'certificate/dead', '-n', team.namespace]);
    await withdrawn(dead);
  });

  it('is refused with the remedy where the issuer has DNS-01 only', async () => {
    const issuer = acmeIssuer(team.namespace, world.acme, 'dns-only');
    const { acme } = Object(issuer).spec;
    const solvers = [{ dns01: { webhook: { groupName: 'acme.example.com', solverName: 'ours' } } }];
    await team.kubectl.apply([
      { ...issuer, ...{ spec: { acme: { ...acme, solvers } } } },
      certificate('by-dns', { ipAddresses: [here] }, 'dns-only'),
    ]);
    await team.says(
      'by-dns',
      'Issuing',
      /^NoChallengePath: .*for 127\.0\.0\.1\. An IP address can be proven by HTTP-01 only\./,
    );
  });
});

describe('the names of an order', () => {
  const order = (spec: object) => Object({ spec });
  it.each([
    ['an address twice, and in two spellings', { ipAddresses: ['2001:DB8:0::1', '2001:db8::1'] }, ['ip 2001:db8::1']],
    ['an IPv4 address in IPv6 clothes', { ipAddresses: ['::ffff:10.0.0.1'] }, ['ip 10.0.0.1']],
    ['an address as common name', { commonName: '10.0.0.1', ipAddresses: ['10.0.0.1'] }, ['ip 10.0.0.1']],
    [
      'names before addresses, each in order',
      { dnsNames: ['b.example.com', 'A.example.com'], ipAddresses: ['10.0.0.2', '10.0.0.1'] },
      ['dns a.example.com', 'dns b.example.com', 'ip 10.0.0.1', 'ip 10.0.0.2'],
    ],
  ])('%s', (_, spec, expected) => {
    expect(identifiersOf(order(spec)).map(({ type, value }) => `${type} ${value}`)).toEqual(expected);
    expect(hostsOf(order(spec)).toSorted()).toEqual(expected.map((each) => each.split(' ')[1]).toSorted());
  });
});
