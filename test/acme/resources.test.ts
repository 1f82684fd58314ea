// The parsers of RFC 8555's resources, as tables: what is required, what is ignored, what is refused.

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseAccount } from '../../src/acme/account.ts';
import { parseAuthorization, readChallenge } from '../../src/acme/authorization.ts';
import { parseChain } from '../../src/acme/certificate.ts';
import { readDirectory } from '../../src/acme/directory.ts';
import { readIdentifier } from '../../src/acme/identifier.ts';
import { readUrl } from '../../src/acme/json.ts';
import { linksOf, urlsOf } from '../../src/acme/links.ts';
import { parseOrder, parsePage } from '../../src/acme/order.ts';
import { makeIdentity } from '../rig/proxy/identity.ts';

const at = 'https://ca.example.com';

describe('a URL', () => {
  test.each([
    ['https://ca.example.com/order/1?x=y', true],
    ['http://127.0.0.1:4000/x', true],
    ['http://127.9.9.9/x', true],
    ['http://localhost/x', true],
    ['http://[::1]:4000/x', true],
    ['http://ca.example.com/x', false],
    ['http://127.0.0.1.example.com/x', false],
    ['https://user:secret@ca.example.com/', false],
    ['ftp://ca.example.com/', false],
    ['//ca.example.com/', false],
    ['/order/1', false],
    ['https://ca.example.com/a b', false],
    ['https://ca.example.com/\r\nx: y', false],
    ['https://', false],
    [`https://ca.example.com/${'x'.repeat(2048)}`, false],
    ['', false],
    [7, false],
    [undefined, false],
  ])('%j: %j', (value, isGood) => {
    expect(readUrl(value)).toBe(isGood ? value : undefined);
  });
});

describe('links', () => {
  test.each([
    ['<https://ca.example.com/2>;rel="next"', 'next', ['https://ca.example.com/2']],
    ['<https://ca.example.com/2> ; title="a, b" ; rel=next', 'next', ['https://ca.example.com/2']],
    ['</cert/1>; rel="alternate"', 'alternate', ['https://ca.example.com/cert/1']],
    ['<https://a.example.com/a,b>;rel="up alternate"', 'alternate', ['https://a.example.com/a,b']],
    [
      '<https://a.example.com/1>;rel="ALTERNATE", <https://a.example.com/2>;rel="alternate"',
      'alternate',
      ['https://a.example.com/1', 'https://a.example.com/2'],
    ],
    ['<http://a.example.com/1>;rel="next"', 'next', []],
    ['<https://a.example.com/1>', 'next', []],
    ['nonsense', 'next', []],
  ])('%j, rel %j', (header, rel, urls) => {
    expect(urlsOf(linksOf({ link: header }, `${at}/asked`), rel)).toEqual(urls);
  });

  test('come as several headers too', () => {
    const link = ['<https://a.example.com/1>;rel="next"', '<https://a.example.com/2>;rel="index"'];
    expect(linksOf({ link }, at)).toHaveLength(2);
  });
});

describe('an identifier', () => {
  test.each([
    [{ type: 'dns', value: 'a.example.com' }, true],
    [{ type: 'dns', value: '*.example.com' }, true],
    [{ type: 'ip', value: '2001:db8::1' }, true],
    [{ type: 'ip', value: 'a.example.com' }, false],
    [{ type: 'dns', value: 'a b' }, false],
    [{ type: 'dns', value: '' }, false],
    [{ type: 'permanent-identifier', value: 'x' }, false],
    [{ value: 'a.example.com' }, false],
    ['a.example.com', false],
  ])('%j: %j', (value, isGood) => {
    expect(readIdentifier(value)).toEqual(isGood ? value : undefined);
  });
});

describe('a directory', () => {
  const urls = { newNonce: `${at}/n`, newAccount: `${at}/a`, newOrder: `${at}/o` };

  test('may hold much that we do not know', () => {
    const meta = { profiles: { classic: 'the usual', odd: 7 }, externalAccountRequired: true, caaIdentities: ['x'] };
    expect(readDirectory({ ...urls, renewalInfo: `${at}/ari`, Wm4: 'random', meta })).toEqual({
      ok: true,
      value: {
        ...urls,
        renewalInfo: `${at}/ari`,
        meta: { externalAccountRequired: true, profiles: { classic: 'the usual', odd: '' } },
      },
    });
  });

  test.each([
    [{ ...urls, newOrder: 'http://ca.example.com/o' }, 'newOrder'],
    [{}, 'newNonce, newAccount, newOrder'],
    [[], 'newNonce, newAccount, newOrder'],
    [null, 'newNonce, newAccount, newOrder'],
  ])('%j lacks %s', (content, names) => {
    expect(readDirectory(content)).toEqual({
      ok: false,
      problem: `The CA's reply is no ACME directory: ${names} missing or malformed.`,
    });
  });
});

describe('an account', () => {
  test.each([
    [{ status: 'valid' }, { ok: true, value: { url: at, status: 'valid', contact: [] } }],
    [
      { status: 'valid', contact: ['mailto:a@b.c', 7], orders: `${at}/list`, key: {} },
      { ok: true, value: { url: at, status: 'valid', contact: ['mailto:a@b.c'], orders: `${at}/list` } },
    ],
    [{ status: 'on fire' }, { ok: false, problem: "The CA's reply is no account: status missing or malformed." }],
  ])('%j', (content, expected) => {
    expect(parseAccount(content, at)).toEqual(expected);
  });
});

