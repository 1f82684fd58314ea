// What we sign, verified by the keys that it names; and the reading of a proxy's environment, as Go programs read it.

import { flattenedVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { keyChangeStatement, signedRequest, thumbprint } from '../../src/acme/jws.ts';
import { proxyFor, readProxies } from '../../src/acme/proxy.ts';
import { generateKey, publicHalf } from '../../src/pki/keys.ts';

const specs = [
  ['RS256', { algorithm: 'RSA', size: 2048 }],
  ['ES256', { algorithm: 'ECDSA', size: 256 }],
  ['ES384', { algorithm: 'ECDSA', size: 384 }],
  ['ES512', { algorithm: 'ECDSA', size: 521 }],
  ['EdDSA', { algorithm: 'Ed25519' }],
] as const;

describe.each(specs)('%s', (alg, spec) => {
  const request = { url: 'https://ca.example/new-acct', nonce: 'n', payload: { a: 1 } };

  test('signs a request that names its key, which verifies it', async () => {
    const key = await generateKey(spec);
    const jws = JSON.parse(await signedRequest({ key, ...request }));
    const { protectedHeader, payload } = await flattenedVerify(jws, publicHalf(key));
    expect(protectedHeader).toMatchObject({ alg, nonce: 'n', url: request.url });
    expect(protectedHeader?.jwk).toEqual(publicHalf(key).export({ format: 'jwk' }));
    expect(new TextDecoder().decode(payload)).toBe('{"a":1}');
    expect(await thumbprint(key)).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  test('takes an account over from another key', async () => {
    const [old, next] = [await generateKey({ algorithm: 'ECDSA' }), await generateKey(spec)];
    const inner = await keyChangeStatement({ old, next }, 'https://ca.example/acct/1', 'https://ca.example/key-change');
    const { protectedHeader, payload } = await flattenedVerify(inner as never, publicHalf(next));
    expect(protectedHeader).toEqual({
      alg,
      jwk: publicHalf(next).export({ format: 'jwk' }),
      url: 'https://ca.example/key-change',
    });
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual({
      account: 'https://ca.example/acct/1',
      oldKey: publicHalf(old).export({ format: 'jwk' }),
    });
  });
});

describe('a proxy', () => {
  test.each([
    ['', undefined],
    ['http://proxy:3128', 'http://proxy:3128'],
    ['proxy:3128', 'http://proxy:3128'],
    ['socks5://proxy:1080', 'socks5://proxy:1080'],
    ['https://user:secret@proxy', 'https://user:secret@proxy'],
  ])('is read from %j as %s', (given, url) => {
    expect(readProxies({ HTTPS_PROXY: given })).toMatchObject({
      ok: true,
      value: url === undefined ? undefined : { url },
    });
    expect(readProxies({ https_proxy: given, no_proxy: 'a' })).toMatchObject({
      value: url === undefined ? undefined : { url, except: 'a' },
    });
  });

  test('that is no URL is refused without repeating it', () => {
    expect(readProxies({ HTTPS_PROXY: 'http://user:secret@' })).toEqual({
      ok: false,
      problem: 'HTTPS_PROXY is no http, https or socks5 URL',
    });
  });

  const through = 'through the proxy';
  test.each([
    ['https://ca.example.com/dir', '', through],
    ['https://localhost/dir', '', 'directly'],
    ['https://127.0.0.9/dir', '', 'directly'],
    ['https://[::1]/dir', '', 'directly'],
    ['https://ca.example.com/dir', '*', 'directly'],
    ['https://ca.example.com/dir', 'other.com, EXAMPLE.com', 'directly'],
    ['https://example.com/dir', 'example.com', 'directly'],
    ['https://example.com/dir', '.example.com', through],
    ['https://ca.example.com/dir', '.example.com', 'directly'],
    ['https://ca.example.com/dir', '*.example.com', 'directly'],
    ['https://badexample.com/dir', 'example.com', through],
    ['https://ca.example.com/dir', 'ca.example.com:443', 'directly'],
    ['https://ca.example.com:8443/dir', 'ca.example.com:443', through],
    ['https://ca.example.com:8443/dir', 'ca.example.com:8443', 'directly'],
    ['https://10.1.2.3/dir', '10.0.0.0/8', 'directly'],
    ['https://11.1.2.3/dir', '10.0.0.0/8', through],
    ['https://10.1.2.3/dir', '10.1.2.3', 'directly'],
    ['https://10.1.2.3/dir', '10.1.2.3:80', through],
    ['https://[2001:db8::1]/dir', '2001:db8::/32', 'directly'],
    ['https://[2001:db8::1]/dir', '2001:db8:0::1', 'directly'],
    ['https://[2001:db8::1]:8443/dir', '[2001:db8::1]:8443', 'directly'],
    ['https://[2001:db8::1]/dir', '2001:db8::2', through],
    ['https://ca.example.com/dir', '10.0.0.0/99, 10.0.0.0/x, /, :, ,', through],
  ])('reaches %s with NO_PROXY=%j %s', (target, except, how) => {
    const found = proxyFor(target, { url: 'http://proxy:3128', except });
    expect(found === undefined ? 'directly' : through).toBe(how);
  });
});
