// An inherited namespaced issuer is looked up where the listener stands; that it is missing there surprises its owner, who never named it.
// Called by apply/listeners.ts.

import { fullRef } from '../api/issuer-ref.ts';
import type { EventDraft } from '../api/meta.ts';
import { certManagerGroup } from '../api/names.ts';
import type { WantedCertificate } from '../resolve/world.ts';
import { templateOf } from './stamp.ts';

/** Events for the owners of Certificates whose issuer another object named, and which does not exist in the owner's namespace. */
export function missingInherited(
  wanted: readonly WantedCertificate[],
  exists: (namespace: string, issuer: string) => boolean,
): readonly { readonly event: EventDraft; readonly generation: number }[] {
  return wanted.flatMap(({ owner, issuerFrom, namespace, spec, generation }) => {
    const { name, kind, group } = fullRef(spec.issuerRef);
    const isOwn =
      issuerFrom.kind === owner.kind && issuerFrom.name === owner.name && issuerFrom.namespace === owner.namespace;
    if (isOwn || kind !== 'Issuer' || group !== certManagerGroup || exists(namespace, name)) return [];
    // Made by us, not by its owner.
    if (templateOf(name) !== undefined) return [];
    const from = `${issuerFrom.kind} "${issuerFrom.namespace}/${issuerFrom.name}"`;
    const message = `Issuer "${name}", which ${from} sets as the default, does not exist in namespace "${namespace}"; create it there, name another issuer here, or ask the Gateway's owner for a ClusterIssuer.`;
    return [{ event: { about: owner, type: 'Warning', reason: 'IssuerNotFound', message }, generation }];
  });
}
