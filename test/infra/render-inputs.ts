// The five inputs whose rendered objects stand in golden/, and which the parity test holds against Envoy Gateway's own chart.

import type { GatewayInfra, GatewayInfraSpec } from '../../src/api/gateway-infra.ts';
import type { SystemInput } from '../../src/infra/render-system.ts';

export const uid = '11111111-2222-4333-8444-555555555555';

export function infraOf(spec: Partial<GatewayInfraSpec> = {}): GatewayInfra {
  return {
    apiVersion: 'certway.dev/v1alpha1',
    kind: 'GatewayInfra',
    metadata: { name: 'default', uid },
    spec: {
      systemNamespace: 'envoy-gateway-system',
      controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
      ...spec,
    },
  };
}

export interface RenderCase {
  readonly input: SystemInput;
  /** Values of the chart that ask for the same, as far as it can be asked. */
  readonly chart: Readonly<Record<string, unknown>>;
}

const authority = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

function inputOf(spec: Partial<GatewayInfraSpec>, hosting: readonly string[], userConfig?: string): SystemInput {
  return {
    infra: infraOf(spec),
    uid,
    hosting,
    certificatesDigest: '0123456789abcdef',
    authority,
    ...(userConfig === undefined ? {} : { userConfig }),
  };
}

const gatewayNamespace = { deploy: { type: 'GatewayNamespace' } };
const kubernetes = (more: Readonly<Record<string, unknown>>) => ({
  config: { envoyGateway: { provider: { kubernetes: { ...gatewayNamespace, ...more } } } },
});
const watching = (...namespaces: readonly string[]) => ({ watch: { type: 'Namespaces', namespaces } });

export const renderCases: Readonly<Record<string, RenderCase>> = {
  // What an empty spec means, before any Gateway.
  plain: {
    input: inputOf({}, []),
    chart: {
      ...kubernetes(watching('envoy-gateway-system')),
      topologyInjector: { enabled: false },
      deployment: { replicas: 2 },
      podDisruptionBudget: { minAvailable: 1 },
    },
  },
  // Two tenants, and the webhook for their proxies.
  tenants: {
    input: inputOf({ topologyInjector: 'HostingNamespaces' }, ['team-b', 'team-a']),
    chart: {
      ...kubernetes(watching('envoy-gateway-system', 'team-a', 'team-b')),
      deployment: { replicas: 2 },
      podDisruptionBudget: { minAvailable: 1 },
    },
  },
  // Namespaces by label: the wide rights.
  selector: {
    input: inputOf({ watch: { selector: { matchLabels: { gateways: 'yes' } } } }, ['team-a']),
    chart: {
      ...kubernetes({ watch: { type: 'NamespaceSelector', namespaceSelector: { matchLabels: { gateways: 'yes' } } } }),
      topologyInjector: { enabled: false },
      deployment: { replicas: 2 },
      podDisruptionBudget: { minAvailable: 1 },
    },
  },
  // No registry but the company's, one replica, no policies.
  mirrored: {
    input: inputOf(
      {
        images: { registry: 'registry.example.com:5000', pullSecrets: ['mirror'] },
        availability: { topology: 'Single' },
        networkPolicy: 'None',
      },
      ['team-a'],
    ),
    chart: {
      ...kubernetes(watching('envoy-gateway-system', 'team-a')),
      topologyInjector: { enabled: false },
      global: {
        imageRegistry: 'registry.example.com:5000',
        imagePullSecrets: [{ name: 'mirror' }],
        images: {
          envoyProxy: {
            image:
              'docker.io/envoyproxy/envoy:distroless-v1.39.1@sha256:eb2c01c13125d1629637cb4e4cce7207009fb7cc2c8027f9742758549d15b6f4',
          },
        },
      },
    },
  },
  // A configuration of the platform's own, which asks for more than it gets, in another namespace.
  configured: {
    input: inputOf(
      { systemNamespace: 'gateways', envoyGatewayConfigRef: { namespace: 'platform', name: 'envoy-gateway' } },
      ['team-a'],
      [
        'provider:',
        '  type: Kubernetes',
        '  kubernetes:',
        '    deploy: {type: ControllerNamespace}',
        '    client: {rateLimit: {qps: 100, burst: 200}}',
        'extensionApis: {enableBackend: true}',
        'logging: {level: {default: warn, xds: debug}}',
        'envoyProxy: {mergeGateways: true, logging: {level: {default: warn}}}',
      ].join('\n'),
    ),
    chart: {
      config: {
        envoyGateway: {
          provider: {
            kubernetes: {
              ...gatewayNamespace,
              ...watching('gateways', 'team-a'),
              client: { rateLimit: { qps: 100, burst: 200 } },
            },
          },
          extensionApis: { enableBackend: true },
          logging: { level: { default: 'warn', xds: 'debug' } },
          envoyProxy: { logging: { level: { default: 'warn' } } },
        },
      },
      topologyInjector: { enabled: false },
      deployment: { replicas: 2 },
      podDisruptionBudget: { minAvailable: 1 },
    },
  },
};
