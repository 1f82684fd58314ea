// What tenants write, in the shapes that the tests of tenancy try: a listener, a route, a Certificate, each with the part that matters.

export interface Marks {
  readonly name?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function metadata(namespace: string, { name = 'mine', annotations = {} }: Marks): object {
  return { name, namespace, annotations };
}

export interface Heard {
  readonly hostname?: string;
  readonly protocol?: 'HTTP' | 'HTTPS' | 'TLS' | 'TCP';
}

function listener({ hostname, protocol = 'HTTP' }: Heard, at: number): object {
  const port = protocol === 'HTTP' ? 80 : 443;
  const tls = {
    HTTP: undefined,
    TCP: undefined,
    HTTPS: { certificateRefs: [{ name: `l${at}-tls` }] },
    TLS: { mode: 'Passthrough' },
  };
  return {
    name: `l${at}`,
    port,
    protocol,
    ...(hostname !== undefined && { hostname }),
    ...(tls[protocol] !== undefined && { tls: tls[protocol] }),
  };
}

export function gateway(namespace: string, heard: readonly Heard[], marks: Marks = {}): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: metadata(namespace, marks),
    spec: { gatewayClassName: 'tenants-of-a-test', listeners: heard.map(listener) },
  };
}

export function listenerSet(
  namespace: string,
  heard: readonly Heard[],
  marks: Marks = {},
  prefix: '' | 'X' = '',
): object {
  return {
    apiVersion: prefix === '' ? 'gateway.networking.k8s.io/v1' : 'gateway.networking.x-k8s.io/v1alpha1',
    kind: `${prefix}ListenerSet`,
    metadata: metadata(namespace, marks),
    spec: { parentRef: { name: 'shared' }, listeners: heard.map(listener) },
  };
}

export function route(
  namespace: string,
  hostnames: readonly string[],
  kind: 'HTTPRoute' | 'GRPCRoute' | 'TLSRoute',
  version = 'v1',
): object {
  return {
    apiVersion: `gateway.networking.k8s.io/${version}`,
    kind,
    metadata: metadata(namespace, {}),
    spec: {
      parentRefs: [{ name: 'shared' }],
      ...(hostnames.length > 0 && { hostnames }),
      rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
    },
  };
}

export function certificate(namespace: string, spec: object, marks: Marks = {}): object {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: metadata(namespace, marks),
    spec: { secretName: 'mine-tls', issuerRef: { kind: 'ClusterIssuer', name: 'public' }, ...spec },
  };
}

export function issuer(namespace: string): object {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Issuer',
    metadata: metadata(namespace, {}),
    spec: { selfSigned: {} },
  };
}
