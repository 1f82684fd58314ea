// Paths as users write them, and as Vault takes them.

import { expect, it } from 'vitest';
import { apiUrl, loginPath, policyPath, readServer } from '../../src/vault/paths.ts';

it.each([
  ['pki/sign/web', 'pki/sign/web'],
  ['/pki/sign/web/', 'pki/sign/web'],
  ['/v1/pki/sign/web', 'pki/sign/web'],
  [' pki/issuer/one/sign/web ', 'pki/issuer/one/sign/web'],
])('policies spell %j as %j', (written, path) => {
  expect(policyPath(written)).toBe(path);
});

it.each([
  ['approle', 'auth/approle/login'],
  ['auth/approle', 'auth/approle/login'],
  ['/v1/auth/kubernetes', 'auth/kubernetes/login'],
  ['/v1/team/auth/kubernetes', 'team/auth/kubernetes/login'],
  ['teams/one', 'auth/teams/one/login'],
])('the mount %j logs in at %j', (mount, path) => {
  expect(loginPath(mount)).toBe(path);
});

it('stands below the server’s own path, encoded', () => {
  const server = new URL('https://example.com:8200/vault/');
  expect(apiUrl(server, 'pki/sign/a b?c')).toBe('https://example.com:8200/vault/v1/pki/sign/a%20b%3Fc');
  for (const path of ['pki/../sys', './pki', 'pki//sign', '']) expect(apiUrl(server, path)).toBeUndefined();
});

it('takes addresses of servers and nothing else', () => {
  expect(readServer(' https://vault.example.com:8200 ')?.host).toBe('vault.example.com:8200');
  expect(readServer('http://vault')?.protocol).toBe('http:');
  for (const text of ['vault', 'file:///etc', 'https://a:b@vault', 'https://vault/?q', 'https://vault/#f']) {
    expect(readServer(text)).toBeUndefined();
  }
});
