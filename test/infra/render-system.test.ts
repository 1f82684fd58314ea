// The parts of the system that depend on what the GatewayInfra says: rights, policies, replicas, images, the webhook, the version.

import { describe, expect, it } from 'vitest';
import type { GatewayInfraSpec } from '../../src/api/gateway-infra.ts';
import { gatewayAccess } from '../../src/infra/render-access.ts';
import { renderSystem, type SystemInput } from '../../src/infra/render-system.ts';
import { nameOf } from '../../src/infra/wanted.ts';
import { infraOf, uid } from './render-inputs.ts';

function systemOf(spec: Partial<GatewayInfraSpec> = {}, more: Partial<SystemInput> = {}) {
  const system = renderSystem({ infra: infraOf(spec), uid, hosting: [], certificatesDigest: '', ...more });
  if (!system.ok) throw new Error(system.problem.message);
  const find = (name: string) => system.value.wanted.find((one) => nameOf(one) === name)?.object;
  return { names: system.value.wanted.map(nameOf), find, digest: system.value.digest };
}

const deployment = 'Deployment envoy-gateway-system/envoy-gateway';
const policy = 'NetworkPolicy envoy-gateway-system/envoy-gateway';

describe('rights', () => {
  it('stand before the Deployment that needs them', () => {
    const { names } = systemOf({}, { hosting: ['team-a'] });
    const last = names.findLastIndex((name) => /Binding/.test(name));
    expect(last).toBeGreaterThan(0);
    expect(last).toBeLessThan(names.indexOf(deployment));
  });

  it('reach no Secret of the cluster with a list of namespaces, and all with a selector', () => {
    const wide = (spec: Partial<GatewayInfraSpec>) =>
      systemOf(spec).names.filter((name) => name.startsWith('ClusterRoleBinding'));
    const narrow = ['ClusterRoleBinding certway-gateway-cluster', 'ClusterRoleBinding certway-gateway-tokenreview'];
    expect(wide({})).toEqual(narrow);
    expect(wide({ watch: { namespaces: ['team-a'] } })).toEqual(narrow);
    expect(wide({ watch: { selector: { matchLabels: { a: 'b' } } } })).toEqual([
      ...narrow,
      'ClusterRoleBinding certway-gateway-read',
      'ClusterRoleBinding certway-gateway-infra',
    ]);
  });

  it('to Pods are given only with the webhook', () => {
    const names = (spec: Partial<GatewayInfraSpec>) => gatewayAccess(infraOf(spec), uid, 'team-a').map(nameOf);
    expect(names({ topologyInjector: 'Off' })).toEqual([
      'RoleBinding team-a/certway-gateway-read',
      'RoleBinding team-a/certway-gateway-infra',
    ]);
    expect(names({ topologyInjector: 'HostingNamespaces' })).toContain('RoleBinding team-a/certway-gateway-topology');
  });

  it('are those of Envoy Gateway’s ServiceAccount and of nobody else', () => {
    const { names, find } = systemOf({ systemNamespace: 'gateways' });
    for (const name of names.filter((each) => /Binding/.test(each))) {
      expect(find(name)?.subjects).toEqual([{ kind: 'ServiceAccount', name: 'envoy-gateway', namespace: 'gateways' }]);
    }
  });
});

describe('the watched namespaces', () => {
  const watched = (spec: Partial<GatewayInfraSpec>, hosting: readonly string[]) => {
    const config = systemOf(spec, { hosting }).find('ConfigMap envoy-gateway-system/envoy-gateway-config');
    return String(Object.values(config?.data ?? {})[0]).match(/^ {4}watch:\n(?: {6}.*\n)+/m)?.[0];
  };

  it('are the system namespace and those that host', () => {
    expect(watched({}, ['team-b', 'team-a'])).toBe(
      '    watch:\n      namespaces:\n        - envoy-gateway-system\n        - team-a\n        - team-b\n      type: Namespaces\n',
    );
  });

  it('are those of the list that have their bindings, for Envoy Gateway never starts without one of them', () => {
    const text = watched({ watch: { namespaces: ['team-a', 'team-z'] } }, ['team-a', 'team-b']);
    expect(text).toContain('- team-a\n');
    expect(text).not.toMatch(/team-[bz]/);
  });

  it('change the Deployment, so that its Pods start with the new list', () => {
    const pods = (hosting: readonly string[]) =>
      JSON.stringify(systemOf({}, { hosting }).find(deployment)).match(/"certway.dev\/config":"\w+"/)?.[0];
    expect(pods(['team-a'])).toBeDefined();
    expect(pods(['team-a'])).not.toBe(pods([]));
  });
});

