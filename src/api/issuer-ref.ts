// An issuerRef with what its writer left out. Empty strings, which Go clients send for fields that nobody set, count as left out.

import type { IssuerRef } from './certmanager.ts';
import { certManagerGroup } from './names.ts';

/** Kind `Issuer` and our group unless told otherwise (cert-manager.io/v1). */
export function fullRef({ name, kind, group }: IssuerRef): Required<IssuerRef> {
  return { name, kind: kind || 'Issuer', group: group || certManagerGroup };
}
