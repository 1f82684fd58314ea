// The command lines of `certway account` and `certway revoke`, and what the first shows.

import { describe, expect, it } from 'vitest';
import type { Issuer } from '../../src/api/certmanager.ts';
import { readAccountArgs, readRevokeArgs } from '../../src/cli/account-args.ts';
import { accountLines, accountView } from '../../src/cli/account-view.ts';

function mistakesOf(read: typeof readAccountArgs | typeof readRevokeArgs, line: string): readonly string[] {
  const mistakes: string[] = [];
  read(
    line.split(' ').filter((word) => word !== ''),
    mistakes,
  );
  return mistakes;
}

describe('certway account', () => {
  it('reads a verb, an issuer and where it is', () => {
    expect(readAccountArgs(['rollover', 'le', '-n', 'team'], [])).toMatchObject({
      verb: 'rollover',
      name: 'le',
      scope: 'namespace',
      namespace: 'team',
      output: 'text',
      consent: 'missing',
    });
    expect(readAccountArgs(['deactivate', 'le', '--cluster', '--yes'], [])).toMatchObject({
      scope: 'cluster',
      consent: 'given',
    });
    expect(readAccountArgs(['show', '--help'], [])).toBe('help');
  });

  it.each([
    ['', /say what to do/],
    ['close le', /unknown "account close"/],
    ['show', /name an issuer/],
    ['show a b', /one issuer at a time/],
    ['show le --cluster -n team', /exclude each other/],
    ['show le -o yaml', /none of text, json/],
    ['show le --fast', /unknown flag --fast/],
    ['show le --kubeconfig=', /--kubeconfig needs a value/],
  ])('names what is wrong with %j', (line, words) => {
    expect(mistakesOf(readAccountArgs, line).join('\n')).toMatch(words);
  });
});

describe('certway revoke', () => {
  it('replaces first unless told otherwise', () => {
    expect(readRevokeArgs(['web'], [])).toMatchObject({
      name: 'web',
      reason: 'unspecified',
      when: 'replaced',
      serial: undefined,
    });
    expect(readRevokeArgs(['web', '--reason', 'keycompromise', '--now', '--serial', 'ab:12'], [])).toMatchObject({
      reason: 'keyCompromise',
      when: 'now',
      serial: 'ab:12',
    });
  });

  it.each([
    ['', /name a Certificate/],
    ['a b', /one Certificate at a time/],
    ['a --reason caCompromise', /"caCompromise" is none of/],
    ['a --serial xyz', /not hexadecimal/],
  ])('names what is wrong with %j', (line, words) => {
    expect(mistakesOf(readRevokeArgs, line).join('\n')).toMatch(words);
  });
});

describe('an account is shown', () => {
  const url = 'https://ca.example/acct/1';
  const issuer = (name: string, annotations: Record<string, string> = {}, message = 'registered'): Issuer => ({
    apiVersion: 'cert-manager.io/v1',
    kind: 'Issuer',
    metadata: { name, namespace: 'team', uid: name, annotations },
    spec: { acme: { server: 'https://ca.example/dir', privateKeySecretRef: { name: 'key' } } },
    status: {
      acme: { uri: url, lastRegisteredEmail: 'a@example.com' },
      conditions: [
        { type: 'Ready', status: 'True', message },
        { type: 'AccountKeyRolledOver', status: 'False', reason: 'Failed', message: 'The CA is down.' },
      ],
    },
  });

  it('in lines, with who shares it', () => {
    const view = accountView(issuer('le', { 'certway.dev/account-thumbprint': 'tp' }), [issuer('le'), issuer('other')]);
    expect(view === undefined ? [] : accountLines(view)).toEqual([
      'Issuer team/le',
      '  ready        yes: registered',
      '  server       https://ca.example/dir',
      `  account      ${url}`,
      '  email        a@example.com',
      '  key          Secret key, tls.key',
      '  thumbprint   tp',
      '  rollover     never asked for',
      '  shared with  Issuer team/other',
    ]);
  });

  it.each([
    [{}, 'none'],
    [{ 'certway.dev/rollover-account-key': '1' }, 'failed'],
    [{ 'certway.dev/rollover-account-key': '1', 'certway.dev/rolled-over-account-key': '1' }, 'done'],
  ] as const)('with its rollover: %j is %s', (annotations, state) => {
    expect(accountView(issuer('le', annotations), [])?.rollover.state).toBe(state);
  });

  it('of ACME issuers alone', () => {
    expect(accountView({ ...issuer('ss'), spec: { selfSigned: {} } }, [])).toBeUndefined();
  });
});
