// What is done about the Certificates of one Gateway's listeners: created, deleted, or left exactly as they are.
// The numbers are cert-manager's cases in reference/cert-manager.md §6.

import { describe, expect, test } from 'vitest';
import type { Listener, ListenerSet } from '../../src/api/gateway.ts';
import { brief, plan, prefix, set, standing } from '../resolve/scene.ts';
import { type Annotations, clusterIssuer, https, issuer, openGateway, without } from '../resolve/world.ts';

describe('what is wanted', () => {
  test('1. is created, with one event on the object', () => {
    const [action, ...rest] = plan({ sets: [set()] });
    expect(rest).toEqual([]);
    expect(action).toMatchObject({
      kind: 'createCertificate',
      object: {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Certificate',
        metadata: {
          name: 'foo-tls',
          namespace: 'team',
          ownerReferences: [
            {
              apiVersion: 'gateway.networking.k8s.io/v1',
              kind: 'ListenerSet',
              name: 'set',
              uid: 'uid-team-set',
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
      },
      say: {
        about: { kind: 'ListenerSet', namespace: 'team', name: 'set', uid: 'uid-team-set' },
        type: 'Normal',
        reason: 'CreateCertificate',
        message: 'Certificate "foo-tls" created for foo.com; Issuer "a" signs it.',
      },
    });
  });

  test('5. twice, for two Secrets', () => {
    const listeners = [https(), https({ name: 'b', hostname: 'b.com', secret: 'b-tls' })];
    expect(brief(plan({ sets: [set(issuer('a'), { listeners })] }))).toEqual([
      'createCertificate foo-tls',
      'createCertificate b-tls',
    ]);
  });

  test('16. and stands already: nothing is written or said', () => {
    const scene = { sets: [set()] };
    expect(plan(scene, standing(scene))).toEqual([]);
  });

  test('and is on its way out: waits for its end', () => {
    const scene = { sets: [set()] };
    const [live] = standing(scene);
    const dying = live && [{ ...live, metadata: { ...live.metadata, deletionTimestamp: '2026-01-02T00:00:00Z' } }];
    expect(plan(scene, dying)).toEqual([]);
  });
});

describe('what is no longer wanted', () => {
  const live = standing({ sets: [set()] });
  const passthrough = { mode: 'Passthrough' as const };
  const gone: Readonly<Record<string, ListenerSet>> = {
    '21. the Secret is no longer named': set(issuer('a'), { listeners: [https({ secret: 'other-tls' })] }),
    'the listener is gone': set(issuer('a'), {
      listeners: [https({ name: 'b', hostname: 'b.com', secret: 'other-tls' })],
    }),
    'the issuer annotation is gone': set({}),
    'the listener passes TLS through': set(issuer('a'), { listeners: [https({ protocol: 'TLS', tls: passthrough })] }),
    'the listener is ignored': set({ ...issuer('a'), [`${prefix}ignore-tls-listeners`]: 'web' }),
    'the listener has no hostname any more': set(issuer('a'), { listeners: [without(https(), 'hostname')] }),
    'the Secret is another namespace’s': set(issuer('a'), {
      listeners: [
        https({ tls: { mode: 'Terminate', certificateRefs: [{ name: 'foo-tls', namespace: 'elsewhere' }] } }),
      ],
    }),
  };
  test.each(Object.entries(gone))('%s: the Certificate goes, its Secret stays', (_, edited) => {
    const found = plan({ sets: [edited] }, live).filter((action) => action.kind === 'deleteCertificate');
    expect(found).toEqual([
      {
        kind: 'deleteCertificate',
        object: live[0],
        say: {
          about: expect.objectContaining({ kind: 'ListenerSet', name: 'set' }),
          type: 'Normal',
          reason: 'DeleteCertificate',
          message: 'Certificate "foo-tls" deleted: no listener asks for it any more. Secret "foo-tls" stays.',
        },
      },
    ]);
  });

  test('the Gateway’s issuer annotation is gone: what was inherited goes too', () => {
    const inheriting = { gateway: openGateway({ annotations: clusterIssuer('b') }), sets: [set({})] };
    expect(brief(plan({ sets: [set({})] }, standing(inheriting)))).toEqual(['deleteCertificate foo-tls']);
  });

  test('objects being deleted are left to garbage collection', () => {
    expect(
      plan({ sets: [set(issuer('a'), { metadata: { deletionTimestamp: '2026-01-02T00:00:00Z' } })] }, live),
    ).toEqual([]);
  });

  test('one that is being deleted already is not deleted again', () => {
    const dying = live.map((each) => ({
      ...each,
      metadata: { ...each.metadata, deletionTimestamp: '2026-01-02T00:00:00Z' },
    }));
    expect(plan({ sets: [set({})] }, dying)).toEqual([]);
  });
});

describe('what cannot be understood is left exactly as it is', () => {
  const live = standing({ sets: [set()] });
  const hold: Readonly<Record<string, Annotations>> = {
    '14. two issuers': { ...issuer('a'), ...clusterIssuer('b') },
    'an empty issuer': issuer(''),
    '23. a bad value': { ...issuer('b'), [`${prefix}duration`]: 'soon' },
    'a bad entry for the listener': { ...issuer('b'), 'certway.dev/issuers': 'web=' },
    'a bad fallback': { ...issuer('b'), 'acme.cert-manager.io/http01-parentreffallback': 'maybe' },
  };
  test.each(Object.entries(hold))('%s', (_, annotations) => {
    expect(plan({ sets: [set(annotations)] }, live)).toEqual([]);
  });

  test('listeners of one Secret with two issuers', () => {
    const listeners: readonly Listener[] = [https(), https({ name: 'b', hostname: 'b.com' })];
    const split = set({ ...issuer('a'), 'certway.dev/issuers': 'b=Issuer/x' }, { listeners });
    expect(plan({ sets: [split] }, live)).toEqual([]);
  });
});
