// Where a record goes: zone cuts and CNAMEs as a real BIND tells them.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { challengeName, challengeValue } from '../../src/dns/names.ts';
import { recordFor } from '../../src/dns/record.ts';
import { type DnsServer, startDns } from '../rig/dns/server.ts';
import { type Bind, startBind } from '../rig/dns-bind.ts';
import { bindView, got, never, problemIn, viewOf } from './stage.ts';

let bind: Bind;
let dns: DnsServer;
beforeAll(async () => {
  [bind, dns] = await Promise.all([startBind(), startDns()]);
});
afterAll(async () => {
  await Promise.all([bind, dns].map((each) => each[Symbol.asyncDispose]()));
});

// RFC 8555 §8.1 and §8.4: computed with openssl from this very text.
const keyAuthorization = 'token.thumbprint';

function proof(dnsName: string, cnameStrategy?: 'None' | 'Follow') {
  return { dnsName, keyAuthorization, cnameStrategy };
}

describe('a name', () => {
  it('is proven below _acme-challenge, a wildcard where its base is, in lower case', () => {
    expect(challengeName('*.Shop.Example.test')).toBe('_acme-challenge.shop.example.test.');
  });

  it('is proven by the hash of the key authorization', () => {
    expect(challengeValue(keyAuthorization)).toBe('61rBZ_4knHblO0MNoxFsXZ_eTFUHum0B6IVRbhvUn5I');
  });
});

describe('a record', () => {
  it('goes into the closest zone', async () => {
    expect(got(await recordFor(proof('*.a.b.example.test'), bindView(bind), never))).toEqual({
      dnsName: 'a.b.example.test',
      fqdn: '_acme-challenge.a.b.example.test.',
      zone: 'example.test.',
      value: challengeValue(keyAuthorization),
      ttl: 60,
    });
  });

  it('goes where the CNAME leads when the solver follows, and stays when it does not', async () => {
    const followed = got(await recordFor(proof('delegated.example.test', 'Follow'), bindView(bind), never));
    expect(followed).toMatchObject({
      fqdn: 'proof.proofs.test.',
      zone: 'proofs.test.',
      dnsName: 'delegated.example.test',
    });
    const stayed = got(await recordFor(proof('delegated.example.test', 'None'), bindView(bind), never));
    expect(stayed).toMatchObject({ fqdn: '_acme-challenge.delegated.example.test.', zone: 'example.test.' });
  });

  it('goes nowhere when CNAMEs turn in a circle', async () => {
    expect(problemIn(await recordFor(proof('circle.example.test', 'Follow'), bindView(bind), never))).toEqual({
      kind: 'misconfigured',
      message:
        'The CNAMEs of _acme-challenge.circle.example.test turn in a circle: _acme-challenge.circle.example.test → there.example.test → _acme-challenge.circle.example.test.',
    });
  });

  it('waits while the zone is SERVFAIL', async () => {
    expect(problemIn(await recordFor(proof('www.broken.test'), bindView(bind), never))).toEqual({
      kind: 'unavailable',
      message: `The nameserver ${bind.primary} answers SERVFAIL for _acme-challenge.www.broken.test SOA.`,
    });
  });

  it('asks the next nameserver when one fails', async () => {
    const view = { ...bindView(bind), nameservers: [...viewOf('127.0.0.1:1', bind.primary).nameservers] };
    expect(got(await recordFor(proof('www.example.test'), view, never)).zone).toBe('example.test.');
  });

  it('needs a zone', async () => {
    expect(problemIn(await recordFor(proof('nowhere.example'), viewOf(dns.address), never))).toEqual({
      kind: 'unavailable',
      message: 'No DNS zone holds _acme-challenge.nowhere.example: no name at or above it has an SOA record.',
    });
  });
});

describe('the world’s own DNS', () => {
  it('forwards a zone to BIND, over UDP and TCP, and answers for the rest itself', async () => {
    dns.set('example.test', { forward: bind.primary });
    dns.set('own.example.test', ['10.9.8.7']);
    const view = { ...viewOf(dns.address), authorityPort: bind.authorityPort };
    expect(got(await recordFor(proof('deep.www.example.test'), view, never)).zone).toBe('example.test.');
    expect(dns.lookup('deep.www.example.test')).toEqual({ forward: bind.primary });
    expect(dns.lookup('own.example.test')).toEqual(['10.9.8.7']);
    expect(dns.lookup('example.com')).toEqual(['127.0.0.1']);
  });
});
