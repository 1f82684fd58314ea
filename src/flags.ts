// The controller's flags as a table, their values with every mistake collected, and the usage text made from it. Called by config.ts only.
// Names and defaults follow cert-manager's where it has the flag.

import { parseArgs } from 'node:util';
import { leaseFlags } from './lease-flags.ts';

export interface Flag {
  readonly type: 'string' | 'boolean';
  readonly default?: string | boolean;
  readonly help: string;
}

const flags = {
  kubeconfig: { type: 'string', help: 'kubeconfig file; absent: in-cluster credentials' },
  'cluster-resource-namespace': {
    type: 'string',
    default: 'certway-system',
    help: 'where Secrets of ClusterIssuers stand',
  },
  'enable-gateway-api': { type: 'boolean', default: false, help: 'watch Gateways and ListenerSets' },
  'feature-gates': {
    type: 'string',
    default: '',
    help: 'XGatewayAPI=true|false (default false), ListenerSets=true|false (default true), ACMEUseARI=true|false (default true)',
  },
  'gateway-api-extra-protocols': {
    type: 'string',
    default: '',
    help: 'further listener protocols that get certificates, comma-separated',
  },
  'gateway-classes': {
    type: 'string',
    default: '',
    help: 'only Gateways of these classes or controller names (patterns with *)',
  },
  'gateway-hostname-policy': {
    type: 'string',
    default: 'lenient',
    help: 'lenient | strict: strict refuses wildcard hostnames',
  },
  'default-issuer-kind': { type: 'string', default: 'Issuer', help: 'issuer kind where an annotation names none' },
  'default-issuer-group': {
    type: 'string',
    default: 'cert-manager.io',
    help: 'issuer group where an annotation names none',
  },
  'extra-certificate-annotations': {
    type: 'string',
    default: '',
    help: 'annotations copied from Gateway or ListenerSet to the Certificate',
  },
  'certificate-request-minimum-backoff-duration': {
    type: 'string',
    default: '1m',
    help: 'no attempt follows a failed one sooner; else 1, 10, 100 minutes, then daily',
  },
  'disable-auto-approval': {
    type: 'boolean',
    default: false,
    help: 'sign only what somebody else has approved (cmctl approve, an approver of your own)',
  },
  controllers: {
    type: 'string',
    default: '*',
    help: '*,-certificaterequests-approver is another way to say --disable-auto-approval',
  },
  'enable-certificate-owner-ref': {
    type: 'boolean',
    default: false,
    help: 'delete the Secret with its Certificate, by an owner reference',
  },
  budgets: {
    type: 'boolean',
    default: true,
    help: 'place orders as the CA’s limits leave room for them; false: as they come, and wait where the CA refuses',
  },
  issuance: {
    type: 'string',
    default: 'auto',
    help: 'auto | builtin | external: who issues. builtin: Certway; external: a cert-manager; auto: Certway where the CRDs are its own',
  },
  'cert-manager-lease': {
    type: 'string',
    default: 'kube-system/cert-manager-controller',
    help: 'namespace/name of cert-manager’s Lease, which Certway holds while it issues, so that nobody else does',
  },
  'takeover-after': {
    type: 'string',
    default: '',
    help: 'with --issuance=auto, take over from a cert-manager that has been silent for so long, at least 10m; empty: never',
  },
  ...leaseFlags,
  'concurrent-workers': {
    type: 'string',
    default: '16',
    help: 'Certificates worked on at once; waiting ones hold no worker',
  },
  'acme-http01-listen-address': {
    type: 'string',
    default: '0.0.0.0:8089',
    help: 'where HTTP-01 challenges are answered',
  },
  'acme-http01-solver-service': {
    type: 'string',
    default: 'certway-system/certway-acme-solver:8089',
    help: 'namespace/name:port of the Service in front of that address',
  },
  'acme-http01-solver-nameservers': {
    type: 'string',
    default: '',
    help: 'address:port of DNS servers for self-checks; empty: the system’s',
  },
  'dns01-recursive-nameservers': {
    type: 'string',
    default: '',
    help: 'host:port or https URLs of the servers that DNS-01 looks names up at; empty: the system’s',
  },
  'dns01-recursive-nameservers-only': {
    type: 'boolean',
    default: false,
    help: 'look for TXT records at these servers instead of at each zone’s own',
  },
  'dns01-authority-port': { type: 'string', default: '53', help: 'port of the zones’ own servers' },
  'dns01-cleanup-patience': {
    type: 'string',
    default: '10m',
    help: 'how long a deleted Order is held for a TXT record whose credentials are gone; six times as long for a provider that is down',
  },
  'cluster-issuer-ambient-credentials': {
    type: 'boolean',
    default: true,
    help: 'ClusterIssuers may use the credentials of the controller’s own surroundings',
  },
  'issuer-ambient-credentials': { type: 'boolean', default: false, help: 'the same for Issuers' },
  'acme-http01-address-check': {
    type: 'string',
    default: 'warn',
    help: 'require | warn | off: must a name’s addresses be its Gateway’s? off asks the Gateway’s own (split DNS)',
  },
  'acme-http01-self-check-port': { type: 'string', default: '80', help: 'port that self-checks ask' },
  'metrics-listen-address': { type: 'string', default: '0.0.0.0:9402', help: 'Prometheus metrics' },
  'healthz-listen-address': { type: 'string', default: '0.0.0.0:9403', help: '/livez and /readyz' },
  'log-level': { type: 'string', default: 'info', help: 'debug | info | warn | error' },
} as const satisfies Record<string, Flag>;

