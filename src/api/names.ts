// Every label, annotation, finalizer and field manager that we read or write, by its exact name.

export const certManagerGroup = 'cert-manager.io';

export const annotations = {
  issuer: 'cert-manager.io/issuer',
  clusterIssuer: 'cert-manager.io/cluster-issuer',
  issuerKind: 'cert-manager.io/issuer-kind',
  issuerGroup: 'cert-manager.io/issuer-group',
  certificateName: 'cert-manager.io/certificate-name',
  issuerName: 'cert-manager.io/issuer-name',
  certificateRevision: 'cert-manager.io/certificate-revision',
  privateKeySecretName: 'cert-manager.io/private-key-secret-name',
  commonName: 'cert-manager.io/common-name',
  altNames: 'cert-manager.io/alt-names',
  ipSans: 'cert-manager.io/ip-sans',
  uriSans: 'cert-manager.io/uri-sans',
  emailSans: 'cert-manager.io/email-sans',
  subjectOrganizations: 'cert-manager.io/subject-organizations',
  subjectOrganizationalUnits: 'cert-manager.io/subject-organizationalunits',
  subjectCountries: 'cert-manager.io/subject-countries',
  subjectProvinces: 'cert-manager.io/subject-provinces',
  subjectLocalities: 'cert-manager.io/subject-localities',
  subjectPostalCodes: 'cert-manager.io/subject-postalcodes',
  subjectStreetAddresses: 'cert-manager.io/subject-streetaddresses',
  subjectSerialNumber: 'cert-manager.io/subject-serialnumber',
  parentRefKind: 'acme.cert-manager.io/http01-parentrefkind',
  parentRefName: 'acme.cert-manager.io/http01-parentrefname',
  parentRefNamespace: 'acme.cert-manager.io/http01-parentrefnamespace',
  /** On a Certificate: "true" asks for a self-signed stand-in while the issuer has not signed yet. */
  issueTemporary: 'cert-manager.io/issue-temporary-certificate',
  /** On a ListenerSet's Certificate: "namespace/name" of its Gateway, for challenges while the set's kind is not watched. */
  gateway: 'certway.dev/gateway',
  /** On the Order: what it waits for, as JSON; written only when something is not settled at its first try. */
  state: 'certway.dev/state',
  /** On a Namespace, by the platform: the domains that its certificates may have names of, comma-separated. */
  domains: 'certway.dev/domains',
  /** There too, by Certway: the GatewayTenant that the Namespace belongs to. */
  tenant: 'certway.dev/tenant',
  /** There too: what else the tenant may, of "wildcards", "own-issuers" and "https-only", comma-separated. */
  tenantRules: 'certway.dev/tenant-rules',
  /** There too: the issuers that it may use, as "Kind/name" or "Kind.group/name", "*" for any name, comma-separated. */
  allowedIssuers: 'certway.dev/allowed-issuers',
  /** On the Order: the TXT records that it has presented, or is about to, as JSON. */
  records: 'certway.dev/records',
  /** On the Issuer: the RFC 7638 thumbprint of its account key, so that no replica need read keys to answer HTTP-01. */
  accountThumbprint: 'certway.dev/account-thumbprint',
  /** On an ACME Issuer: any new value asks for a new account key. */
  rolloverAccountKey: 'certway.dev/rollover-account-key',
  /** On the Issuer and on the Secret of its account key: the value of the one above that has been done. */
  rolledOverAccountKey: 'certway.dev/rolled-over-account-key',
  /** On the Secret of an account key that holds a second one: which issuer's rollover it is, as "Issuer/namespace/name" or "ClusterIssuer/name". */
  rollingOverFor: 'certway.dev/rolling-over-for',
  /** On an ACME Issuer: the URL of the account that is to be closed for good. */
  deactivateAccount: 'certway.dev/deactivate-account',
  /** On an ACME Issuer: any new value says that somebody has ended the CA's pause, and the orders that it stopped are tried again. */
  unpause: 'certway.dev/unpause',
  /** On an ACME Issuer: the directory, or "staging", where orders are proven before the issuer's own CA hears of them. */
  rehearse: 'certway.dev/rehearse',
  /** On the Order: how its rehearsal stands, as JSON; the memory of it across a restart. */
  rehearsal: 'certway.dev/rehearsal',
  /** On an ACME Issuer, and on the ConfigMap certway-limits: the CA's limits, in place of the ones that Certway knows, as JSON or YAML. */
  limits: 'certway.dev/limits',
  /** The URL of an account: on the Order that it places, which its CA shows to no other, and on the ConfigMap that keeps what is spent of its limits. */
  account: 'certway.dev/account',
  /** There too: the URL of the CA's directory. */
  directory: 'certway.dev/directory',
  /** On a Certificate: "reason@SERIAL", asks to have that certificate replaced and revoked; " now" after it: revoked first. */
  revoke: 'certway.dev/revoke',
  /** On a Certificate: why it is not issued or renewed, in one sentence; set while its ListenerSet is not admitted. */
  suspended: 'certway.dev/suspended',
  /** On Gateways and ListenerSets: "listener=Kind/name, …", beats the object's own issuer for those listeners. */
  listenerIssuers: 'certway.dev/issuers',
  /** On an ACME ClusterIssuer: "true" gives each namespace that uses it an account of its own. */
  accountPerTenant: 'certway.dev/account-per-tenant',
} as const;

export const labels = {
  /** Marks Secrets that the certificate half owns; the Secret watch selects by it. */
  fao: 'controller.cert-manager.io/fao',
  nextPrivateKey: 'cert-manager.io/next-private-key',
  managedBy: 'app.kubernetes.io/managed-by',
  name: 'app.kubernetes.io/name',
  /** On the ConfigMaps that keep what is spent of an account's limits: "checkpoint". */
  budget: 'certway.dev/budget',
  /** On what is stamped from a ClusterIssuer, by its name, for people to select by: nothing is believed for it. */
  stampedFrom: 'certway.dev/stamped-from',
  /** On the Gateway of a tenant's own and on its redirect: the GatewayTenant. */
  tenant: 'certway.dev/tenant',
  /** On RoleBindings that give the certificate half its Secret rights in a namespace. */
  grant: 'certway.dev/grant',
  /** Prefix of one label per hostname on an Order: `host.certway.dev/<hash>`. */
  hostPrefix: 'host.certway.dev/',
} as const;

export const finalizers = {
  /** On an Order from before its first TXT record is presented until the last one is gone. */
  records: 'certway.dev/records',
} as const;

export const secretFieldManager = 'cert-manager-certificates-issuing';
export const fieldManager = 'certway';
