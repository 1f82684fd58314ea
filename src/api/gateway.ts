// The fields of Gateway API kinds that we read (Gateway, ListenerSet, XListenerSet, GatewayClass) or write (HTTPRoute, ReferenceGrant).
// https://gateway-api.sigs.k8s.io/reference/spec/

import type { Condition, KubeObject } from './meta.ts';

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}

export type FromNamespaces = 'All' | 'Same' | 'Selector' | 'None';

export interface NamespaceRule {
  readonly from?: FromNamespaces;
  readonly selector?: LabelSelector;
}

export interface CertificateRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface ListenerTls {
  readonly mode?: 'Terminate' | 'Passthrough';
  readonly certificateRefs?: readonly CertificateRef[];
}

export interface Listener {
  readonly name: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly protocol: string;
  readonly tls?: ListenerTls;
  readonly allowedRoutes?: {
    readonly namespaces?: NamespaceRule;
    readonly kinds?: readonly { readonly group?: string; readonly kind: string }[];
  };
}

export interface ListenerStatus {
  readonly name: string;
  readonly conditions?: readonly Condition[];
}

export interface GatewayAddress {
  /** `IPAddress` where absent. */
  readonly type?: string;
  readonly value: string;
}

export interface Gateway extends KubeObject {
  readonly spec: {
    readonly gatewayClassName: string;
    readonly listeners: readonly Listener[];
    readonly allowedListeners?: { readonly namespaces?: NamespaceRule };
  };
  readonly status?: {
    readonly addresses?: readonly GatewayAddress[];
    readonly conditions?: readonly Condition[];
    readonly listeners?: readonly ListenerStatus[];
  };
}

/** `gateway.networking.k8s.io/v1` ListenerSet and `gateway.networking.x-k8s.io/v1alpha1` XListenerSet: one shape, told apart by `kind`. */
export interface ListenerSet extends KubeObject {
  readonly spec: {
    readonly parentRef: {
      readonly group?: string;
      readonly kind?: string;
      readonly name: string;
      readonly namespace?: string;
    };
    readonly listeners: readonly Listener[];
  };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly listeners?: readonly ListenerStatus[];
  };
}

export interface GatewayClass extends KubeObject {
  readonly spec: { readonly controllerName: string };
}

export interface Namespace extends KubeObject {}

export interface ParentRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export interface HttpRoute extends KubeObject {
  readonly spec: {
    readonly parentRefs?: readonly ParentRef[];
    readonly hostnames?: readonly string[];
    readonly rules?: readonly {
      readonly matches?: readonly { readonly path?: { readonly type?: string; readonly value?: string } }[];
      readonly filters?: readonly unknown[];
      readonly backendRefs?: readonly {
        readonly group?: string;
        readonly kind?: string;
        readonly name: string;
        readonly namespace?: string;
        readonly port?: number;
        readonly weight?: number;
      }[];
    }[];
  };
  readonly status?: {
    readonly parents?: readonly {
      readonly parentRef: ParentRef;
      readonly controllerName: string;
      readonly conditions?: readonly Condition[];
    }[];
  };
}

export interface ReferenceGrant extends KubeObject {
  readonly spec: {
    readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
    readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
  };
}