export type Values = { readonly [Name in keyof typeof flags]: string };

/** Every flag's text, given or default; mistakes are added to the list. */
export function readFlags(argv: readonly string[], mistakes: string[]): Values | 'help' {
  return readTable(flags, argv, mistakes);
}

/** The same for the flags of another command. */
export function readTable<Name extends string>(
  table: Readonly<Record<Name, Flag>>,
  argv: readonly string[],
  mistakes: string[],
): Readonly<Record<Name, string>> | 'help' {
  const known: Readonly<Record<string, Flag>> = table;
  const options = Object.fromEntries(
    [...Object.keys(known), 'help'].map((name) => [name, { type: 'string' as const }]),
  );
  // A boolean flag may stand alone (--leader-elect) or with a value (--leader-elect=false), as Go's flags do.
  const spelled = argv.map((word) => {
    const name = word.startsWith('--') ? word.slice(2) : '';
    const isBoolean = name === 'help' || (Object.hasOwn(known, name) && known[name]?.type === 'boolean');
    return isBoolean ? `${word}=true` : word;
  });
  const given: Record<string, string> = {};
  const { tokens } = parseArgs({ args: spelled, options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional') mistakes.push(`unexpected argument "${token.value}"`);
    if (token.kind !== 'option') continue;
    if (token.name === 'help') return 'help';
    if (!Object.hasOwn(known, token.name)) mistakes.push(`unknown flag --${token.name}`);
    else if (token.value === undefined) mistakes.push(`--${token.name} needs a value`);
    else given[token.name] = token.value;
  }
  return valuesOf(table, given);
}

function valuesOf<Name extends string>(
  table: Readonly<Record<Name, Flag>>,
  given: Readonly<Record<string, string>>,
): Readonly<Record<Name, string>> {
  const entries = Object.entries<Flag>(table).map(([name, flag]) => [name, given[name] ?? String(flag.default ?? '')]);
  return Object.fromEntries(entries) as Readonly<Record<Name, string>>;
}

export const defaultValues: Values = valuesOf(flags, {});

/** One line a flag, for a usage text. */
export function flagLines(table: Readonly<Record<string, Flag>>): readonly string[] {
  return Object.entries(table).map(([name, flag]) => {
    const fallback = flag.default === undefined || flag.default === '' ? '' : ` (default ${flag.default})`;
    return `  --${name.padEnd(46)} ${flag.help}${fallback}`;
  });
}

export function usage(): string {
  return [
    'certway controller [flags]    watch Gateways, ListenerSets, Certificates and Issuers, and issue',
    'certway infra [flags]         run Envoy Gateway in Gateway Namespace Mode as GatewayInfra default asks; --help lists its flags',
    'certway grant NAMESPACE…      print the RoleBindings that let the controller write Secrets there',
    'certway status KIND NAME      say what a listenerset, xlistenerset, gateway or certificate waits for, and who can fix it;',
    '                              [-n NAMESPACE] [--kubeconfig FILE] [-o json]; exit code 0: nothing is missing, 1: something is',
    'certway check                 say whether the API is ready to be used: kinds, policies, controller, rights; [--wait DURATION]',
    '                              [-n NAMESPACE of Certway] [--kubeconfig FILE] [-o json]; exit code 0: ready, 1: something is missing',
    'certway budget [ISSUER]       what a CA’s limits leave for ACME accounts: used, left, when there is more, who has spent it, who waits;',
    '                              a ClusterIssuer, or with -n NAMESPACE an Issuer; [--cluster-resource-namespace NAMESPACE]',
    '                              [--kubeconfig FILE] [-o json]; exit code 0: told, 1: not all could be seen',
    'certway account show|rollover|deactivate ISSUER',
    '                              the ACME account of an issuer: look, change its key, close it; [-n NAMESPACE | --cluster] [-o json] [--yes]',
    'certway revoke CERTIFICATE    replace a certificate and have the old one revoked; [-n NAMESPACE] [--reason keyCompromise|superseded|…]',
    '                              [--serial HEX] [--now]: --now revokes before there is another one',
    '',
    'Flags of the controller:',
    ...flagLines(flags),
    '',
  ].join('\n');
}
