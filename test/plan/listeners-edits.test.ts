// How edits reach a Certificate that stands, and what others may write on it. The numbers are cert-manager's cases in reference/cert-manager.md §6.

import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import type { ListenerSet } from '../../src/api/gateway.ts';
import type { ResolveOptions } from '../../src/resolve/world.ts';
import { plan, prefix, set, standing, written } from '../resolve/scene.ts';
import { https, issuer } from '../resolve/world.ts';

describe('every edit reaches the Certificate, and is undone with it', () => {
  const base = issuer('a');
  const alternatives: Readonly<
    Record<string, readonly [edited: ListenerSet, changed: string, options?: Partial<ResolveOptions>]>
  > = {
    'another issuer': [set(issuer('b')), 'issuerRef'],
    'another kind': [set({ ...base, [`${prefix}issuer-kind`]: 'ClusterIssuer' }), 'issuerRef'],
    'another group': [
      set({ ...base, [`${prefix}issuer-group`]: 'step.sm', [`${prefix}issuer-kind`]: 'StepIssuer' }),
      'issuerRef',
    ],
    'an entry for the listener': [set({ ...base, 'certway.dev/issuers': 'web=ClusterIssuer/x' }), 'issuerRef'],
    '17. another hostname': [set(base, { listeners: [https({ hostname: 'other.com' })] }), 'dnsNames'],
    'one more listener': [set(base, { listeners: [https(), https({ name: 'b', hostname: 'b.com' })] }), 'dnsNames'],
    '22. a common name': [set({ ...base, [`${prefix}common-name`]: 'foo.com' }), 'commonName'],
    'alt-names': [set({ ...base, [`${prefix}alt-names`]: 'alt.com' }), 'dnsNames'],
    'ip-sans': [set({ ...base, [`${prefix}ip-sans`]: '192.0.2.1' }), 'ipAddresses'],
    'email-sans': [set({ ...base, [`${prefix}email-sans`]: 'a@foo.com' }), 'emailAddresses'],
    'uri-sans': [set({ ...base, [`${prefix}uri-sans`]: 'spiffe://a/b' }), 'uris'],
    'a subject': [set({ ...base, [`${prefix}subject-organizations`]: 'Foo' }), 'subject'],
    '33. duration': [set({ ...base, [`${prefix}duration`]: '720h' }), 'duration'],
    '33. renew-before': [set({ ...base, [`${prefix}renew-before`]: '24h' }), 'renewBefore'],
    'renew-before-percentage': [set({ ...base, [`${prefix}renew-before-percentage`]: '50' }), 'renewBeforePercentage'],
    '33. revision-history-limit': [set({ ...base, [`${prefix}revision-history-limit`]: '3' }), 'revisionHistoryLimit'],
    usages: [set({ ...base, [`${prefix}usages`]: 'server auth' }), 'usages'],
    '33. key algorithm': [set({ ...base, [`${prefix}private-key-algorithm`]: 'ECDSA' }), 'privateKey'],
    '33. key size': [set({ ...base, [`${prefix}private-key-size`]: '4096' }), 'privateKey'],
    '33. key encoding': [set({ ...base, [`${prefix}private-key-encoding`]: 'PKCS8' }), 'privateKey'],
    '33. key rotation': [set({ ...base, [`${prefix}private-key-rotation-policy`]: 'Never' }), 'privateKey'],
    'secret-template': [set({ ...base, [`${prefix}secret-template`]: '{"labels":{"a":"b"}}' }), 'secretTemplate'],
    '18. labels': [set(base, { metadata: { labels: { app: 'shop' } } }), 'labels'],
    '31. the fallback for challenges': [
      set({ ...base, 'acme.cert-manager.io/http01-parentreffallback': 'true' }),
      'annotations',
    ],
    '27. edit-in-place': [set({ ...base, 'acme.cert-manager.io/http01-edit-in-place': 'true' }), 'annotations'],
    '28. ingress-class': [set({ ...base, 'acme.cert-manager.io/http01-ingress-class': 'nginx' }), 'annotations'],
    'a temporary certificate': [set({ ...base, 'certway.dev/temporary-certificate': 'true' }), 'annotations'],
    '25. an extra annotation': [
      set({ ...base, 'x.io/note': 'x' }),
      'annotations',
      { extraCertificateAnnotations: ['x.io/note'] },
    ],
  };
  test.each(Object.entries(alternatives))('%s', (_, [edited, changed, options = {}]) => {
    const [before, after] = [
      { sets: [set()], options },
      { sets: [edited], options },
    ];
    const [live] = standing(before);
    const forth = plan(after, live && [live]);
    expect(forth.map((action) => action.kind !== 'say' && action.say)).toEqual([
      {
        about: expect.objectContaining({ kind: 'ListenerSet' }),
        type: 'Normal',
        reason: 'UpdateCertificate',
        message: `Certificate "foo-tls" updated: ${changed}.`,
      },
    ]);
    const there = written(forth);
    expect(there.metadata).toMatchObject({ uid: 'uid-foo-tls', resourceVersion: '7' });
    expect(there.status).toEqual({ revision: 4 });
    expect(plan(after, [there])).toEqual([]);
    expect(written(plan(before, [there]))).toEqual({ ...live, metadata: { labels: {}, ...live?.metadata } });
  });

  test('several are one write that names them', () => {
    const edited = set({ ...issuer('b'), [`${prefix}duration`]: '720h' }, { metadata: { labels: { app: 'shop' } } });
    const [action] = plan({ sets: [edited] }, standing({ sets: [set()] }));
    expect(action?.kind === 'replaceCertificate' && action.say.message).toBe(
      'Certificate "foo-tls" updated: issuerRef, duration, labels.',
    );
  });
});

