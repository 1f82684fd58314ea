// crds/gatewayinfras.yaml on a real API server: what it fills in, what it refuses, and that each refusal says what to change. Dry runs only, since
// the one GatewayInfra of the shared world would concern every test in it.

import { describe, expect, inject, it } from 'vitest';
import type { GatewayInfra } from '../../src/api/gateway-infra.ts';
import { kubectlFor } from '../rig/kubectl.ts';

const kubectl = kubectlFor({ kubectl: inject('kubectl'), kubeconfig: inject('kubeconfig') });

async function tried(spec: object | undefined, name = 'default'): Promise<GatewayInfra> {
  const infra = { apiVersion: 'certway.dev/v1alpha1', kind: 'GatewayInfra', metadata: { name }, ...(spec && { spec }) };
  const args = ['create', '--dry-run=server', '--output=json', '-f', '-'];
  const written: GatewayInfra = JSON.parse(await kubectl.run(args, JSON.stringify(infra)));
  return written;
}

const service = (of: object, type?: string) => ({
  classes: [{ name: 'certway', service: { ...(type && { type }), ...of } }],
});
const extension = (of: object) => ({
  namespaceResources: { extension: { serviceAccount: 'waf', role: 'waf-reader', ...of } },
});

describe('what is left out', () => {
  it('is filled in where it always has a value, and stays absent where absence says something', async () => {
    expect((await tried(undefined)).spec).toEqual({
      systemNamespace: 'envoy-gateway-system',
      controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
      networkPolicy: 'Kubernetes',
      topologyInjector: 'Off',
    });
  });

  it('is filled in within what is given', async () => {
    const given = {
      classes: [{ name: 'a', service: {} }],
      crds: {},
      availability: {},
      namespaceResources: {},
      legacy: {},
    };
    expect((await tried(given)).spec).toMatchObject({
      classes: [{ name: 'a', manage: 'Create', kind: 'Deployment', service: { type: 'LoadBalancer' } }],
      crds: { protect: true },
      availability: { topology: 'HA' },
      namespaceResources: { certificateWriter: true },
      legacy: { namespace: 'envoy-gateway-system', cleanup: 'Manual' },
    });
  });
});

describe('taken', () => {
  it.each([
    ['a later release', { version: '1.10.2' }],
    ['the floor', { version: '1.9.0' }],
    ['one replica without HA', { availability: { topology: 'Single', replicas: 1 } }],
    ['a selector', { watch: { selector: { matchLabels: { team: 'a' } } } }],
    ['a registry with a port', { images: { registry: 'registry.example.com:5000', prefix: 'mirrors/envoy' } }],
    [
      'an IPv6 load balancer',
      service({ loadBalancerIP: '2001:db8::1', sourceRanges: ['2001:db8::/32', '192.0.2.0/24'] }),
    ],
    ['any patch', service({ patch: { type: 'StrategicMerge', value: { spec: { externalTrafficPolicy: 'Local' } } } })],
    ['an adopted class', { classes: [{ name: 'eg', manage: 'Adopt' }] }],
    ['a sidecar’s account', extension({ clusterRole: 'waf-cluster' })],
  ])('%s', async (_, spec) => {
    expect((await tried(spec)).spec).toMatchObject(spec);
  });
});

describe('refused', () => {
  it('is every other name', async () => {
    await expect(tried({}, 'main')).rejects.toThrow('there is one GatewayInfra in a cluster, and its name is default');
  });

  it.each<readonly [string, object, string]>([
    ['an old release', { version: '1.8.9' }, 'the oldest release that is installed here is 1.9.0'],
    ['a tag', { version: 'v1.9.1' }, 'version is three numbers without a v'],
    ['a pre-release', { version: '1.9.0-rc.1' }, 'version is three numbers without a v'],
    ['a system namespace of others', { systemNamespace: 'kube-system' }, 'Envoy Gateway needs a namespace of its own'],
    ['Certway’s own as well', { systemNamespace: 'certway-system' }, 'Envoy Gateway needs a namespace of its own'],
    ['no name of a namespace', { systemNamespace: 'Envoy' }, 'systemNamespace is no name of a namespace'],
    ['a bare controller name', { controllerName: 'envoy' }, 'controllerName is a domain, a slash and a path'],
    ['an empty watch', { watch: {} }, 'watch has either namespaces or a selector'],
    [
      'two watches',
      { watch: { namespaces: ['a'], selector: { matchLabels: { a: 'b' } } } },
      'watch has either namespaces or a selector',
    ],
    [
      'a watch on keys of others',
      { watch: { namespaces: ['certway-system'] } },
      'hold Secrets that proxies must not reach',
    ],
    [
      'reserved and watched',
      { reservedNamespaces: ['x'], watch: { namespaces: ['x'] } },
      'watch.namespaces names a namespace',
    ],
    [
      'reserved and provisioned',
      { reservedNamespaces: ['x'], namespaceResources: { additionalNamespaces: ['x'] } },
      'namespaceResources.additionalNamespaces names a namespace',
    ],
    [
      'resources in kube-*',
      { namespaceResources: { additionalNamespaces: ['kube-public'] } },
      'hold Secrets that proxies must not reach',
    ],
    [
      'an adopted class that is changed',
      { classes: [{ name: 'a', manage: 'Adopt', service: {} }] },
      'an adopted class is only',
    ],
    ['two classes of one name', { classes: [{ name: 'a' }, { name: 'a' }] }, 'Duplicate value'],
    [
      'a load balancer’s fields without one',
      service({ loadBalancerClass: 'x' }, 'ClusterIP'),
      'go with type LoadBalancer',
    ],
    ['no address', service({ loadBalancerIP: 'here' }), 'loadBalancerIP is no IP address'],
    ['no range', service({ sourceRanges: ['192.0.2.1'] }), 'this is no range of addresses'],
    ['HA of one', { availability: { replicas: 1 } }, 'one replica is not HA'],
    [
      'a URL as registry',
      { images: { registry: 'https://registry.example.com' } },
      'registry is a host and possibly a port',
    ],
    ['a slash too many', { images: { prefix: '/mirrors' } }, 'prefix is a path without a slash at its ends'],
    ['everybody’s account', extension({ serviceAccount: 'default' }), 'every Pod without one runs as default'],
    ['all rights', extension({ role: 'cluster-admin' }), 'a sidecar gets a ClusterRole made for it'],
    ['our own rights', extension({ clusterRole: 'certway-secret-writer' }), 'a sidecar gets a ClusterRole made for it'],
    ['a policy of no kind', { crds: { policy: 'Force' } }, 'Unsupported value: "Force"'],
    ['a field of no kind', { clases: [] }, 'unknown field "spec.clases"'],
  ])('is %s', async (_, spec, says) => {
    await expect(tried(spec)).rejects.toThrow(says);
  });
});
