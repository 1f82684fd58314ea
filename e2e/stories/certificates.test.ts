// A developer's certificate through the proxy that will serve it: a ListenerSet asks by one annotation, the CA knocks at that proxy, and the next
// handshake shows the certificate. Then a renewal under clients that must not notice, and an XListenerSet, a kind that this proxy does not read.

import { beforeAll, describe, expect, inject, it } from 'vitest';
import { get } from '../../test/rig/https.ts';
import { until } from '../../test/rig/wait.ts';
import { type Condition, dns, handshake, kubectl, programmed } from '../scene.ts';
import { gateway, issuer, listenerSet, namespace, route, xListenerSet } from '../shop.ts';
import { ask, type Site, steady } from '../steady.ts';
import { applyInfra, applyTeam, teamA } from '../teams.ts';

const shop = { name: 'shop', host: 'shop.team-a.test' };
const old = { name: 'old', host: 'old.team-a.test' };
const promisedMs = 10_000;
const patience = { deadlineMs: 60_000 };

describe('certificates for team-a', () => {
  let site: Site;
  const shown = ({ host }: typeof shop) => handshake(site.address, 443, host, site.roots ?? '');

  beforeAll(async () => {
    await applyInfra();
    await applyTeam(teamA);
    await kubectl.apply([gateway(), issuer(), listenerSet(shop), route(shop)]);
    const address = await programmed(namespace, 'shop', 120_000);
    for (const { host } of [shop, old]) await dns.set(host, [address]);
    const { body: roots } = await get(`${inject('acmeManagement')}/roots/0`, { caPem: inject('acmeCa') });
    site = { address, port: 443, host: shop.host, path: '/', roots };
    await holds('issuer', 'pebble', 'Ready');
  });

  it('come within ten seconds of the annotation', async () => {
    await expect(shown(shop)).rejects.toThrow();
    const asked = performance.now();
    await kubectl.run(['annotate', 'listenerset', shop.name, '-n', namespace, 'cert-manager.io/issuer=pebble']);
    const certificate = await until('a handshake', () => shown(shop), patience);
    const took = performance.now() - asked;
    console.log(`  from annotation to handshake: ${(took / 1000).toFixed(2)} s`);
    expect(certificate.subjectaltname).toBe(`DNS:${shop.host}`);
    expect(JSON.parse(await until('an answer', () => ask(site)))).toMatchObject({ namespace, host: shop.host });
    expect(took).toBeLessThan(promisedMs);
  });

  it('are renewed without a failed request or a dropped connection', async () => {
    const before = await shown(shop);
    await using clients = steady(site);
    await clients.served(20);
    await askToRenew('shop-tls');
    const renewed = async () => {
      const certificate = await shown(shop);
      return certificate.serialNumber !== before.serialNumber && certificate;
    };
    const after = await until('the renewed certificate', renewed, patience);
    await clients.served(20);
    expect(after.subjectaltname).toBe(`DNS:${shop.host}`);
    expect(clients.failures()).toEqual([]);
    expect(clients.connections()).toBe(1);
  });

  it('come for an XListenerSet by way of the Gateway’s HTTP listener', async () => {
    const annotations = { 'cert-manager.io/issuer': 'pebble' };
    await kubectl.apply([xListenerSet({ ...old, annotations })]);
    await holds('certificate', 'old-tls', 'Ready');
    // Envoy Gateway 1.9 serves no XListenerSet. A ListenerSet that names the same Secret has its certificate at once.
    await kubectl.apply([listenerSet(old), route(old)]);
    expect((await until('a handshake', () => shown(old), patience)).subjectaltname).toBe(`DNS:${old.host}`);
  });
});

interface Conditioned {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

async function holds(kind: string, name: string, type: string): Promise<void> {
  const look = async () => {
    const conditions = (await kubectl.get<Conditioned>(kind, name, '-n', namespace)).status?.conditions;
    if (conditions?.some((one) => one.type === type && one.status === 'True') === true) return true;
    throw new Error(JSON.stringify(conditions));
  };
  await until(`${kind} ${name} to be ${type}`, look, patience);
}

/** As `cmctl renew` asks. */
async function askToRenew(name: string): Promise<void> {
  const { status } = await kubectl.get<Conditioned>('certificate', name, '-n', namespace);
  const message = 'Certificate re-issuance manually triggered';
  const lastTransitionTime = new Date().toISOString();
  const issuing = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message, lastTransitionTime };
  const others = (status?.conditions ?? []).filter(({ type }) => type !== 'Issuing');
  const patch = JSON.stringify({ status: { conditions: [...others, issuing] } });
  await kubectl.run([
    'patch',
    'certificate',
    name,
    '-n',
    namespace,
    '--subresource=status',
    '--type=merge',
    '-p',
    patch,
  ]);
}
