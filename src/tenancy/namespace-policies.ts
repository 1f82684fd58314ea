// The policies on Namespaces: their annotations of certway.dev/ are written by those who may, and our own accounts write nothing else. Part of what
// policies.ts lists.

import { changedKeys, isOurs, type Policy, textsOf, trusted } from './policy.ts';

const marks = (kind: 'annotations' | 'labels'): Policy['variables'] => [
  [`${kind}Before`, `oldObject == null || !has(oldObject.metadata.${kind}) ? {} : oldObject.metadata.${kind}`],
  [`${kind}After`, textsOf(`object.metadata.${kind}`)],
];
const changed = (kind: 'annotations' | 'labels', isMeant: string) =>
  changedKeys(`variables.${kind}Before`, `variables.${kind}After`, isMeant);

/** Of our annotations and labels on Namespaces: who may use which domain must not be said by whoever would like to. */
export const namespaces: Policy = {
  name: 'certway-tenant-namespaces',
  about: 'What a Namespace may use is written by Certway, from GatewayTenants.',
  rules: [{ groups: [''], resources: ['namespaces'] }],
  variables: [
    ...marks('annotations'),
    ...marks('labels'),
    [
      'touched',
      ['annotations' as const, 'labels' as const]
        .map((kind) => changed(kind, `key.startsWith('certway.dev/')`))
        .join(' + '),
    ],
  ],
  validations: [
    {
      expression: `size(variables.touched) == 0 || ${trusted}`,
      message: `'Namespace ' + object.metadata.name + ': ' + variables.touched[0] + ' is written by Certway; ask your platform owner to change the GatewayTenant.'`,
    },
  ],
};

/** A right to patch Namespaces cannot be narrowed by RBAC: a stolen token of ours could take off what Pod Security asks for. */
export const ownMarks: Policy = {
  name: 'certway-own-marks',
  about: 'Of a Namespace, Certway’s own accounts change nothing but annotations of certway.dev/.',
  rules: [{ groups: [''], resources: ['namespaces', 'namespaces/finalize', 'namespaces/status'] }],
  variables: [
    ...marks('annotations'),
    ...marks('labels'),
    ['foreign', [changed('annotations', `!key.startsWith('certway.dev/')`), changed('labels', 'true')].join(' + ')],
  ],
  validations: [
    {
      expression: `!(${isOurs}) || (oldObject != null && size(variables.foreign) == 0 && object.spec == oldObject.spec)`,
      message: `request.userInfo.username + ' may change nothing of a Namespace but annotations of certway.dev/' + (size(variables.foreign) == 0 ? '' : ', and not ' + variables.foreign[0])`,
    },
  ],
};
