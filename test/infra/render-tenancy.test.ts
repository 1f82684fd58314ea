import { expect, it } from 'vitest';
import type { GatewayInfra } from '../../src/api/gateway-infra.ts';
import { renderTenancy } from '../../src/infra/render-tenancy.ts';
import { tenantPolicyNames } from '../../src/tenancy/policies.ts';

function infra(tenancy?: GatewayInfra['spec']['tenancy']): GatewayInfra {
  return {
    apiVersion: 'certway.dev/v1alpha1',
    kind: 'GatewayInfra',
    metadata: { name: 'default', uid: 'u' },
    spec: { systemNamespace: 'gateways', controllerName: 'c', ...(tenancy !== undefined && { tenancy }) },
  };
}

it('binds nothing unless tenancy is switched on', () => {
  expect(renderTenancy(infra())).toEqual([]);
  expect(renderTenancy(infra({ enabled: false, platformNamespaces: ['infra'] }))).toEqual([]);
});

it('binds every policy on tenants, and leaves out the platform’s namespaces by name', () => {
  const bindings = renderTenancy(infra({ enabled: true, platformNamespaces: ['infra', 'certway-system'] }));
  expect(bindings.map(({ object }) => object.metadata.name)).toEqual(tenantPolicyNames);
  const values = ['certway-system', 'default', 'gateways', 'infra', 'kube-node-lease', 'kube-public', 'kube-system'];
  for (const { object } of bindings) {
    expect(object.spec).toEqual({
      policyName: object.metadata.name,
      validationActions: ['Deny'],
      matchResources: {
        namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values }] },
      },
    });
    expect(object.metadata.labels).toMatchObject({ 'certway.dev/infra-uid': 'u' });
  }
});
