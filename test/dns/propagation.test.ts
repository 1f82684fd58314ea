// Who has a record, asked of two real BINDs of which one lags, is silent, or does not exist.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookForRecord } from '../../src/dns/propagation.ts';
import { viewFor } from '../../src/dns/view.ts';
import { type Bind, startBind } from '../rig/dns-bind.ts';
import { bindView, got, never, problemIn, providerWith, record, rfc2136 } from './stage.ts';

let bind: Bind;
beforeAll(async () => {
  bind = await startBind();
});
afterAll(() => bind[Symbol.asyncDispose]());

async function present(name: string, value: string, zone = 'example.test.') {
  const [key] = bind.keys;
  if (key === undefined) throw new Error('BIND has no keys');
  const proof = { ...record(name, value), zone };
  got(await providerWith(rfc2136(bind, key), key.secret).present(proof, never));
  return { name: proof.fqdn, value };
}

describe('at the authorities', () => {
  it('a record is lacking where the secondary lags, by name, and everywhere when it has caught up', async () => {
    const wanted = await present('lag.example.test', 'proof');
    expect(got(await lookForRecord(bindView(bind), wanted, never))).toEqual({
      kind: 'lacking',
      servers: ['ns2.example.test'],
      message:
        'The TXT record at _acme-challenge.lag.example.test is not at all nameservers yet; 1 of 2 lack it: ns2.example.test.',
    });
    await bind.catchUp('example.test');
    expect(got(await lookForRecord(bindView(bind), wanted, never))).toEqual({ kind: 'everywhere' });
  });

  it('another value at the name does not count', async () => {
    const { name } = await present('other.example.test', 'for-the-wildcard');
    await bind.catchUp('example.test');
    const seen = got(await lookForRecord(bindView(bind), { name, value: 'for-the-apex' }, never));
    expect(seen).toMatchObject({ kind: 'lacking', servers: ['ns1.example.test', 'ns2.example.test'] });
  });

  it('a CNAME is followed to the zone where the record is, whose servers are asked', async () => {
    const { value } = await present('x.proofs.test', 'unused', 'proofs.test.');
    const [key] = bind.keys;
    const proof = { ...record('proofs.test', value), fqdn: 'proof.proofs.test.' };
    got(await providerWith(rfc2136(bind, key ?? bind.powerless), key?.secret ?? '').present(proof, never));
    const wanted = { name: '_acme-challenge.delegated.example.test.', value };
    expect(got(await lookForRecord(bindView(bind), wanted, never))).toMatchObject({
      kind: 'lacking',
      servers: ['ns2.example.test'],
      message: expect.stringContaining('proof.proofs.test'),
    });
    await bind.catchUp('proofs.test');
    expect(got(await lookForRecord(bindView(bind), wanted, never))).toEqual({ kind: 'everywhere' });
  });

  it('a server that does not answer is told apart from one that lacks the record', async () => {
    const wanted = await present('silent.example.test', 'proof');
    bind.ns2.silence('on');
    try {
      expect(got(await lookForRecord(bindView(bind), wanted, never))).toEqual({
        kind: 'silent',
        servers: ['ns2.example.test'],
        message:
          'Some nameservers do not tell about the TXT record at _acme-challenge.silent.example.test: ns2.example.test (no answer); all others have it.',
      });
      const missing = { name: '_acme-challenge.nothing.example.test.', value: 'proof' };
      const seen = got(await lookForRecord(bindView(bind), missing, never));
      expect(seen).toMatchObject({ kind: 'lacking', servers: ['ns1.example.test'] });
    } finally {
      bind.ns2.silence('off');
    }
  });

  it.each([
    ['half.test', 'gone.example.test', 'has no address'],
    ['lame.test', 'ns2.example.test', 'answers REFUSED'],
  ])('a server of %s, %s, is silent in that it %s', async (zone, server, why) => {
    const wanted = await present(zone, 'proof', `${zone}.`);
    expect(got(await lookForRecord(bindView(bind), wanted, never))).toMatchObject({
      kind: 'silent',
      servers: [server],
      message: expect.stringContaining(`${server} (${why})`),
    });
  });

  it('a record is found among more than fit into a datagram', async () => {
    const values = Array.from({ length: 40 }, (_, index) => `${index}-${'x'.repeat(40)}`);
    const shown = [];
    for (const value of values) shown.push(await present('crowd.lame.test', value, 'lame.test.'));
    for (const wanted of [shown[0], shown[39]]) {
      const seen = await lookForRecord(bindView(bind), wanted ?? { name: '', value: '' }, never);
      expect(got(seen)).toMatchObject({ kind: 'silent', servers: ['ns2.example.test'] });
    }
  });

  it('nobody who answers is a problem, and no verdict', async () => {
    const view = { ...bindView(bind), authorityPort: 1 };
    expect(problemIn(await lookForRecord(view, { name: '_acme-challenge.example.test.', value: 'x' }, never))).toEqual({
      kind: 'unavailable',
      message: expect.stringMatching(
        /^No nameserver tells about .*: ns1\.example\.test \(no answer\), ns2\.example\.test \(no answer\)\.$/,
      ),
    });
  });
});

describe('at given nameservers', () => {
  it('only they are asked, and must all have it', async () => {
    const wanted = await present('given.example.test', 'proof');
    const solver = { nameservers: [bind.primary, bind.secondary] };
    const view = got(viewFor(solver, bindView(bind, { authorityPort: 1 })));
    expect(got(await lookForRecord(view, wanted, never))).toMatchObject({
      kind: 'lacking',
      servers: [bind.secondary],
    });
    await bind.catchUp('example.test');
    expect(got(await lookForRecord(view, wanted, never))).toEqual({ kind: 'everywhere' });
    const one = got(viewFor({ nameservers: [bind.primary] }, bindView(bind, { authorityPort: 1 })));
    expect(got(await lookForRecord(one, wanted, never))).toEqual({ kind: 'everywhere' });
  });

  it('a nameserver that cannot be read is named', () => {
    expect(problemIn(viewFor({ nameservers: ['9.9.9.9', 'http://dns.example'] }, bindView(bind)))).toEqual({
      kind: 'misconfigured',
      message: 'dns01.nameservers holds "http://dns.example"; write host, host:port, [address]:port or an https URL.',
    });
  });
});
