// A ValidatingAdmissionPolicy as a value, and the CEL that all policies on tenants share: who is trusted, what an update leaves as it was, which
// names a namespace may use. Used by policies*.ts; https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/

import { annotations, labels } from '../api/names.ts';

export interface PolicyRule {
  readonly groups: readonly string[];
  readonly resources: readonly string[];
}

export interface Validation {
  /** Holds for whoever is not exempt. */
  readonly expression: string;
  /** CEL that makes a text. */
  readonly message: string;
}

export interface Policy {
  readonly name: string;
  readonly about: string;
  readonly rules: readonly PolicyRule[];
  /** Beside the common ones, in the order in which they build on each other. */
  readonly variables: readonly (readonly [name: string, expression: string])[];
  readonly validations: readonly Validation[];
}

/** Who is never examined beside whoever may update GatewayTenants: exact names, since a prefix is anybody's. */
export const trustedAccounts = [
  'system:serviceaccount:certway-system:certway-controller',
  'system:serviceaccount:certway-system:certway-infra',
] as const;

/** Annotations that choose an issuer or speak to Certway: an update that changes one of them is examined like a change of the spec. */
const speaking = ['cert-manager.io/', 'acme.cert-manager.io/', 'certway.dev/'] as const;

/** CEL: the entries of `map` that differ between two maps of texts, by key, of those keys that pass `isMeant`. */
export function changedKeys(before: string, after: string, isMeant: string): string {
  return [
    `(${before}.filter(key, !(key in ${after}) || ${after}[key] != ${before}[key])`,
    ` + ${after}.filter(key, !(key in ${before}))).filter(key, ${isMeant})`,
  ].join('');
}

/** CEL: a map of texts that may be absent. */
export function textsOf(path: string): string {
  return `has(${path}) ? ${path} : {}`;
}

/** CEL: whether `host`, without its `*.`, is `domain` or beneath it: on a label's border. */
function isBeneath(host: string, domain: string): string {
  return `(${host} == ${domain} || ${host}.endsWith('.' + ${domain}))`;
}

const isSpeaking = speaking.map((prefix) => `key.startsWith('${prefix}')`).join(' || ');
const entries = `(variables.tenancy['${annotations.domains}'].split(',').map(entry, entry.trim().lowerAscii()))`;

/** CEL: whether one of our own accounts asks. */
export const isOurs = `request.userInfo.username in [${trustedAccounts.map((each) => `'${each}'`).join(', ')}]`;

export const trusted = [
  `(${isOurs}`,
  ` || authorizer.group('certway.dev').resource('gatewaytenants').check('update').allowed())`,
].join('');

/** What a policy on objects in tenants' namespaces begins with. `exempt` is for the validations. */
export const commonVariables: Policy['variables'] = [
  ['before', 'oldObject == null || !has(oldObject.metadata.annotations) ? {} : oldObject.metadata.annotations'],
  ['after', textsOf('object.metadata.annotations')],
  // Finalizers and labels: without this no namespace of a tenant could ever be deleted.
  [
    'unchanged',
    `oldObject != null && object.spec == oldObject.spec && size(${changedKeys('variables.before', 'variables.after', isSpeaking)}) == 0`,
  ],
  ['exempt', `variables.unchanged || ${trusted}`],
  ['tenancy', textsOf('namespaceObject.metadata.annotations')],
  [
    'tenant',
    `'${annotations.tenant}' in variables.tenancy ? 'tenant ' + variables.tenancy['${annotations.tenant}'] : 'namespace ' + request.namespace`,
  ],
  [
    'rules',
    `'${annotations.tenantRules}' in variables.tenancy ? variables.tenancy['${annotations.tenantRules}'].split(',') : []`,
  ],
  [
    'domains',
    `'${annotations.domains}' in variables.tenancy ? ${entries}.filter(entry, entry != '' && !entry.startsWith('!')) : []`,
  ],
  [
    'excluded',
    `'${annotations.domains}' in variables.tenancy ? ${entries}.filter(entry, size(entry) > 1 && entry.startsWith('!')).map(entry, entry.substring(1)) : []`,
  ],
  [
    'allowance',
    `size(variables.domains) == 0 ? 'it may use none' : 'it may use ' + variables.domains.join(', ') + ' and names beneath'`,
  ],
];

/**
 * CEL: those of a list of DNS names that the namespace may not use. The longest entry that fits decides; a wildcard also takes every name beneath
 * it, so nothing of another's may lie there (threat H3).
 */
export function namesOutside(names: string): string {
  const host = `(name.startsWith('*.') ? name.substring(2) : name)`;
  const foreignBeneath = `name.startsWith('*.') && variables.excluded.exists(other, other.endsWith('.' + ${host}))`;
  const allowed = [
    `variables.domains.exists(domain, ${isBeneath(host, 'domain')}`,
    ` && !variables.excluded.exists(other, size(other) > size(domain) && ${isBeneath(host, 'other')}))`,
  ].join('');
  return `${names}.map(name, name.lowerAscii()).filter(name, !(${allowed}) || (${foreignBeneath}))`;
}

/** CEL: a sentence about a name that is not the tenant's; `what` is CEL that says where it stands. */
export function foreignMessage(what: string, name: string): string {
  return `${what} + ': ' + variables.tenant + ' may not use the name ' + ${name} + '; ' + variables.allowance + '. Ask your platform owner to add the domain to the GatewayTenant.'`;
}

/** The object as the API server takes it. */
export function policyObject(policy: Policy, common: Policy['variables']): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: {
      name: policy.name,
      labels: { [labels.name]: 'certway', 'app.kubernetes.io/part-of': 'certway' },
      annotations: { 'kubernetes.io/description': policy.about },
    },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: policy.rules.map(({ groups, resources }) => ({
          apiGroups: groups,
          // Whatever version is served: one that is left out would be a way around.
          apiVersions: ['*'],
          operations: ['CREATE', 'UPDATE'],
          resources,
        })),
      },
      variables: [...common, ...policy.variables].map(([name, expression]) => ({ name, expression })),
      validations: policy.validations.map(({ expression, message }) => ({
        expression,
        messageExpression: message,
        reason: 'Forbidden',
      })),
    },
  };
}

/** What puts the policy in force. */
export function bindingObject(name: string, policy: string, matchResources: object): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name, labels: { [labels.name]: 'certway', 'app.kubernetes.io/part-of': 'certway' } },
    spec: { policyName: policy, validationActions: ['Deny'], matchResources },
  };
}
