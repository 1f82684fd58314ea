// cert-manager's annotations for Gateways and ListenerSets as a table: two good values each with what they give, and a bad one with what is
// said to be accepted. Read by listeners-annotations.test.ts. HOST, NAME and NAMESPACE stand for the set's own.

const cm = 'cert-manager.io/';
const acme = 'acme.cert-manager.io/';
export type Body = Readonly<Record<string, unknown>>;

export interface Row {
  /** The annotation, and what it needs beside itself. */
  readonly key: string;
  readonly with?: Readonly<Record<string, string>>;
  /** Two values with what they give, in `spec` or in the annotations. */
  readonly first: readonly [value: string, gives: Body];
  readonly next: readonly [value: string, gives: Body];
  readonly bad?: readonly [value: string, accepted: RegExp];
}

const subject = (part: string, field: string): Row => ({
  key: `${cm}subject-${part}`,
  first: [`One,"Two, Ltd"`, { subject: { [field]: ['One', 'Two, Ltd'] } }],
  next: ['Three', { subject: { [field]: ['Three'] } }],
  bad: ['"One', /one line of comma-separated values/],
});

export const rows: readonly Row[] = [
  {
    key: `${cm}common-name`,
    first: ['one.example.com', { commonName: 'one.example.com' }],
    next: ['two.example.com', { commonName: 'two.example.com' }],
    bad: ['x'.repeat(65), /at most 64 bytes/],
  },
  {
    key: `${cm}alt-names`,
    first: ['b.example.com, a.example.com', { dnsNames: ['HOST', 'b.example.com', 'a.example.com'] }],
    next: ['c.example.com', { dnsNames: ['HOST', 'c.example.com'] }],
    bad: ['not_a name', /DNS names/],
  },
  {
    key: `${cm}ip-sans`,
    first: ['10.0.0.1,::1', { ipAddresses: ['10.0.0.1', '::1'] }],
    next: ['10.0.0.2', { ipAddresses: ['10.0.0.2'] }],
    bad: ['10.0.0', /IP addresses/],
  },
  {
    key: `${cm}uri-sans`,
    first: ['spiffe://a/b', { uris: ['spiffe://a/b'] }],
    next: ['spiffe://a/c', { uris: ['spiffe://a/c'] }],
    bad: ['not a uri', /URIs/],
  },
  {
    key: `${cm}email-sans`,
    first: ['a@example.com', { emailAddresses: ['a@example.com'] }],
    next: ['b@example.com', { emailAddresses: ['b@example.com'] }],
    bad: ['A <a@example.com>', /e-mail addresses without display names/],
  },
  subject('organizations', 'organizations'),
  subject('organizationalunits', 'organizationalUnits'),
  subject('countries', 'countries'),
  subject('provinces', 'provinces'),
  subject('localities', 'localities'),
  subject('postalcodes', 'postalCodes'),
  subject('streetaddresses', 'streetAddresses'),
  {
    key: `${cm}subject-serialnumber`,
    first: ['one', { subject: { serialNumber: 'one' } }],
    next: ['two', { subject: { serialNumber: 'two' } }],
  },
  {
    key: `${cm}duration`,
    first: ['48h', { duration: '48h0m0s' }],
    next: ['90m', { duration: '1h30m0s' }],
    bad: ['30m', /Go duration of at least 1h/],
  },
  {
    key: `${cm}renew-before`,
    first: ['24h', { renewBefore: '24h0m0s' }],
    next: ['5m', { renewBefore: '5m0s' }],
    bad: ['a week', /Go duration of at least 5m/],
  },
  {
    key: `${cm}renew-before-percentage`,
    first: ['20', { renewBeforePercentage: 20 }],
    next: ['30', { renewBeforePercentage: 30 }],
    bad: ['100', /1 to 99/],
  },
  {
    key: `${cm}usages`,
    first: ['digital signature, server auth', { usages: ['digital signature', 'server auth'] }],
    next: ['client auth', { usages: ['client auth'] }],
    bad: ['server-auth', /list of key usages/],
  },
  {
    key: `${cm}revision-history-limit`,
    first: ['3', { revisionHistoryLimit: 3 }],
    next: ['4', { revisionHistoryLimit: 4 }],
    bad: ['0', /at least 1/],
  },
  {
    key: `${cm}private-key-algorithm`,
    first: ['ECDSA', { privateKey: { algorithm: 'ECDSA' } }],
    next: ['Ed25519', { privateKey: { algorithm: 'Ed25519' } }],
    bad: ['ecdsa', /RSA, ECDSA or Ed25519/],
  },
  {
    key: `${cm}private-key-size`,
    with: { [`${cm}private-key-algorithm`]: 'ECDSA' },
    first: ['384', { privateKey: { algorithm: 'ECDSA', size: 384 } }],
    next: ['521', { privateKey: { algorithm: 'ECDSA', size: 521 } }],
    bad: ['2048', /256, 384 or 521 for ECDSA/],
  },
  {
    key: `${cm}private-key-encoding`,
    first: ['PKCS8', { privateKey: { encoding: 'PKCS8' } }],
    next: ['PKCS1', { privateKey: { encoding: 'PKCS1' } }],
    bad: ['PEM', /PKCS1 or PKCS8/],
  },
  {
    key: `${cm}private-key-rotation-policy`,
    first: ['Never', { privateKey: { rotationPolicy: 'Never' } }],
    next: ['Always', { privateKey: { rotationPolicy: 'Always' } }],
    bad: ['always', /Never or Always/],
  },
  {
    key: `${cm}secret-template`,
    first: ['{"labels":{"a":"b"}}', { secretTemplate: { labels: { a: 'b' } } }],
    next: ['{"annotations":{"c":"d"}}', { secretTemplate: { annotations: { c: 'd' } } }],
    bad: ['{"annotations":{"cert-manager.io/x":"y"}}', /annotations that begin with cert-manager\.io/],
  },
  {
    key: `${acme}http01-edit-in-place`,
    first: [
      'true',
      {
        annotations: { [`${acme}http01-override-ingress-name`]: 'NAME', [`${cm}issue-temporary-certificate`]: 'true' },
      },
    ],
    next: ['false', {}],
    bad: ['yes', /"true" or "false"/],
  },
  {
    key: `${acme}http01-ingress-class`,
    first: ['nginx', { annotations: { [`${acme}http01-override-ingress-class`]: 'nginx' } }],
    next: ['other', { annotations: { [`${acme}http01-override-ingress-class`]: 'other' } }],
  },
  {
    key: `${acme}http01-ingress-ingressclassname`,
    first: ['nginx', { annotations: { [`${acme}http01-override-ingress-ingressclassname`]: 'nginx' } }],
    next: ['other', { annotations: { [`${acme}http01-override-ingress-ingressclassname`]: 'other' } }],
  },
  {
    key: `${acme}http01-parentreffallback`,
    first: [
      'true',
      {
        annotations: {
          [`${acme}http01-parentrefkind`]: 'Gateway',
          [`${acme}http01-parentrefname`]: 'parent',
          [`${acme}http01-parentrefnamespace`]: 'NAMESPACE',
        },
      },
    ],
    next: ['false', {}],
    bad: ['maybe', /"true" or "false"/],
  },
  ...[`${cm}issue-temporary-certificate`, 'certway.dev/temporary-certificate'].map(
    (key): Row => ({
      key,
      first: ['true', { annotations: { [`${cm}issue-temporary-certificate`]: 'true' } }],
      next: ['false', {}],
      bad: ['1h', /"true" or "false"/],
    }),
  ),
];
