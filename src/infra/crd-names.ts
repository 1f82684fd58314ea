// Which CustomResourceDefinitions Envoy Gateway 1.9 needs, and how they belong together: what is looked at and reported, whether or not there is
// a directory to install them from. Asked by provision/crds.ts; a test holds the list against what the Go modules bring.

export const gatewayApiGroup = 'gateway.networking.k8s.io';
export const envoyGatewayGroup = 'gateway.envoyproxy.io';

const gatewayApi = [
  'backendtlspolicies',
  'gatewayclasses',
  'gateways',
  'grpcroutes',
  'httproutes',
  'listenersets',
  'referencegrants',
  'tcproutes',
  'tlsroutes',
  'udproutes',
];
const envoyGateway = [
  'backends',
  'backendtrafficpolicies',
  'clienttrafficpolicies',
  'envoyextensionpolicies',
  'envoypatchpolicies',
  'envoyproxies',
  'httproutefilters',
  'securitypolicies',
];

/** Full names, ascending. */
export const neededCrds: readonly string[] = [
  ...gatewayApi.map((plural) => `${plural}.${gatewayApiGroup}`),
  ...envoyGateway.map((plural) => `${plural}.${envoyGatewayGroup}`),
].sort();

/** "gateways.gateway.networking.k8s.io" → "gateway.networking.k8s.io": CRDs of one group come from one release, and want one owner. */
export function groupOf(name: string): string {
  return name.slice(name.indexOf('.') + 1);
}
