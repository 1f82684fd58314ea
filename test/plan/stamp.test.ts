// What is stamped from a ClusterIssuer: names that follow from the place, a spec in step with the template, and nothing that a tenant may say.

import { describe, expect, it } from 'vitest';
import {
  accountSecretName,
  backInStep,
  byAnnotation,
  isTwin,
  ownerOfSecret,
  stampedIssuer,
  stampedName,
  templateBehind,
  templateOf,
  templateTrouble,
} from '../../src/plan/stamp.ts';
import { acme, template } from './stamp-scene.ts';

const asked = { 'certway.dev/account-per-tenant': 'true' };

describe('a stamped Issuer', () => {
  const made = stampedIssuer(template(), 'team-a');

  it('has its template’s spec and a key of its own', () => {
    expect(made.spec).toEqual({ acme: { ...acme, privateKeySecretRef: { name: 'le.tenant-account.team-a' } } });
  });

  it('is marked, and owned by its template', () => {
    expect(made.metadata).toEqual({
      name: 'le.tenant-account',
      namespace: 'team-a',
      labels: { 'app.kubernetes.io/managed-by': 'certway', 'certway.dev/stamped-from': 'le' },
      ownerReferences: [
        { apiVersion: 'cert-manager.io/v1', kind: 'ClusterIssuer', name: 'le', uid: 't1', controller: true },
      ],
    });
  });

  it('takes no annotation of its template: wishes for that account are not wishes for this one', () => {
    const noted = template({
      ...asked,
      'certway.dev/rollover-account-key': 'now',
      'certway.dev/account-thumbprint': 'x',
    });
    expect(stampedIssuer(noted, 'team-a').metadata.annotations).toBeUndefined();
  });

  it('is the same each time', () => {
    expect(stampedIssuer(template(), 'team-a')).toEqual(made);
  });

  it('has a label that the API server takes, whatever its template is called', () => {
    const long = stampedIssuer(template(asked, { name: `${'a'.repeat(62)}.b` }), 'team-a');
    expect(long.metadata.labels?.['certway.dev/stamped-from']).toBe('a'.repeat(62));
  });
});

describe('names', () => {
  it.each([
    ['le', 'team-a'],
    ['le.prod', 'a'],
    ['le.tenant-account', 'team-a'],
    ['a'.repeat(174), 'n'.repeat(63)],
  ])('lead from %s in %s to an Issuer and a Secret, and back', (name, namespace) => {
    expect(templateOf(stampedName(name))).toBe(name);
    const secret = accountSecretName(name, namespace);
    expect(secret.length).toBeLessThanOrEqual(253);
    expect(ownerOfSecret(secret)).toEqual({ template: name, namespace });
  });

  it('differ wherever template or namespace do', () => {
    const places = ['a', 'a.b', 'b', 'a-b', 'b.tenant-account'].flatMap((name) =>
      ['a', 'b', 'a-b', 'tenant-account'].map((namespace) => accountSecretName(name, namespace)),
    );
    expect(new Set(places).size).toBe(places.length);
  });

  it.each(['le', 'tenant-account', '.tenant-account', 'le.tenant-account.x', 'le-tenant-account'])(
    'such as %s are nobody’s stamp',
    (name) => expect(templateOf(name)).toBeUndefined(),
  );

  it.each(['le-account', 'le.tenant-account', 'team-a'])('of Secrets such as %s hold no tenant’s key', (name) => {
    expect(ownerOfSecret(name)).toBeUndefined();
  });
});

describe('the annotation', () => {
  it.each<[string, ReturnType<typeof template>, boolean, RegExp | undefined]>([
    ['asks with "true"', template(), true, undefined],
    ['asks for nothing where it is not there', template({}), false, undefined],
    ['asks for nothing with "false"', template({ 'certway.dev/account-per-tenant': 'false' }), false, undefined],
    [
      'is told of where it cannot be read',
      template({ 'certway.dev/account-per-tenant': 'yes' }),
      false,
      /"yes".*"true"/,
    ],
    ['is told of where there is no account', template(asked, { spec: { selfSigned: {} } }), false, /ACME/],
    ['is told of where no name is left', template(asked, { name: 'a'.repeat(175) }), false, /174/],
  ])('%s', (_, issuer, asks, trouble) => {
    expect(byAnnotation(issuer, 'team-a')).toBe(asks);
    if (trouble === undefined) expect(templateTrouble(issuer)).toBeUndefined();
    else expect(templateTrouble(issuer)).toMatch(trouble);
  });
});

describe('a live one', () => {
  const wanted = stampedIssuer(template(), 'team-a');
  const noted = { 'certway.dev/account-thumbprint': 't' };
  const live = {
    ...wanted,
    metadata: { ...wanted.metadata, uid: 'i1', resourceVersion: '7', annotations: noted },
    status: { acme: { uri: 'https://ca.example/acct/1' } },
  };

  it('that follows its template is left alone, with what it notes and what others add', () => {
    const labels = { ...live.metadata.labels, theirs: 'x' };
    expect(backInStep({ ...live, metadata: { ...live.metadata, labels } }, wanted)).toBeUndefined();
  });

  it.each<[string, Partial<typeof live>]>([
    ['another server', { spec: { acme: { ...acme, server: 'https://evil.example/dir' } } }],
    ['another kind of issuer', { spec: { selfSigned: {} } }],
    ['another key', { spec: { acme } }],
    ['other solvers', { spec: { acme: { ...wanted.spec.acme, ...acme, solvers: [] } } }],
    ['no labels', { metadata: { ...live.metadata, labels: {} } }],
    ['no owner', { metadata: { ...live.metadata, ownerReferences: [] } }],
    [
      'another owner',
      { metadata: { ...live.metadata, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'x' }] } },
    ],
  ])('with %s is put back, and keeps what it notes of its account', (_, change) => {
    expect(backInStep({ ...live, ...change }, wanted)).toEqual(live);
  });

  it('follows an edit of its template, and a template that was made anew', () => {
    const edited = template(asked, { spec: { acme: { ...acme, email: 'new@example.com' } } });
    expect(backInStep(live, stampedIssuer(edited, 'team-a'))?.spec.acme?.email).toBe('new@example.com');
    const anew = { ...template(), metadata: { ...template().metadata, uid: 't2' } };
    expect(backInStep(live, stampedIssuer(anew, 'team-a'))?.metadata.ownerReferences?.[0]?.uid).toBe('t2');
  });
});

describe('references', () => {
  const cluster = { name: 'le', kind: 'ClusterIssuer', group: 'cert-manager.io' };
  const own = { name: 'le.tenant-account', kind: 'Issuer' };

  it.each([
    [cluster, own, true],
    [own, cluster, true],
    [{ ...cluster, group: '' }, { name: 'le.tenant-account', kind: '' }, true],
    [cluster, cluster, false],
    [own, own, false],
    [cluster, { name: 'le', kind: 'Issuer' }, false],
    [cluster, { name: 'other.tenant-account', kind: 'Issuer' }, false],
    [cluster, { ...own, group: 'example.org' }, false],
    [{ ...cluster, group: 'example.org' }, own, false],
    [{ name: 'le', kind: 'Vault' }, own, false],
    [{ name: 'x' }, { name: 'x' }, false],
  ])('%j and %j: the same CA by another account is %s', (a, b, twins) => {
    expect(isTwin(a, b)).toBe(twins);
    expect(isTwin(b, a)).toBe(twins);
  });

  it('lead to the template', () => {
    expect([cluster, own, { name: 'le' }].map(templateBehind)).toEqual(['le', 'le', undefined]);
  });
});
