// What an issuer's dns01 solver may say, and the sentence for everything that cannot work.

import { describe, expect, it } from 'vitest';
import type { Dns01Solver } from '../../src/api/dns01-solver.ts';
import { makeProvider, solverSecrets } from '../../src/dns/make-provider.ts';
import { ports } from './stage.ts';

const ref = { name: 'dns', key: 'secret' };
const good = Buffer.from('a secret').toString('base64');

function complaint(solver: Dns01Solver, secret: string | undefined = good): string {
  const made = makeProvider(solver, () => secret, ports());
  if (made.ok) return 'none';
  expect(made.problem.kind).toBe('misconfigured');
  return made.problem.message;
}

const signed = { nameserver: '192.0.2.1', tsigKeyName: 'certway', tsigSecretSecretRef: ref };
const cloudflare = { apiTokenSecretRef: ref };
const route53 = { accessKeyID: 'AKIA', secretAccessKeySecretRef: ref };

describe('a solver', () => {
  it.each<[string, Dns01Solver]>([
    ['rfc2136 with a key', { rfc2136: signed }],
    ['rfc2136 with a key algorithm in small letters', { rfc2136: { ...signed, tsigAlgorithm: 'hmacsha256' } }],
    [
      'rfc2136 without a key, as Go clients write it',
      { rfc2136: { nameserver: 'ns:53', tsigKeyName: '', tsigSecretSecretRef: { name: '' } } },
    ],
    ['Cloudflare with a token', { cloudflare }],
    ['Cloudflare with a key', { cloudflare: { apiKeySecretRef: ref, email: 'ops@example.com' } }],
    ['Route 53 with keys', { route53 }],
    ['Route 53 with both from Secrets', { route53: { accessKeyIDSecretRef: ref, secretAccessKeySecretRef: ref } }],
    ['a webhook', { webhook: { groupName: 'acme.example.com', solverName: 'ours' } }],
  ])('is good as %s', (_, solver) => {
    expect(complaint(solver)).toBe('none');
  });

  it.each<[RegExp, Dns01Solver]>([
    [/rfc2136\.nameserver is "http:\/\/ns"; write host, host:port/, { rfc2136: { nameserver: 'http://ns' } }],
    [/needs both tsigKeyName and tsigSecretSecretRef/, { rfc2136: { nameserver: 'ns', tsigKeyName: 'certway' } }],
    [
      /tsigAlgorithm is "HMACSHA3"; known: HMACMD5, HMACSHA1, HMACSHA256, HMACSHA512/,
      { rfc2136: { ...signed, tsigAlgorithm: 'HMACSHA3' } },
    ],
    [/tsigKeyName is no DNS name/, { rfc2136: { ...signed, tsigKeyName: 'a key' } }],
    [
      /tsigSecretSecretRef needs key: which entry of the Secret dns/,
      { rfc2136: { ...signed, tsigSecretSecretRef: { name: 'dns' } } },
    ],
    [/has both apiTokenSecretRef and apiKeySecretRef/, { cloudflare: { ...cloudflare, apiKeySecretRef: ref } }],
    [/needs apiTokenSecretRef/, { cloudflare: { email: 'ops@example.com' } }],
    [/cloudflare\.email must be the address/, { cloudflare: { apiKeySecretRef: ref } }],
    [/both accessKeyID and accessKeyIDSecretRef/, { route53: { ...route53, accessKeyIDSecretRef: ref } }],
    [/one half of an access key/, { route53: { accessKeyID: 'AKIA' } }],
    [/one half of an access key/, { route53: { secretAccessKeySecretRef: ref } }],
    [/names no credentials.*--issuer-ambient-credentials/, { route53: {} }],
    [/auth needs role/, { route53: { auth: { kubernetes: { serviceAccountRef: { name: 'dns' } } } } }],
    [/webhook needs groupName and solverName/, { webhook: { groupName: '', solverName: 'ours' } }],
    [/dns01 names no provider/, {}],
  ])('that cannot work says %s', (sentence, solver) => {
    expect(complaint(solver)).toMatch(sentence);
  });

  it.each(['acmeDNS', 'akamai', 'azureDNS', 'cloudDNS', 'digitalocean'] as const)(
    'of %s is not supported, and the ways out are named',
    (field) => {
      expect(complaint({ [field]: {} })).toMatch(
        new RegExp(`dns01\\.${field}\\) itself: use a DNS webhook.*cnameStrategy Follow`),
      );
    },
  );

  it('may use the credentials of the controller where that is allowed', () => {
    expect(makeProvider({ route53: {} }, () => undefined, ports({ ambientCredentials: 'allowed' })).ok).toBe(true);
  });
});

describe('a Secret', () => {
  it.each<[RegExp, Dns01Solver, string | undefined]>([
    [/names the Secret dns with the key secret, which is not there/, { cloudflare }, undefined],
    [/\(Secret dns, key secret\) is empty/, { cloudflare }, ' \n'],
    [/is no single word/, { cloudflare }, 'hunter2\nAuthorization: x'],
    [/is no single word/, { cloudflare }, 'hünter2'],
    [/is not base64/, { rfc2136: signed }, 'hunter2!'],
  ])('that cannot be used says %s, and never what is in it', (sentence, solver, secret) => {
    const made = makeProvider(solver, () => secret, ports());
    const message = made.ok ? 'none' : made.problem.message;
    expect(message).toMatch(sentence);
    expect(message).not.toMatch(/h[uü]nter2/);
  });

  it('may end with a line break', () => {
    expect(complaint({ rfc2136: signed }, `${good}\n`)).toBe('none');
  });
});

describe('the Secrets of a solver', () => {
  it('are all that it names, and none with an empty name', () => {
    const named = (name: string) => ({ name, key: 'k' });
    expect(solverSecrets({ rfc2136: { nameserver: 'ns', tsigSecretSecretRef: named('tsig') } })).toEqual([
      named('tsig'),
    ]);
    expect(solverSecrets({ rfc2136: { nameserver: 'ns', tsigSecretSecretRef: { name: '' } } })).toEqual([]);
    expect(solverSecrets({ cloudflare: { apiTokenSecretRef: named('token') } })).toEqual([named('token')]);
    expect(solverSecrets({ cloudflare: { apiKeySecretRef: named('key') } })).toEqual([named('key')]);
    expect(
      solverSecrets({ route53: { accessKeyIDSecretRef: named('id'), secretAccessKeySecretRef: named('secret') } }),
    ).toEqual([named('id'), named('secret')]);
    expect(solverSecrets({ webhook: { groupName: 'g', solverName: 's' } })).toEqual([]);
  });
});
