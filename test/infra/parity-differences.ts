// The reviewed list: where what infra renders differs from what Envoy Gateway's chart would render for the same wish, and why. Each row is used
// by test/worlds/infra-parity.test.ts; a difference without a row fails it, and so does a row without a difference. A new release of Envoy
// Gateway is taken up by reading what fails.

export interface ReviewedDifference {
  /** The object without its namespace, or "rights": "Deployment envoy-gateway". A trailing `*` stands for any end. */
  readonly object: string;
  /** Of the field, lists by the names of their items. A trailing `*` stands for any end. */
  readonly path: string;
  readonly side: 'chart only' | 'ours only' | 'other value';
  readonly why: string;
}

export const reviewedDifferences: readonly ReviewedDifference[] = [
  ...only('chart only', 'its Job makes the certificates; infra makes and renews them itself', [
    ['Job gateway-helm-certgen', ''],
    ['ServiceAccount gateway-helm-certgen', ''],
  ]),
  ...only('ours only', 'the chart has none: whoever reaches xDS may ask it', [['NetworkPolicy envoy-gateway', '']]),
  ...differing('Deployment envoy-gateway', 'a selector is immutable and must not carry the name of a Helm release', [
    ['chart only', 'spec.selector.matchLabels.app.kubernetes.io/instance'],
    ['other value', 'spec.selector.matchLabels.app.kubernetes.io/name'],
    ['chart only', 'spec.template.metadata.labels.app.kubernetes.io/instance'],
    ['other value', 'spec.template.metadata.labels.app.kubernetes.io/name'],
  ]),
  ...differing('Service envoy-gateway', 'it selects the Pods of our Deployment', [
    ['chart only', 'spec.selector.app.kubernetes.io/instance'],
    ['other value', 'spec.selector.app.kubernetes.io/name'],
  ]),
  ...differing('PodDisruptionBudget envoy-gateway', 'it selects the Pods of our Deployment', [
    ['chart only', 'spec.selector.matchLabels.app.kubernetes.io/instance'],
    ['other value', 'spec.selector.matchLabels.app.kubernetes.io/name'],
  ]),
  ...differing('Deployment envoy-gateway', 'a change of the configuration or the certificates starts new Pods', [
    ['ours only', 'spec.template.metadata.annotations.certway.dev/*'],
  ]),
  ...differing('Deployment envoy-gateway', 'proxies find an xDS server while it is rolled', [
    ['ours only', 'spec.strategy.*'],
  ]),
  ...differing('Deployment envoy-gateway', 'two replicas on one node are one', [
    ['ours only', 'spec.template.spec.affinity.*'],
  ]),
  ...differing('Deployment envoy-gateway', 'as the API server writes the same quantity', [
    ['other value', 'spec.template.spec.containers[envoy-gateway].resources.limits.memory'],
  ]),
  ...differing('Deployment envoy-gateway', 'part of the key by which server-side apply knows a port', [
    ['ours only', 'spec.template.spec.containers[envoy-gateway].ports*.protocol'],
  ]),
  ...differing('Service envoy-gateway', 'part of the key by which server-side apply knows a port', [
    ['ours only', 'spec.ports*.protocol'],
  ]),
  ...differing('ConfigMap envoy-gateway-config', 'two replicas must elect a leader', [
    ['ours only', 'data.provider.kubernetes.leaderElection.disable'],
  ]),
  ...differing(
    'ConfigMap envoy-gateway-config',
    'where Envoy Gateway 1.9 reads it; the chart writes it where nothing reads it',
    [
      ['ours only', 'data.provider.kubernetes.proxyTopologyInjector.disabled'],
      ['chart only', 'data.proxyTopologyInjector.disabled'],
    ],
  ),
  ...differing('ConfigMap envoy-gateway-config', 'nothing is said by it', [['chart only', 'data.extensionApis']]),
  ...differing('ConfigMap envoy-gateway-config', 'what Kubernetes does for an image with a tag', [
    ['chart only', 'data.provider.kubernetes.rateLimitDeployment.patch.*'],
  ]),
  ...differing(
    'ConfigMap envoy-gateway-config',
    'Secrets that proxies pull with are copied to their namespaces, and named by the class',
    [['chart only', 'data.envoyProxy.provider.kubernetes.envoyDeployment.pod.imagePullSecrets*']],
  ),
  ...differing(
    'MutatingWebhookConfiguration envoy-gateway-topology-injector.<system>',
    'certgen would write it in later',
    [['ours only', 'webhooks*.clientConfig.caBundle']],
  ),
  ...differing(
    'MutatingWebhookConfiguration envoy-gateway-topology-injector.<system>',
    'no Pod of a tenant waits 10 seconds for it',
    [['ours only', 'webhooks*.timeoutSeconds']],
  ),
  ...differing(
    'MutatingWebhookConfiguration envoy-gateway-topology-injector.<system>',
    'no proxy runs in the system namespace',
    [
      ['other value', 'webhooks*.namespaceSelector.matchExpressions*.values*'],
      ['chart only', 'webhooks*.namespaceSelector.matchExpressions*.values*'],
    ],
  ),
  ...differing('rights', 'it writes classes by patches only', [
    ['chart only', 'cluster gatewayclasses.gateway.networking.k8s.io update'],
  ]),
  ...differing('rights', 'a kind without a namespace: a Role cannot give it', [
    ['ours only', 'cluster clustertrustbundles.certificates.k8s.io *'],
    ['chart only', '* clustertrustbundles.certificates.k8s.io *'],
  ]),
  ...differing('rights', 'a kind with a namespace: read where Envoy Gateway reads the rest', [
    ['chart only', 'cluster serviceimports.multicluster.x-k8s.io *'],
    ['ours only', '* serviceimports.multicluster.x-k8s.io *'],
  ]),
  ...differing('rights', 'leaders are elected by Leases, of which these verbs are not used', [
    ['chart only', '<system> configmaps update'],
    ['chart only', '<system> leases.coordination.k8s.io list'],
    ['chart only', '<system> leases.coordination.k8s.io watch'],
    ['chart only', '<system> leases.coordination.k8s.io patch'],
    ['chart only', '<system> leases.coordination.k8s.io delete'],
  ]),
  ...differing('rights', 'the webhook answers with a patch and writes no Pod itself', [
    ['chart only', '* pods update'],
    ['chart only', '* pods patch'],
    ['chart only', '* pods/binding *'],
  ]),
];

type Side = ReviewedDifference['side'];

function only(side: Side, why: string, objects: readonly (readonly [object: string, path: string])[]) {
  return objects.map(([object, path]) => ({ object, path, side, why }));
}

function differing(object: string, why: string, fields: readonly (readonly [side: Side, path: string])[]) {
  return fields.map(([side, path]) => ({ object, path, side, why }));
}
