// What the stand-in for the kubelet tells a container, held against what the published API says of it.

import { describe, expect, it } from 'vitest';
import { environmentOf, expanded, fieldOf } from './fields.ts';
import type { Pod } from './objects.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'proxy-1', namespace: 'team-a', uid: 'u1', labels: { 'a.b/c': 'label' } },
  spec: { containers: [], nodeName: 'rig', serviceAccountName: 'proxy' },
};
const around = {
  address: '10.244.0.9',
  apiServer: { host: '10.96.0.1', port: '443' },
  configMap: (namespace: string, name: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name },
    data: { key: 'plain' },
  }),
  secret: (namespace: string, name: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name },
    data: { key: 'c2VjcmV0' },
  }),
};

describe('a container', () => {
  it('knows its Pod by the downward API', () => {
    const paths = [
      'metadata.name',
      'metadata.namespace',
      "metadata.labels['a.b/c']",
      "metadata.annotations['none']",
      'status.podIP',
    ];
    expect(paths.map((path) => fieldOf(pod, path, around.address))).toEqual([
      'proxy-1',
      'team-a',
      'label',
      '',
      '10.244.0.9',
    ]);
    expect(() => fieldOf(pod, 'spec.unknown', '')).toThrow(/team-a\/proxy-1 asks for spec\.unknown/);
  });

  it('has values, fields, keys of objects and the API server’s address in its environment', () => {
    const env = [
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'BOTH', value: '$(POD).$(NAMESPACE)' },
      { name: 'PLAIN', valueFrom: { configMapKeyRef: { name: 'c', key: 'key' } } },
      { name: 'HIDDEN', valueFrom: { secretKeyRef: { name: 's', key: 'key' } } },
    ];
    expect(Object.fromEntries(environmentOf(pod, { name: 'envoy', image: 'envoy', env }, around))).toMatchObject({
      POD: 'proxy-1',
      BOTH: 'proxy-1.$(NAMESPACE)',
      PLAIN: 'plain',
      HIDDEN: 'secret',
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      KUBERNETES_SERVICE_PORT: '443',
    });
  });

  it('gets its command line with known names filled in', () => {
    const known = new Map([['ENVOY_POD_NAME', 'proxy-1']]);
    expect(expanded('--service-node $(ENVOY_POD_NAME) $$(ENVOY_POD_NAME) $(ZONE)', known)).toBe(
      '--service-node proxy-1 $(ENVOY_POD_NAME) $(ZONE)',
    );
  });
});