describe('what others write on the Certificate', () => {
  const scene = { sets: [set()] };
  const [made] = standing(scene);
  const live = (parts: {
    readonly spec?: object;
    readonly metadata?: Partial<Certificate['metadata']>;
  }): readonly Certificate[] =>
    made === undefined
      ? []
      : [{ ...made, metadata: { ...made.metadata, ...parts.metadata }, spec: { ...made.spec, ...parts.spec } }];

  test.each([
    ['keystores', { keystores: { pkcs12: { create: true } } }],
    ['output formats', { additionalOutputFormats: [{ type: 'DER' }] }],
    ['renewal windows', { renewal: { policy: 'Disabled' } }],
    ['a field of tomorrow', { somethingNew: 1 }],
  ])('%s stay, and cause no write', (_, spec) => {
    expect(plan(scene, live({ spec }))).toEqual([]);
    const kept = written(plan({ sets: [set(issuer('b'))] }, live({ spec })));
    expect(kept.spec).toMatchObject(spec);
  });

  const spoilt: readonly (readonly [string, object])[] = [
    ['dnsNames', { dnsNames: ['foo.com', 'bank.com'] }],
    ['otherNames', { otherNames: [{ oid: '1.2.3', utf8Value: 'x' }] }],
    ['literalSubject', { literalSubject: 'CN=x' }],
    ['isCA', { isCA: true }],
    ['nameConstraints', { nameConstraints: { permitted: {} } }],
    ['secretName', { secretName: 'other' }],
  ];
  test.each(spoilt)('%s is put right: it decides for whom and how is signed', (_, spec) => {
    expect(written(plan(scene, live({ spec })))).toEqual({ ...made, metadata: { labels: {}, ...made?.metadata } });
  });

  test('25. their annotations stay beside ours; ours are put right', () => {
    const ours = made?.metadata.annotations ?? {};
    expect(plan(scene, live({ metadata: { annotations: { ...ours, 'x.io/theirs': '1' } } }))).toEqual([]);
    const wrong = live({
      metadata: { annotations: { 'x.io/theirs': '1', 'acme.cert-manager.io/http01-parentrefname': 'wrong' } },
    });
    expect(written(plan(scene, wrong)).metadata.annotations).toEqual({ ...ours, 'x.io/theirs': '1' });
  });

  test('an extra annotation goes when the object no longer has it', () => {
    const annotations = { ...made?.metadata.annotations, 'x.io/note': 'x' };
    const configured = { ...scene, options: { extraCertificateAnnotations: ['x.io/note'] } };
    expect(written(plan(configured, live({ metadata: { annotations } }))).metadata.annotations).not.toHaveProperty([
      'x.io/note',
    ]);
  });

  test('18. labels are the object’s, all of them', () => {
    expect(written(plan(scene, live({ metadata: { labels: { theirs: '1' } } }))).metadata.labels).toEqual({});
  });

  test('further owners stay', () => {
    const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'uid-x' };
    const owners = [other, ...(made?.metadata.ownerReferences ?? [])];
    expect(plan(scene, live({ metadata: { ownerReferences: owners } }))).toEqual([]);
  });

  test('finalizers and status stay in a write', () => {
    const there = written(plan({ sets: [set(issuer('b'))] }, live({ metadata: { finalizers: ['x.io/keep'] } })));
    expect(there.metadata.finalizers).toEqual(['x.io/keep']);
    expect(there.status).toEqual({ revision: 4 });
  });
});