describe('the NetworkPolicy', () => {
  const ingress = (spec: Partial<GatewayInfraSpec>, hosting: readonly string[]) =>
    JSON.stringify(systemOf(spec, { hosting }).find(policy)?.spec);

  it('admits to xDS only proxies of hosting namespaces', () => {
    const spec = systemOf({}, { hosting: ['team-a'] }).find(policy)?.spec;
    const rules = (spec as { ingress: readonly { from?: unknown; ports: readonly { port: number }[] }[] }).ingress;
    const open = rules.filter(({ ports }) => ports.some(({ port }) => port === 18_000));
    expect(open).toEqual([
      {
        from: [
          {
            namespaceSelector: {
              matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['team-a'] }],
            },
            podSelector: {
              matchLabels: {
                'app.kubernetes.io/name': 'envoy',
                'app.kubernetes.io/component': 'proxy',
                'app.kubernetes.io/managed-by': 'envoy-gateway',
              },
            },
          },
        ],
        ports: [
          { protocol: 'TCP', port: 18_000 },
          { protocol: 'TCP', port: 18_002 },
        ],
      },
    ]);
  });

  it('admits nobody to xDS while nobody hosts', () => {
    expect(ingress({}, [])).not.toContain('18000');
  });

  it('names the hosting namespaces also where a selector says what is watched', () => {
    expect(ingress({ watch: { selector: { matchLabels: { a: 'b' } } } }, ['team-a'])).toContain('"values":["team-a"]');
  });

  it('opens the webhook only where it is', () => {
    expect(ingress({}, ['team-a'])).not.toContain('9443');
    expect(ingress({ topologyInjector: 'HostingNamespaces' }, ['team-a'])).toContain('9443');
  });

  it('is left out on demand', () => {
    expect(systemOf({ networkPolicy: 'None' }).names).not.toContain(policy);
  });
});

describe('availability', () => {
  const budget = 'PodDisruptionBudget envoy-gateway-system/envoy-gateway';
  it.each([
    [undefined, 2, true],
    [{ topology: 'HA' as const, replicas: 3 }, 3, true],
    [{ topology: 'Single' as const }, 1, false],
    [{ topology: 'Single' as const, replicas: 2 }, 2, false],
  ])('%j has %i replicas', (availability, replicas, budgeted) => {
    const { find, names } = systemOf(availability === undefined ? {} : { availability });
    expect(find(deployment)?.spec).toMatchObject({ replicas });
    expect(names.includes(budget)).toBe(budgeted);
  });
});

describe('the webhook', () => {
  const webhook = 'MutatingWebhookConfiguration envoy-gateway-topology-injector.envoy-gateway-system';
  const on = { topologyInjector: 'HostingNamespaces' } as const;

  it('asks about Pods of hosting namespaces alone', () => {
    const { find } = systemOf(on, { hosting: ['team-b', 'team-a'], authority: 'PEM' });
    expect(find(webhook)?.webhooks).toMatchObject([
      {
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['team-a', 'team-b'] }],
        },
        clientConfig: { caBundle: Buffer.from('PEM').toString('base64') },
        failurePolicy: 'Ignore',
      },
    ]);
  });

  it.each([
    ['is off unless asked for', {}, { hosting: ['team-a'], authority: 'PEM' }],
    ['waits for the CA', on, { hosting: ['team-a'] }],
    ['waits for a namespace that hosts', on, { hosting: [], authority: 'PEM' }],
  ])('%s', (_, spec, more) => {
    expect(systemOf(spec, more).names).not.toContain(webhook);
  });
});

describe('images', () => {
  const images = (spec: Partial<GatewayInfraSpec>) => {
    const { find } = systemOf(spec);
    const text = JSON.stringify([find(deployment), find('ConfigMap envoy-gateway-system/envoy-gateway-config')]);
    return [...text.matchAll(/image: ?([^\s"\\]+)|"image":"([^"]+)"/g)].map(([, a, b]) => a ?? b).sort();
  };

  it('come from docker.io', () => {
    expect(images({})).toEqual([
      'docker.io/envoyproxy/gateway:v1.9.1',
      'docker.io/envoyproxy/gateway:v1.9.1',
      'docker.io/envoyproxy/ratelimit:8fe6ea42',
    ]);
  });

  it('come all from a mirror, the proxies’ too', () => {
    const mirrored = images({ images: { registry: 'registry.example.com:5000/', prefix: '/hub/' } });
    expect(mirrored).toHaveLength(4);
    for (const image of mirrored) expect(image).toMatch(/^registry\.example\.com:5000\/hub\/envoyproxy\//);
  });
});

describe('a version', () => {
  it.each([
    ['1.8.9', 'VersionBelowFloor'],
    ['0.9.0', 'VersionBelowFloor'],
    ['1.10.0', 'VersionUnknown'],
    ['2.0.0', 'VersionUnknown'],
    ['latest', 'VersionUnreadable'],
    ['1.9', 'VersionUnreadable'],
    ['1.9.0-rc.1', 'VersionUnreadable'],
  ])('%s is refused as %s', (version, reason) => {
    const system = renderSystem({ infra: infraOf({ version }), uid, hosting: [], certificatesDigest: '' });
    expect(system).toMatchObject({ ok: false, problem: { step: 'Version', reason } });
    expect(system.ok ? '' : system.problem.message).toContain(version);
  });

  it('of the floor is run', () => {
    expect(JSON.stringify(systemOf({ version: '1.9.0' }).find(deployment))).toContain('envoyproxy/gateway:v1.9.0');
  });
});
