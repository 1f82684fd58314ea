// From the order to the proof with everything real: Pebble asks the world's DNS, which asks BIND, which took our updates.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { authorization } from '../../src/acme/authorization.ts';
import { answer } from '../../src/acme/order.ts';
import type { AcmeSession } from '../../src/acme/session.ts';
import { openAcme } from '../../src/acme/transport.ts';
import { lookForRecord } from '../../src/dns/propagation.ts';
import type { DnsProvider, TxtRecord } from '../../src/dns/provider.ts';
import { recordFor } from '../../src/dns/record.ts';
import type { DnsView } from '../../src/dns/view.ts';
import { got as gotFromCa, newSession, placeOrder } from '../acme/steps.ts';
import { buildParts } from '../rig/build.ts';
import { createAuthority } from '../rig/certificates.ts';
import { startDns } from '../rig/dns/server.ts';
import { startBind } from '../rig/dns-bind.ts';
import { startPebble } from '../rig/pebble.ts';
import { startTether } from '../rig/tether.ts';
import { until } from '../rig/wait.ts';
import { bindView, got, never, providerWith, rfc2136, viewOf } from './stage.ts';

async function startCa(dnsAddress: string) {
  const dir = await mkdtemp(join(tmpdir(), 'certway-dns01-'));
  const tether = await startTether(dir);
  const authority = await createAuthority(dir);
  const site = { dir, tether, authority, parts: await buildParts(() => undefined) };
  const env = { PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_AUTHZREUSE: '0' };
  const { directory: directoryUrl } = await startPebble(site, dnsAddress, env);
  const options = { skipTlsVerify: false, userAgent: 'certway-test', maxInFlight: 8, caBundle: authority.caPem };
  return {
    endpoint: openAcme({ ...options, directoryUrl }),
    [Symbol.asyncDispose]: () => tether[Symbol.asyncDispose](),
  };
}

interface Way {
  readonly view: DnsView;
  readonly provider: DnsProvider;
  /** Lets the lagging secondary catch up, as a NOTIFY would. */
  readonly transfer: (zone: string) => Promise<void>;
}

/** Presents, waits until all authorities have it, and has the CA look. */
async function proveByDns(session: AcmeSession, url: string, { view, provider, transfer }: Way): Promise<TxtRecord> {
  const { identifier, wildcard, challenges } = gotFromCa(await authorization(session, url)).resource;
  const challenge = challenges.find((each) => each.type === 'dns-01');
  if (challenge?.token === undefined) throw new Error('no DNS-01 challenge');
  const keyAuthorization = `${challenge.token}.${await session.endpoint.thumbprint(session.key)}`;
  const dnsName = wildcard ? `*.${identifier.value}` : identifier.value;
  const record = got(await recordFor({ dnsName, keyAuthorization, cnameStrategy: 'Follow' }, view, never));
  const note = got(await provider.present(record, never));
  expect(got(await provider.settled(note, never))).toBe('yes');
  await transfer(record.zone.replace(/\.$/, ''));
  const wanted = { name: `_acme-challenge.${identifier.value}.`, value: record.value };
  await until(`${record.fqdn} everywhere`, async () => {
    const seen = got(await lookForRecord(view, wanted, never));
    return seen.kind === 'everywhere';
  });
  gotFromCa(await answer(session, challenge.url));
  await until('the authorization to be valid', async () => {
    const { status, challenges: tried } = gotFromCa(await authorization(session, url)).resource;
    if (status === 'invalid') throw new Error(`the CA says ${JSON.stringify(tried)}`);
    return status === 'valid';
  });
  return record;
}

it('a wildcard and its apex, and a name delegated by CNAME, are proven through BIND within three seconds', async () => {
  await using bind = await startBind();
  await using dns = await startDns();
  for (const zone of ['example.test', 'proofs.test']) dns.set(zone, { forward: bind.primary });
  await using ca = await startCa(dns.address);
  await using endpoint = ca.endpoint;
  const session = await newSession(endpoint);
  const [key = bind.powerless] = bind.keys;
  const provider = providerWith(rfc2136(bind, key), key.secret);
  const view = bindView(bind, { ...viewOf(dns.address), authorityPort: bind.authorityPort });

  const names = ['example.test', '*.example.test', 'delegated.example.test'];
  const placed = await placeOrder(session, ...names);
  const started = performance.now();
  const way = { view, provider, transfer: bind.catchUp };
  const records = await Promise.all(placed.resource.authorizations.map((url) => proveByDns(session, url, way)));
  const took = performance.now() - started;

  expect(new Set(records.map(({ fqdn }) => fqdn))).toEqual(
    new Set(['_acme-challenge.example.test.', 'proof.proofs.test.']),
  );
  expect(await bind.values(bind.primary, '_acme-challenge.example.test')).toHaveLength(2);
  for (const record of records) got(await provider.cleanUp(record, undefined, never));
  for (const { fqdn } of records) expect(await bind.values(bind.primary, fqdn)).toEqual([]);
  process.stdout.write(`  dns-01: three names through BIND in ${(took / 1000).toFixed(2)} s\n`);
  expect(took).toBeLessThan(3_000);
});
