// The admission policies that keep each tenant to its own names and issuers, without trusting anything that a tenant can write. Called by the script
// that writes deploy/tenancy/policies.yaml. The controller repeats every check when it plans, for clusters without them.

import { annotations } from '../api/names.ts';
import { namespaces, ownMarks } from './namespace-policies.ts';
import {
  bindingObject,
  commonVariables,
  foreignMessage,
  namesOutside,
  type Policy,
  policyObject,
  type Validation,
} from './policy.ts';

const isNone = (list: string) => `variables.exempt || size(variables.${list}) == 0`;
const remedy = `'. Ask your platform owner to allow it in the GatewayTenant.'`;
/** CEL: "Gateway shop". */
const object = `object.kind + ' ' + object.metadata.name`;

const outside: Validation = {
  expression: isNone('outside'),
  message: foreignMessage(object, 'variables.outside[0]'),
};
const wildcards: Validation = {
  expression: `variables.exempt || 'wildcards' in variables.rules || !variables.names.exists(name, name.startsWith('*.'))`,
  message: `${object} + ': ' + variables.tenant + ' may not use wildcards, such as ' + variables.names.filter(name, name.startsWith('*.'))[0] + ${remedy}`,
};
const issuers: Validation = {
  expression: isNone('foreignIssuers'),
  message: `${object} + ': ' + variables.tenant + ' may not use the issuer ' + variables.foreignIssuers[0] + '; it may use ' + (size(variables.allowedIssuers) == 0 ? 'none' : variables.allowedIssuers.join(', ')) + ${remedy}`,
};

/** CEL: those of a list of "Kind/name" that the namespace may not use. */
const foreignIssuers = (asked: string): Policy['variables'] => [
  [
    'allowedIssuers',
    `'${annotations.allowedIssuers}' in variables.tenancy ? variables.tenancy['${annotations.allowedIssuers}'].split(',').map(entry, entry.trim()) : []`,
  ],
  [
    'foreignIssuers',
    `${asked}.filter(issuer, !(issuer in variables.allowedIssuers) && !(issuer.substring(0, issuer.indexOf('/')) + '/*' in variables.allowedIssuers) && !('own-issuers' in variables.rules && issuer.startsWith('Issuer/')))`,
  ],
];

const said = (key: string, fallback: string) =>
  `('${key}' in variables.after && variables.after['${key}'] != '' ? variables.after['${key}'] : '${fallback}')`;

/** CEL: every issuer that the annotations of a Gateway or ListenerSet name, as "Kind/name" or "Kind.group/name". */
const annotatedIssuers: Policy['variables'] = [
  [
    'issuerKind',
    `${said(annotations.issuerKind, 'Issuer')} + (${said(annotations.issuerGroup, 'cert-manager.io')} == 'cert-manager.io' ? '' : '.' + ${said(annotations.issuerGroup, '')})`,
  ],
  [
    'askedIssuers',
    [
      `('${annotations.issuer}' in variables.after ? [variables.issuerKind + '/' + variables.after['${annotations.issuer}']] : [])`,
      `('${annotations.clusterIssuer}' in variables.after ? ['ClusterIssuer/' + variables.after['${annotations.clusterIssuer}']] : [])`,
      `('${annotations.listenerIssuers}' in variables.after ? variables.after['${annotations.listenerIssuers}'].split(',').map(entry, entry.trim()).filter(entry, entry != '').map(entry, entry.substring(entry.indexOf('=') + 1).trim()).map(entry, entry.contains('/') ? entry.replace('.cert-manager.io/', '/') : 'Issuer/' + entry) : [])`,
    ].join(' + '),
  ],
  ...foreignIssuers('variables.askedIssuers'),
];

const listeners: Policy = {
  name: 'certway-tenant-listeners',
  about: 'Listeners of tenants have hostnames of the tenant, and name issuers that it may use.',
  rules: [
    { groups: ['gateway.networking.k8s.io'], resources: ['gateways', 'listenersets'] },
    { groups: ['gateway.networking.x-k8s.io'], resources: ['xlistenersets'] },
  ],
  variables: [
    ['listeners', 'has(object.spec.listeners) ? object.spec.listeners : []'],
    [
      'nameless',
      `variables.listeners.filter(each, !(each.protocol in ['TCP', 'UDP']) && (!has(each.hostname) || each.hostname == ''))`,
    ],
    ['names', `variables.listeners.filter(each, has(each.hostname) && each.hostname != '').map(each, each.hostname)`],
    ['outside', namesOutside('variables.names')],
    ...annotatedIssuers,
  ],
  validations: [
    {
      expression: isNone('nameless'),
      message: `${object} + ': listener ' + variables.nameless[0].name + ' has no hostname, and would serve every name; ' + variables.tenant + ' must give it one: ' + variables.allowance + '.'`,
    },
    outside,
    wildcards,
    issuers,
  ],
};

