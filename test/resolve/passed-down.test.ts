// What an object passes down to its Certificates besides their spec: labels, annotations, the parent for challenges.
// The numbers are cert-manager's cases in reference/cert-manager.md §6.

import { describe, expect, test } from 'vitest';
import type { Listener } from '../../src/api/gateway.ts';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import type { ResolveOptions } from '../../src/resolve/world.ts';
import { type Annotations, clusterIssuer, gateway, https, listenerSet, only, openGateway, world } from './world.ts';

const ca = clusterIssuer('ca');

function resolve(listeners: readonly Listener[], annotations: Annotations = {}, options: Partial<ResolveOptions> = {}) {
  return resolveGateway(world(gateway({ annotations: { ...ca, ...annotations }, listeners }), [], { with: options }));
}

function onSet(listeners: readonly Listener[], annotations: Annotations = {}, options: Partial<ResolveOptions> = {}) {
  const set = listenerSet({ annotations: { ...ca, ...annotations }, listeners });
  return resolveGateway(world(openGateway(), [set], { with: options }));
}

describe('what an object passes down', () => {
  const passed = (annotations: Annotations, options: Partial<ResolveOptions> = {}) =>
    only(resolve([https()], annotations, options)).annotations;
  const parent = {
    'acme.cert-manager.io/http01-parentrefkind': 'Gateway',
    'acme.cert-manager.io/http01-parentrefname': 'gw',
  };
  const temporary = { 'cert-manager.io/issue-temporary-certificate': 'true' };

  test('18, 26. its labels, without the one of apply sets', () => {
    const labels = { app: 'shop', 'applyset.kubernetes.io/part-of': 'applyset-1' };
    const object = gateway({ annotations: ca, listeners: [https()], metadata: { labels } });
    expect(only(resolveGateway(world(object))).labels).toEqual({ app: 'shop' });
    expect(labels).toHaveProperty(['applyset.kubernetes.io/part-of']);
  });

  test('25. the configured extra annotations, verbatim, and no others', () => {
    const annotations = { 'venafi.cert-manager.io/custom-fields': '[]', note: 'x' };
    expect(
      passed(annotations, { extraCertificateAnnotations: ['venafi.cert-manager.io/custom-fields', 'absent'] }),
    ).toEqual({
      ...parent,
      'venafi.cert-manager.io/custom-fields': '[]',
    });
    expect(resolve([https()], {}, { extraCertificateAnnotations: ['note'] }).ownedAnnotations).toContain('note');
  });

  const effects: readonly (readonly [Annotations, Annotations])[] = [
    [
      { 'acme.cert-manager.io/http01-edit-in-place': 'true' },
      { ...temporary, 'acme.cert-manager.io/http01-override-ingress-name': 'gw' },
    ],
    [{ 'acme.cert-manager.io/http01-edit-in-place': 'false' }, {}],
    [
      { 'acme.cert-manager.io/http01-ingress-class': 'nginx' },
      { 'acme.cert-manager.io/http01-override-ingress-class': 'nginx' },
    ],
    [
      { 'acme.cert-manager.io/http01-ingress-ingressclassname': 'nginx' },
      { 'acme.cert-manager.io/http01-override-ingress-ingressclassname': 'nginx' },
    ],
    [
      { 'acme.cert-manager.io/http01-ingress-class': '', 'acme.cert-manager.io/http01-ingress-ingressclassname': '' },
      {},
    ],
    [{ 'certway.dev/temporary-certificate': 'true' }, temporary],
    [{ 'cert-manager.io/issue-temporary-certificate': 'true' }, temporary],
    [{ 'certway.dev/temporary-certificate': 'false' }, {}],
    [{ 'acme.cert-manager.io/http01-parentreffallback': 'true' }, {}],
    [{ 'acme.cert-manager.io/http01-parentreffallback': 'on a Gateway it means nothing' }, {}],
  ];
  test.each(effects)('27, 28. %j gives %j', (annotations, expected) => {
    expect(passed(annotations)).toEqual({ ...parent, ...expected });
  });

  const fallbacks: readonly (readonly [string | undefined, Annotations])[] = [
    [
      undefined,
      {
        'acme.cert-manager.io/http01-parentrefkind': 'ListenerSet',
        'acme.cert-manager.io/http01-parentrefname': 'set',
        'certway.dev/gateway': 'infra/gw',
      },
    ],
    [
      'false',
      {
        'acme.cert-manager.io/http01-parentrefkind': 'ListenerSet',
        'acme.cert-manager.io/http01-parentrefname': 'set',
        'certway.dev/gateway': 'infra/gw',
      },
    ],
    ['true', { ...parent, 'acme.cert-manager.io/http01-parentrefnamespace': 'infra' }],
    ['T', { ...parent, 'acme.cert-manager.io/http01-parentrefnamespace': 'infra' }],
  ];
  test.each(fallbacks)('31. a ListenerSet with parentreffallback %j', (value, expected) => {
    const annotations: Annotations =
      value === undefined ? {} : { 'acme.cert-manager.io/http01-parentreffallback': value };
    expect(only(onSet([https()], annotations)).annotations).toEqual(expected);
  });

  test('an XListenerSet names itself by its kind', () => {
    const set = listenerSet({ kind: 'XListenerSet', annotations: ca });
    const certificate = only(resolveGateway(world(openGateway(), [set])));
    expect(certificate.annotations['acme.cert-manager.io/http01-parentrefkind']).toBe('XListenerSet');
    expect(certificate.owner.apiVersion).toBe('gateway.networking.x-k8s.io/v1alpha1');
  });
});
