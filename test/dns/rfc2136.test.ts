// Dynamic updates of a real BIND: what stands in the zone afterwards, and what is said when BIND refuses.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dns01Solver } from '../../src/api/dns01-solver.ts';
import { forward } from '../rig/dns/forward.ts';
import { listenDns } from '../rig/dns/listen.ts';
import { startRelay } from '../rig/dns/relay.ts';
import { type Bind, type BindAlgorithm, type BindKey, startBind } from '../rig/dns-bind.ts';
import { freePort } from '../rig/ports.ts';
import { got, never, problemIn, providerWith, record, rfc2136 } from './stage.ts';

let bind: Bind;
beforeAll(async () => {
  bind = await startBind();
});
afterAll(() => bind[Symbol.asyncDispose]());

function keyWith(algorithm: BindAlgorithm): BindKey {
  const key = bind.keys.find((each) => each.algorithm === algorithm);
  if (key === undefined) throw new Error(`no key with ${algorithm}`);
  return key;
}

function changed(solver: Dns01Solver, change: Partial<NonNullable<Dns01Solver['rfc2136']>>): Dns01Solver {
  return solver.rfc2136 === undefined ? solver : { rfc2136: { ...solver.rfc2136, ...change } };
}

async function sorry(solver: Dns01Solver, secret: string, name: string, now = Date.now) {
  return problemIn(await providerWith(solver, secret, { now }).present(record(name, 'proof'), never));
}

describe('a signed update', () => {
  it.each(['hmac-md5', 'hmac-sha1', 'hmac-sha256', 'hmac-sha512'] as const)(
    'with %s adds a value and removes it',
    async (algorithm) => {
      const key = keyWith(algorithm);
      const provider = providerWith(rfc2136(bind, key), key.secret);
      const proof = record(`${algorithm}.example.test`, 'proof');
      const note = got(await provider.present({ ...proof, zone: 'example.test.' }, never));
      expect(await bind.values(bind.primary, proof.fqdn)).toEqual(['proof']);
      got(await provider.cleanUp({ ...proof, zone: 'example.test.' }, note, never));
      expect(await bind.values(bind.primary, proof.fqdn)).toEqual([]);
    },
  );

  it('goes over TCP where the issuer says so', async () => {
    const key = keyWith('hmac-sha256');
    const provider = providerWith(changed(rfc2136(bind, key), { protocol: 'TCP' }), `${key.secret}\n`);
    const proof = { ...record('tcp.example.test', 'by-tcp'), zone: 'example.test.' };
    got(await provider.present(proof, never));
    expect(await bind.values(bind.primary, proof.fqdn)).toEqual(['by-tcp']);
    got(await provider.cleanUp(proof, undefined, never));
  });

  it('leaves other values at the name alone, and may be made twice', async () => {
    const key = keyWith('hmac-sha256');
    const provider = providerWith(rfc2136(bind, key), key.secret);
    const [apex, wildcard] = [record('example.test', 'for-apex'), record('example.test', 'for-wildcard')];
    await Promise.all([apex, wildcard, apex].map(async (each) => got(await provider.present(each, never))));
    expect(await bind.values(bind.primary, apex.fqdn)).toEqual(['for-apex', 'for-wildcard']);
    got(await provider.cleanUp(apex, undefined, never));
    expect(await bind.values(bind.primary, apex.fqdn)).toEqual(['for-wildcard']);
    got(await provider.cleanUp(apex, undefined, never));
    got(await provider.cleanUp(wildcard, undefined, never));
    expect(await bind.values(bind.primary, apex.fqdn)).toEqual([]);
  });

  it('needs nothing more to be settled', async () => {
    const key = keyWith('hmac-sha256');
    expect(await providerWith(rfc2136(bind, key), key.secret).settled({}, never)).toEqual({ ok: true, value: 'yes' });
  });
});

