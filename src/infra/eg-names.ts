// The names, labels and ports that Envoy Gateway 1.9 is found by. Its own code looks for some of them by name (the ServiceAccount, the
// Deployment, the Service, the Secrets); the rest keep the names of its chart, so that a take-over finds them.

/** ServiceAccount, Deployment, Service and PodDisruptionBudget of the controller. */
export const gatewayName = 'envoy-gateway';
export const configName = 'envoy-gateway-config';
export const configKey = 'envoy-gateway.yaml';

/** Chosen by the Deployment, the Service and the policies; never changed, for a Deployment's selector is immutable. */
export const controllerSelector = { 'control-plane': 'envoy-gateway', 'app.kubernetes.io/name': 'envoy-gateway' };
/** What Envoy Gateway writes on each Pod of a proxy. Tenants can write them too: they narrow, they do not prove. */
export const proxySelector = {
  'app.kubernetes.io/name': 'envoy',
  'app.kubernetes.io/component': 'proxy',
  'app.kubernetes.io/managed-by': 'envoy-gateway',
};
/** Of the rate limit service, which Envoy Gateway starts beside itself where its configuration asks for one. */
export const rateLimitSelector = { 'app.kubernetes.io/name': 'envoy-ratelimit' };

export const ports = { grpc: 18000, ratelimit: 18001, wasm: 18002, metrics: 19001, webhook: 9443 } as const;
/** Not in the Service: kubelet's probes. */
export const healthPort = 8081;

/** Static ClusterRoles of deploy/infra/envoy-gateway-roles.yaml; infra binds them by name and makes no rule of its own. */
export const gatewayRoles = {
  /** Kinds without a namespace. */
  cluster: 'certway-gateway-cluster',
  /** Whether a proxy's token is what it says. */
  tokenReview: 'certway-gateway-tokenreview',
  /** What users wrote, incl. Secrets: bound per namespace; cluster-wide only where spec.watch.selector asks for it. */
  read: 'certway-gateway-read',
  /** What Envoy Gateway makes for each Gateway. */
  infra: 'certway-gateway-infra',
  leader: 'certway-gateway-leader',
  /** Pods, for the webhook that tells proxies their zone. */
  topology: 'certway-gateway-topology',
} as const;

/** Of certgen, in systemNamespace. */
export const certificateSecrets = ['envoy-gateway', 'envoy', 'envoy-rate-limit'] as const;
export const hmacSecret = 'envoy-oidc-hmac';
/** Ours: the key of the CA, which Envoy Gateway's own certgen throws away, so that a certificate can be renewed under the same CA. */
export const authoritySecret = 'certway-envoy-gateway-ca';
