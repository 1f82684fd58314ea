// Whose a Certificate is, when it is taken over, and how listener sets move to the stable API with their Certificates.
// The numbers are cert-manager's cases in reference/cert-manager.md §6.

import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import { brief, plan, prefix, set, standing, written } from '../resolve/scene.ts';
import { certificate, https, issuer, openGateway, ownerOf, world } from '../resolve/world.ts';

describe('whose the Certificate is', () => {
  const stranger = set(issuer('a'), { name: 'stranger' });
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    name: 'set',
    uid: 'uid-ingress',
    controller: true,
  };
  const foreign: Readonly<Record<string, readonly [Certificate, readonly string[], string]>> = {
    '19. nobody’s': [certificate('foo-tls', undefined), [], 'not made for a listener'],
    'owned, but not controlled': [
      certificate('foo-tls', undefined, { metadata: { ownerReferences: [{ ...ownerOf(set()), controller: false }] } }),
      [],
      'not made for a listener',
    ],
    '20. of another Gateway’s listener set, which lives': [
      certificate('foo-tls', stranger),
      ['uid-team-stranger'],
      'made for ListenerSet "stranger"',
    ],
    'of an Ingress, whether it lives or not': [
      certificate('foo-tls', undefined, { metadata: { ownerReferences: [ingress] } }),
      [],
      'made for Ingress "set"',
    ],
  };
  test.each(Object.entries(foreign))('%s: left alone, and said', (_, [live, alive, whose]) => {
    expect(plan({ sets: [set()], alive }, [live])).toEqual([
      {
        kind: 'say',
        generation: 3,
        event: {
          about: expect.objectContaining({ kind: 'ListenerSet', name: 'set' }),
          type: 'Warning',
          reason: 'BadConfig',
          message: `Certificate "foo-tls" exists and is ${whose}; it is left alone. To go on, name another Secret in the listener, or delete that Certificate.`,
        },
      },
    ]);
  });

  test('of an owner that is gone: taken over in one write', () => {
    const there = written(plan({ sets: [set()] }, [certificate('foo-tls', stranger)]));
    expect(there.metadata.ownerReferences).toEqual([ownerOf(set())]);
    expect(there.metadata.uid).toBe('uid-certificate-foo-tls');
  });

  test('of an object of the same name that was deleted and made again: taken over', () => {
    const former = certificate('foo-tls', set(issuer('a'), { metadata: { uid: 'uid-former' } }));
    expect(written(plan({ sets: [set()] }, [former])).metadata.ownerReferences).toEqual([ownerOf(set())]);
  });

  test('of an object on the same Gateway that no longer names it: taken over without a gap', () => {
    const other = set(issuer('a'), { name: 'other', listeners: [https({ hostname: 'o.com', secret: 'o-tls' })] });
    const actions = plan({ sets: [set(), other] }, [certificate('foo-tls', other)]);
    expect(brief(actions)).toEqual(['createCertificate o-tls', 'replaceCertificate foo-tls']);
  });

  test('of a younger object that names it too: stays there, and both are told', () => {
    const younger = set(issuer('a'), {
      name: 'younger',
      listeners: [https({ hostname: 'y.com' })],
      metadata: { creationTimestamp: '2026-01-01T00:00:30Z' },
    });
    const [live] = standing({ sets: [younger] });
    const scene = { sets: [set(), younger] };
    expect(brief(plan(scene, live && [live]))).toEqual(['say BadConfig']);
    const refusals = resolveGateway(world(openGateway(), scene.sets)).refusals.map(({ about }) => about.name);
    expect(refusals).toEqual(['younger']);
  });

  test('an older API version of the owner is brought up to date', () => {
    const former = certificate('foo-tls', undefined, {
      metadata: { ownerReferences: [{ ...ownerOf(set()), apiVersion: 'gateway.networking.k8s.io/v1beta1' }] },
    });
    expect(written(plan({ sets: [set()] }, [former])).metadata.ownerReferences).toEqual([ownerOf(set())]);
  });
});

describe('moving from XListenerSet to ListenerSet', () => {
  const old = set(issuer('a'), { kind: 'XListenerSet' });
  const fresh = set();
  const live = standing({ sets: [old] });

  test('swaps the owner in one write, while both exist', () => {
    const there = written(plan({ sets: [old, fresh] }, live));
    expect(there.metadata.ownerReferences).toEqual([ownerOf(fresh)]);
    expect(there.metadata.uid).toBe('uid-foo-tls');
    expect(there.spec).toEqual(live[0]?.spec);
    expect(plan({ sets: [old, fresh] }, [there])).toEqual([]);
  });

  test('swaps the owner once only the new one exists', () => {
    expect(written(plan({ sets: [fresh] }, live)).metadata.ownerReferences).toEqual([ownerOf(fresh)]);
  });

  test('swaps it though the old one points at another Gateway', () => {
    expect(written(plan({ sets: [fresh], alive: ['uid-team-set-x'] }, live)).metadata.ownerReferences).toEqual([
      ownerOf(fresh),
    ]);
  });

  test('goes back where the new one gives the Secret up and the old one still names it', () => {
    const elsewhere = set(issuer('a'), { listeners: [https({ hostname: 'o.com', secret: 'o-tls' })] });
    const actions = plan({ sets: [old, elsewhere] }, standing({ sets: [fresh] }));
    expect(brief(actions).toSorted()).toEqual(['createCertificate o-tls', 'replaceCertificate foo-tls']);
  });

  test('is not undone by the old one, which keeps quiet', () => {
    const there = standing({ sets: [fresh] });
    expect(plan({ sets: [old], alive: ['uid-team-set'] }, there)).toEqual([]);
  });

  test('keeps the Certificate while the new one’s annotations are broken', () => {
    const broken = set({ ...issuer('a'), [`${prefix}duration`]: 'soon' });
    expect(plan({ sets: [old, broken] }, live)).toEqual([]);
  });

  test('with the old kind switched off, its Certificates are not touched', () => {
    expect(plan({ sets: [] }, live)).toEqual([]);
  });
});