describe('an order', () => {
  const content = {
    status: 'pending',
    identifiers: [{ type: 'dns', value: 'a.example.com' }],
    authorizations: [`${at}/authz/1`],
    finalize: `${at}/finalize/1`,
  };

  test('is read with all that it may have', () => {
    const more = {
      status: 'invalid',
      expires: '2026-11-28T10:00:00Z',
      certificate: `${at}/cert/1`,
      error: { type: 'urn:ietf:params:acme:error:caa', detail: 'no' },
      profile: 'shortlived',
    };
    expect(parseOrder({ content: { ...content, ...more }, retryAt: 5 }, `${at}/1`)).toEqual({
      ok: true,
      value: {
        ...content,
        ...more,
        url: `${at}/1`,
        expires: Date.UTC(2026, 10, 28, 10),
        error: { type: 'caa', detail: 'no', subproblems: [] },
        retryAt: 5,
      },
    });
  });

  test('may have identifiers of a type that we do not know', () => {
    const identifiers = [...content.identifiers, { type: 'email', value: 'a@b.c' }];
    expect(parseOrder({ content: { ...content, identifiers } }, at)).toMatchObject({
      ok: true,
      value: { identifiers: content.identifiers },
    });
  });

  test.each([
    [{ status: 'strange' }, 'status'],
    [{ identifiers: 'a.example.com' }, 'identifiers'],
    [{ authorizations: [`${at}/authz/1`, 'javascript:alert(1)'] }, 'authorizations'],
    [{ authorizations: undefined, finalize: 'http://elsewhere.example.com/' }, 'authorizations, finalize'],
  ])('with %j is refused for its %s', (wrong, names) => {
    const problem = `The CA's reply is no order: ${names} missing or malformed.`;
    expect(parseOrder({ content: { ...content, ...wrong } }, at)).toEqual({ ok: false, problem });
  });

  test('with more authorizations than identifiers is refused', () => {
    const authorizations = [`${at}/authz/1`, `${at}/authz/2`, `${at}/authz/3`];
    const identifiers = content.identifiers.slice(0, 1);
    expect(parseOrder({ content: { ...content, identifiers, authorizations } }, at)).toEqual({
      ok: false,
      problem: 'The CA’s reply is no order: it has more authorizations than identifiers.',
    });
  });

  test('list has a next page, unless that is the same again', () => {
    const page = { content: { orders: [`${at}/1`, 7, `${at}/2`] }, asked: `${at}/list` };
    const read = (url: string) => parsePage({ ...page, links: [{ rel: 'next', url }] });
    const orders = [`${at}/1`, `${at}/2`];
    expect(read(`${at}/list/2`)).toEqual({ ok: true, value: { orders, next: `${at}/list/2` } });
    expect(read(`${at}/list`)).toEqual({ ok: true, value: { orders, next: undefined } });
  });
});

describe('a challenge', () => {
  const challenge = { type: 'http-01', url: `${at}/chall/1`, status: 'pending', token: 'a-Z_09' };

  test.each([
    ['is read', {}, challenge],
    ['of an unknown type is read too', { type: 'dns-persist-01' }, { ...challenge, type: 'dns-persist-01' }],
    ['may have no token', { token: undefined }, { type: 'http-01', url: challenge.url, status: 'pending' }],
    [
      'keeps no token that could leave its place',
      { token: '../../etc' },
      { type: 'http-01', url: challenge.url, status: 'pending' },
    ],
    [
      'keeps no token that is too long',
      { token: 'x'.repeat(129) },
      { type: 'http-01', url: challenge.url, status: 'pending' },
    ],
    ['in an unknown status is left out', { status: 'odd' }, undefined],
    ['without a URL is left out', { url: undefined }, undefined],
    ['of a type that is no word is left out', { type: 'HTTP 01' }, undefined],
  ])('%s', (_, change, expected) => {
    expect(readChallenge({ ...challenge, ...change })).toEqual(expected);
  });

  test('stands in an authorization with others that are left out', () => {
    const content = {
      status: 'pending',
      identifier: { type: 'dns', value: 'example.com' },
      wildcard: true,
      expires: '2026-11-28T10:00:00Z',
      challenges: [challenge, 7, { type: 'new-02' }],
    };
    expect(parseAuthorization({ content, retryAt: 9 }, at)).toEqual({
      ok: true,
      value: {
        url: at,
        status: 'pending',
        identifier: content.identifier,
        wildcard: true,
        challenges: [challenge],
        expires: Date.UTC(2026, 10, 28, 10),
        retryAt: 9,
      },
    });
    const problem = "The CA's reply is no authorization: identifier missing or malformed.";
    expect(parseAuthorization({ content: { ...content, identifier: { type: 'x', value: 'y' } } }, at)).toEqual({
      ok: false,
      problem,
    });
  });
});

describe('a chain', () => {
  test('is nothing but certificates', async () => {
    const { certPem, caPem } = await makeIdentity();
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    const links = [{ rel: 'alternate', url: `${at}/alternate/1` }];
    const crlf = `${certPem}\n${caPem}`.replaceAll('\n', '\r\n');
    expect(parseChain({ content: crlf, links })).toEqual({
      ok: true,
      value: { chainPem: `${certPem.trim()}\n${caPem.trim()}\n`, alternates: [`${at}/alternate/1`] },
    });
    const broken = certPem.replace(/.{20}\n-----END/, '\n-----END');
    for (const content of ['', 'no PEM', `${certPem}${key}`, broken, `${certPem}-----BEGIN `, undefined]) {
      expect(parseChain({ content, links: [] })).toEqual({
        ok: false,
        problem: 'The CA’s reply is no chain of PEM certificates.',
      });
    }
  });
});
