// The objects of team-a's shop: a Gateway that listens for HTTP alone and lets ListenerSets of its namespace attach, its issuer, and the listener
// sets with their routes. Called by stories/certificates.test.ts.

import { inject } from 'vitest';

export const namespace = 'team-a';
const core = 'gateway.networking.k8s.io/v1';
const parent = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'shop' };

export function gateway(): object {
  return {
    apiVersion: core,
    kind: 'Gateway',
    metadata: { name: 'shop', namespace },
    spec: {
      gatewayClassName: 'eg',
      allowedListeners: { namespaces: { from: 'Same' } },
      listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }],
    },
  };
}

/** At the ACME server of the world, whose HTTPS is signed by a CA of its own. */
export function issuer(): object {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Issuer',
    metadata: { name: 'pebble', namespace },
    spec: {
      acme: {
        server: inject('acmeDirectory'),
        caBundle: Buffer.from(inject('acmeCa')).toString('base64'),
        privateKeySecretRef: { name: 'pebble-account' },
        solvers: [{ http01: { gatewayHTTPRoute: {} } }],
      },
    },
  };
}

export interface Wish {
  readonly name: string;
  readonly host: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One HTTPS listener; its certificate goes to the Secret `<name>-tls`. */
export function listenerSet({ name, host, annotations = {} }: Wish): object {
  return {
    apiVersion: core,
    kind: 'ListenerSet',
    metadata: { name, namespace, annotations },
    spec: { parentRef: parent, listeners: [listener(name, host)] },
  };
}

export function xListenerSet({ name, host, annotations = {} }: Wish): object {
  return {
    apiVersion: 'gateway.networking.x-k8s.io/v1alpha1',
    kind: 'XListenerSet',
    metadata: { name, namespace, annotations },
    spec: { parentRef: parent, listeners: [listener(name, host)] },
  };
}

function listener(name: string, hostname: string): object {
  const tls = { mode: 'Terminate', certificateRefs: [{ name: `${name}-tls` }] };
  return { name: 'https', protocol: 'HTTPS', port: 443, hostname, tls };
}

/** From a listener set to team-a's backend. */
export function route({ name, host }: Wish): object {
  return {
    apiVersion: core,
    kind: 'HTTPRoute',
    metadata: { name, namespace },
    spec: {
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'ListenerSet', name }],
      hostnames: [host],
      rules: [{ backendRefs: [{ name: 'team-a-backend', port: 3000 }] }],
    },
  };
}