describe('BIND refuses', () => {
  it('a key that it does not know', async () => {
    const key = { ...keyWith('hmac-sha256'), name: 'stranger.' };
    expect(await sorry(rfc2136(bind, key), key.secret, 'example.test')).toEqual({
      kind: 'refused',
      message: expect.stringMatching(
        /refuses the TSIG key stranger \(BADKEY\): it knows no key of this name.*tsigKeyName/,
      ),
    });
  });

  it('a known key with another algorithm', async () => {
    const key = { ...keyWith('hmac-sha256'), algorithm: 'hmac-sha512' } as const;
    expect((await sorry(rfc2136(bind, key), key.secret, 'example.test')).message).toMatch(/BADKEY.*tsigAlgorithm/);
  });

  it('a wrong secret, without telling either', async () => {
    const key = keyWith('hmac-sha256');
    const wrong = Buffer.from('not the secret at all').toString('base64');
    const problem = await sorry(rfc2136(bind, key), wrong, 'example.test');
    expect(problem).toEqual({ kind: 'refused', message: expect.stringMatching(/BADSIG.*tsigSecretSecretRef/) });
    expect(problem.message).not.toContain(wrong);
  });

  it('a signature of another hour, and we say by how much the clocks differ', async () => {
    const key = keyWith('hmac-sha256');
    expect(await sorry(rfc2136(bind, key), key.secret, 'example.test', () => Date.now() - 3_600_000)).toEqual({
      kind: 'unavailable',
      message: expect.stringMatching(/BADTIME.*differ by about 60 minutes/),
    });
  });

  it('a zone that nobody may update, and a key that may update none', async () => {
    const key = keyWith('hmac-sha256');
    const guarded = await sorry(rfc2136(bind, key), key.secret, 'guarded.test');
    expect(guarded).toEqual({
      kind: 'refused',
      message: expect.stringMatching(
        /does not let the TSIG key certway-sha256 .*\(REFUSED\).*update policy of the zone guarded\.test/,
      ),
    });
    const powerless = await sorry(rfc2136(bind, bind.powerless), bind.powerless.secret, 'example.test');
    expect(powerless.message).toMatch(/does not let the TSIG key powerless/);
  });

  it('an update without a signature', async () => {
    const solver = { rfc2136: { nameserver: bind.primary } };
    expect((await sorry(solver, '', 'example.test')).message).toMatch(/this address without a TSIG key.*REFUSED/);
  });

  it('a zone that it does not serve, and one that it cannot load', async () => {
    const key = keyWith('hmac-sha256');
    expect(await sorry(rfc2136(bind, key), key.secret, 'elsewhere.invalid')).toEqual({
      kind: 'misconfigured',
      message: expect.stringMatching(/not authoritative for the zone elsewhere\.invalid \(NOTAUTH\)/),
    });
    expect((await sorry(rfc2136(bind, key), key.secret, 'broken.test')).kind).toMatch(/unavailable|misconfigured/);
  });

  it('a name outside of the zone', async () => {
    const key = keyWith('hmac-sha256');
    const proof = { ...record('proofs.test', 'stray'), zone: 'example.test.' };
    const provider = providerWith(rfc2136(bind, key), key.secret);
    expect(problemIn(await provider.present(proof, never))).toEqual({
      kind: 'misconfigured',
      message: expect.stringMatching(/_acme-challenge\.proofs\.test is not in the zone example\.test \(NOTZONE\)/),
    });
  });
});

describe('somebody in between', () => {
  async function through(change: (answer: Buffer) => Buffer) {
    const key = keyWith('hmac-sha256');
    await using meddler = await listenDns('127.0.0.1', undefined, async (message, over) => {
      const answer = await forward(message, bind.primary, over);
      return answer === undefined ? undefined : change(answer);
    });
    return await sorry(
      changed(rfc2136(bind, key), { nameserver: `127.0.0.1:${meddler.port}` }),
      key.secret,
      'proofs.test',
    );
  }

  it('who changes an answer is noticed', async () => {
    const changedFlag = (answer: Buffer) => Buffer.concat([answer.subarray(0, 3), Buffer.of(0x10), answer.subarray(4)]);
    expect(await through(changedFlag)).toEqual({
      kind: 'unavailable',
      message: expect.stringMatching(/is not signed with the TSIG key certway-sha256; somebody may be in between/),
    });
  });

  it('who says «done» without a signature is not believed', async () => {
    const bareHeader = (answer: Buffer) => Buffer.concat([answer.subarray(0, 4), Buffer.alloc(8)]);
    expect(await through(bareHeader)).toEqual({
      kind: 'unavailable',
      message: expect.stringMatching(/does not sign its answer/),
    });
  });
});

describe('a nameserver that is not there', () => {
  it.each(['UDP', 'TCP'] as const)('is a network problem over %s', async (protocol) => {
    const key = keyWith('hmac-sha256');
    const solver = changed(rfc2136(bind, key), { protocol, nameserver: `127.0.0.1:${await freePort()}` });
    expect(await sorry(solver, key.secret, 'example.test')).toEqual({
      kind: 'network',
      message: expect.stringMatching(/^The nameserver 127\.0\.0\.1:\d+ cannot be asked over (UDP|TCP): .*ECONNREFUSED/),
    });
  });

  it('is given up with the signal while it is silent', async () => {
    const key = keyWith('hmac-sha256');
    await using relay = await startRelay('127.0.0.1', undefined, bind.primary);
    relay.silence('on');
    const provider = providerWith(changed(rfc2136(bind, key), { nameserver: `127.0.0.1:${relay.port}` }), key.secret);
    const ending = new AbortController();
    const asked = provider.present(record('example.test', 'proof'), ending.signal);
    ending.abort(new Error('the controller stops'));
    expect(problemIn(await asked)).toEqual({
      kind: 'network',
      message: expect.stringContaining('the controller stops'),
    });
  });
});
