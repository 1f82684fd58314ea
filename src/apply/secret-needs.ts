// Whether anybody still names a Secret that is watched by its name: the watch ends with the last issuer, Certificate or request that does. Called by
// triggers.ts with every change of one of them.

import type { KubeObject } from '../api/meta.ts';
import type { Change } from '../kube/store.ts';
import { secretNamespace } from './issuer-of.ts';
import type { Ports } from './ports.ts';

type Sight = Pick<Ports, 'settings'> & {
  readonly stores: Pick<Ports['stores'], 'certificates' | 'requests' | 'issuers' | 'clusterIssuers'>;
};

/** Ends the watches of Secrets that nobody names since the change: whoever is gone, or edited, may have been the last. */
export function endUnneeded(
  ports: Sight & { readonly secrets: Pick<Ports['secrets'], 'retain'> },
  change: Change<KubeObject>,
): void {
  const { previous } = change;
  const isStill = change.kind === 'applied' && change.object.metadata.generation === previous?.metadata.generation;
  if (previous === undefined || isStill) return;
  // What has no namespace is a ClusterIssuer.
  const namespace = previous.metadata.namespace ?? ports.settings.clusterResourceNamespace;
  ports.secrets.retain(namespace, (name) => isNamed(ports, namespace, name));
}

/** By an issuer for itself or its solvers, as a target or a keystore's password by a Certificate, as its private key by a request. */
function isNamed(ports: Sight, namespace: string, name: string): boolean {
  const { certificates, requests, issuers, clusterIssuers } = ports.stores;
  const key = `${namespace}/${name}`;
  return (
    certificates.by('secretName', key).length > 0 ||
    certificates.by('passwordSecret', key).length > 0 ||
    requests.by('key', key).length > 0 ||
    [issuers, clusterIssuers].some((store) =>
      store.by('secret', name).some((issuer) => secretNamespace(ports, issuer) === namespace),
    )
  );
}
