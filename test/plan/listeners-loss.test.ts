// What becomes of a Certificate whose listener has lost its claim to it: suspended, with the reason, until the claim is back.

import { describe, expect, test } from 'vitest';
import { brief, plan, prefix, type Scene, set, standing, suspended, written } from '../resolve/scene.ts';
import { certificate, condition, gateway, https, issuer, listenerSet, openGateway } from '../resolve/world.ts';

describe('what loses admission keeps its Certificate, and is not renewed', () => {
  const live = standing({ sets: [set()] });
  const closed = gateway({ allowed: { from: 'None' } });

  test('the Certificate says why, in one write, once', () => {
    const actions = plan({ gateway: closed, sets: [set()] }, live);
    const there = written(actions);
    const reason =
      'Gateway infra/gw allows no listener sets; the owner of the Gateway can change spec.allowedListeners. Until then this ListenerSet gets no certificate, and none that it has is renewed.';
    expect(there).toEqual({
      ...live[0],
      metadata: { ...live[0]?.metadata, annotations: { ...live[0]?.metadata.annotations, [suspended]: reason } },
    });
    expect(actions[0]?.kind === 'replaceCertificate' && actions[0].say).toEqual({
      about: {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Certificate',
        namespace: 'team',
        name: 'foo-tls',
        uid: 'uid-foo-tls',
      },
      type: 'Warning',
      reason: 'Suspended',
      message: reason,
    });
    expect(plan({ gateway: closed, sets: [set()] }, [there])).toEqual([]);
  });

  const rival = listenerSet({ name: 'a-rival', namespace: 'a', listeners: [https()] });
  const losses: Readonly<Record<string, Scene>> = {
    'the Gateway is gone': { gateway: 'none', sets: [set()] },
    'the Gateway is being deleted': {
      gateway: openGateway({ metadata: { deletionTimestamp: '2026-01-02T00:00:00Z' } }),
      sets: [set()],
    },
    'the class is not served any more': { sets: [set()], options: { gatewayClasses: ['nginx'] } },
    'the status says NotAllowed': {
      sets: [set(issuer('a'), { conditions: [condition('Accepted', 'False', 'NotAllowed')] })],
    },
    'the hostname is an older object’s': { sets: [rival, set()] },
    'wildcards are refused now': {
      sets: [set(issuer('a'), { listeners: [https({ hostname: '*.foo.com' })] })],
      options: { hostnamePolicy: 'strict' },
    },
  };
  test.each(Object.entries(losses))('%s; and back', (_, scene) => {
    const there = written(plan(scene, live));
    expect(there.metadata.annotations?.[suspended]).toBeDefined();
    expect(there.spec).toEqual(live[0]?.spec);
    expect(plan(scene, [there])).toEqual([]);
    expect(written(plan({ sets: [set()] }, [there]))).toEqual({
      ...live[0],
      metadata: { labels: {}, ...live[0]?.metadata },
    });
  });

  test('for another reason, the Certificate says the new one', () => {
    const there = written(plan({ gateway: closed, sets: [set()] }, live));
    const again = written(plan({ gateway: 'none', sets: [set()] }, [there]));
    expect(again.metadata.annotations?.[suspended]).toContain('does not exist');
  });

  test('a Secret that it no longer names is given up all the same', () => {
    const elsewhere = set(issuer('a'), { listeners: [https({ secret: 'other-tls' })] });
    expect(brief(plan({ gateway: closed, sets: [elsewhere] }, live))).toEqual(['deleteCertificate foo-tls']);
  });

  test('without a Gateway that is served, nothing is deleted', () => {
    expect(plan({ sets: [set({})], options: { gatewayClasses: ['nginx'] } }, live)).toEqual([]);
  });

  test('admitted again with broken annotations: renewed again as it stands', () => {
    const there = written(plan({ gateway: closed, sets: [set()] }, live));
    const broken = set({ ...issuer('a'), [`${prefix}duration`]: 'soon' });
    expect(written(plan({ sets: [broken] }, [there]))).toEqual(live[0]);
  });

  test('somebody else’s Certificate of that name is not suspended', () => {
    expect(plan({ gateway: closed, sets: [set()] }, [certificate('foo-tls', undefined)])).toEqual([]);
  });
});
