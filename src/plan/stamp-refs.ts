// Which issuer a listener's Certificate names where its ClusterIssuer gives tenants accounts of their own. Called with each resolution, by
// apply/listeners.ts before it is planned and by cli/status-judge.ts before it is compared. Certificates that people write are left as they are.

import type { IssuerRef } from '../api/certmanager.ts';
import { certManagerGroup } from '../api/names.ts';
import type { Resolution } from '../resolve/world.ts';
import { isTwin, stampedName } from './stamp.ts';

export interface RefSight {
  /** `ours`: Certway issues here and makes what it names; `theirs`: somebody else does, or nobody knows. */
  readonly issuance: 'ours' | 'theirs';
  readonly hasOwnAccount: (template: string, namespace: string) => boolean;
  /** The issuerRef of a Certificate that exists. */
  readonly live: (namespace: string, name: string) => IssuerRef | undefined;
}

/** Nothing moves from one account to the other while it is not Certway that issues. */
export function withOwnAccounts(resolution: Resolution, sight: RefSight): Resolution {
  const wanted = resolution.wanted.map((each) => {
    const { issuerRef } = each.spec;
    if (issuerRef.kind !== 'ClusterIssuer' || issuerRef.group !== certManagerGroup) return each;
    const ref = refFor(each, issuerRef, sight);
    return ref === issuerRef ? each : { ...each, spec: { ...each.spec, issuerRef: ref } };
  });
  return { ...resolution, wanted };
}

function refFor(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  template: IssuerRef,
  { issuance, hasOwnAccount, live }: RefSight,
): IssuerRef {
  if (issuance === 'theirs') {
    const standing = live(namespace, name);
    return standing !== undefined && isTwin(standing, template) ? standing : template;
  }
  if (!hasOwnAccount(template.name, namespace)) return template;
  return { name: stampedName(template.name), kind: 'Issuer', group: certManagerGroup };
}
