// Chooses the Gateway API parent through which a name is proven over HTTP-01: the issuer's solver, then the Certificate's parent, then the port-80 listener.

import type { AcmeSolver, Certificate, Issuer } from '../api/certmanager.ts';
import type { ParentRef } from '../api/gateway.ts';
import { annotations } from '../api/names.ts';
import { parentKey } from '../resolve/source.ts';
import { pickHttpListener } from '../solve/listener.ts';
import { pickSolver } from '../solve/solver.ts';
import type { Ports } from './ports.ts';

export type ChallengeParent =
  | { readonly parentRef: ParentRef; readonly labels: Readonly<Record<string, string>> }
  | { readonly refusal: string };

/** The parent for `host`'s challenge route in the Certificate's namespace, or the sentence that says what is missing. */
export function challengeParent(ports: Ports, certificate: Certificate, issuer: Issuer, host: string): ChallengeParent {
  const picked = pickSolver({
    solvers: issuer.spec.acme?.solvers ?? [],
    name: host,
    labels: certificate.metadata.labels ?? {},
  });
  if ('refusal' in picked) return picked;
  const labels = picked.solver.http01?.gatewayHTTPRoute?.labels ?? {};
  const parent = annotatedParent(ports, certificate, host) ?? explicitParent(picked.solver);
  if (parent === undefined) {
    return {
      refusal: `No Gateway is known through which ${host} can be proven; set parentRefs in the issuer's gatewayHTTPRoute solver.`,
    };
  }
  return 'refusal' in parent ? parent : { parentRef: parent.parentRef, labels };
}

function explicitParent(solver: AcmeSolver): { readonly parentRef: ParentRef } | undefined {
  const [parentRef] = solver.http01?.gatewayHTTPRoute?.parentRefs ?? [];
  return parentRef === undefined ? undefined : { parentRef };
}

/** The parent that the listener's Gateway or ListenerSet left on the Certificate. */
function annotatedParent(ports: Ports, certificate: Certificate, host: string) {
  const noted = certificate.metadata.annotations ?? {};
  const kind = noted[annotations.parentRefKind];
  const name = noted[annotations.parentRefName];
  if (kind === undefined || name === undefined) return undefined;
  const routeNamespace = certificate.metadata.namespace ?? '';
  const namespace = noted[annotations.parentRefNamespace] ?? routeNamespace;
  const key = `${namespace}/${name}`;
  const labelsOf = (of: string) => ports.stores.namespaces.get(of)?.metadata.labels;
  if (kind === 'Gateway') {
    const gateway = ports.stores.gateways.get(key);
    if (gateway === undefined) return { refusal: `Gateway ${key} does not exist.` };
    return pickHttpListener({ host, gateway, routeNamespace, namespaceLabels: labelsOf });
  }
  const set = ports.stores.listenerSets.get(key) ?? ports.stores.xListenerSets.get(key);
  const watched = kind === 'XListenerSet' ? ports.stores.xListenerSets : ports.stores.listenerSets;
  if (set === undefined && !watched.synced) {
    // The gate is off, or the CRD is gone: the Certificate still renews, through the Gateway that was noted on it.
    const gateway = ports.stores.gateways.get(noted[annotations.gateway] ?? '');
    return pickHttpListener({ host, ...(gateway && { gateway }), routeNamespace, namespaceLabels: labelsOf });
  }
  if (set === undefined) return { refusal: `${kind} ${key} does not exist.` };
  const gateway = ports.stores.gateways.get(parentKey(set));
  return pickHttpListener({ host, set, ...(gateway && { gateway }), routeNamespace, namespaceLabels: labelsOf });
}