const routes: Policy = {
  name: 'certway-tenant-routes',
  about: 'Routes of tenants have hostnames of the tenant.',
  rules: [{ groups: ['gateway.networking.k8s.io'], resources: ['httproutes', 'grpcroutes', 'tlsroutes'] }],
  variables: [
    ['names', 'has(object.spec.hostnames) ? object.spec.hostnames.map(each, string(each)) : []'],
    ['outside', namesOutside('variables.names')],
    [
      'plain',
      `!('https-only' in variables.rules) || !has(object.spec.parentRefs) ? [] : object.spec.parentRefs.filter(each, (!has(each.kind) || each.kind == 'Gateway') && (!has(each.sectionName) || each.sectionName == 'http') && (!has(each.port) || each.port == 80))`,
    ],
    [
      'redirects',
      `has(object.spec.rules) && object.spec.rules.all(rule, has(rule.filters) && rule.filters.exists(each, each.type == 'RequestRedirect'))`,
    ],
  ],
  validations: [
    {
      expression: 'variables.exempt || size(variables.names) > 0',
      message: `${object} + ': a route without hostnames answers for every name of its listener; ' + variables.tenant + ' must name them in spec.hostnames: ' + variables.allowance + '.'`,
    },
    outside,
    wildcards,
    {
      expression: 'variables.exempt || size(variables.plain) == 0 || variables.redirects',
      message: `${object} + ': on port 80 ' + variables.tenant + ' may only redirect; name the HTTPS listener in spec.parentRefs[].sectionName, which attaches to all of Gateway ' + variables.plain[0].name + ' where it is left out.'`,
    },
  ],
};

const certificates: Policy = {
  name: 'certway-tenant-certificates',
  about: 'Certificates of tenants have names of the tenant, of issuers that it may use.',
  rules: [{ groups: ['cert-manager.io'], resources: ['certificates'] }],
  variables: [
    [
      'names',
      [
        `(has(object.spec.commonName) && object.spec.commonName != '' ? [object.spec.commonName] : [])`,
        '(has(object.spec.dnsNames) ? object.spec.dnsNames : [])',
        `(has(object.spec.emailAddresses) ? object.spec.emailAddresses.map(each, each.substring(each.lastIndexOf('@') + 1)) : [])`,
        `(has(object.spec.uris) ? object.spec.uris.map(each, isURL(each) ? url(each).getHostname() : '') : [])`,
      ].join(' + '),
    ],
    ['outside', namesOutside('variables.names')],
    [
      'unplaced',
      `['ipAddresses', 'otherNames', 'literalSubject'].filter(field, (field == 'ipAddresses' && has(object.spec.ipAddresses) && size(object.spec.ipAddresses) > 0) || (field == 'otherNames' && has(object.spec.otherNames) && size(object.spec.otherNames) > 0) || (field == 'literalSubject' && has(object.spec.literalSubject) && object.spec.literalSubject != ''))`,
    ],
    [
      'kind',
      `has(object.spec.issuerRef.kind) && object.spec.issuerRef.kind != '' ? object.spec.issuerRef.kind : 'Issuer'`,
    ],
    [
      'group',
      `has(object.spec.issuerRef.group) && object.spec.issuerRef.group != '' && object.spec.issuerRef.group != 'cert-manager.io' ? '.' + object.spec.issuerRef.group : ''`,
    ],
    ...foreignIssuers(`[variables.kind + variables.group + '/' + object.spec.issuerRef.name]`),
  ],
  validations: [
    outside,
    wildcards,
    {
      expression: isNone('unplaced'),
      message: `${object} + ': spec.' + variables.unplaced[0] + ' says names that lie beneath no domain; ' + variables.tenant + ' must leave it out, and name its hosts in spec.dnsNames.'`,
    },
    {
      expression: `variables.exempt || !has(object.spec.isCA) || !object.spec.isCA || ('own-issuers' in variables.rules && variables.kind == 'Issuer' && variables.group == '')`,
      message: `${object} + ': spec.isCA would make a CA that signs any name; ' + variables.tenant + ' may have one of an Issuer of its own, where the GatewayTenant allows own issuers.'`,
    },
    issuers,
  ],
};

const ownIssuers: Policy = {
  name: 'certway-tenant-issuers',
  about: 'Tenants make Issuers where their GatewayTenant allows it.',
  rules: [{ groups: ['cert-manager.io'], resources: ['issuers'] }],
  variables: [],
  validations: [
    {
      expression: `variables.exempt || 'own-issuers' in variables.rules`,
      message: `${object} + ': ' + variables.tenant + ' may not make Issuers; use one that the platform offers' + ${remedy}`,
    },
  ],
};

const orders: Policy = {
  name: 'certway-tenant-orders',
  about:
    'Orders and Challenges are written by the controller alone: whoever writes one spends the credentials of its issuer.',
  rules: [{ groups: ['acme.cert-manager.io'], resources: ['orders', 'challenges'] }],
  variables: [],
  validations: [
    {
      expression: 'variables.exempt',
      message: `${object} + ': the controller makes and changes it; delete it to have it made anew, or change the Certificate.'`,
    },
  ],
};

/** Every policy, as the API server takes it. */
export function tenantPolicies(): readonly Readonly<Record<string, unknown>>[] {
  const inNamespaces = [listeners, routes, certificates, ownIssuers, orders];
  return [
    ...inNamespaces.map((each) => policyObject(each, commonVariables)),
    policyObject(namespaces, []),
    policyObject(ownMarks, []),
  ];
}

/** Their names: what is bound where tenancy is switched on. The last is about Namespaces, the platform's own included. */
export const tenantPolicyNames = [listeners, routes, certificates, ownIssuers, orders, namespaces].map(
  ({ name }) => name,
);

export function ownBinding(): Readonly<Record<string, unknown>> {
  return bindingObject(ownMarks.name, ownMarks.name, {});
}
