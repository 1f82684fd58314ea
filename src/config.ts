// The door: argv and environment become one Config, or every mistake at once. Nothing else in src reads either.

import { hostname } from 'node:os';
import { type Proxies, readProxies } from './acme/proxy.ts';
import type { Reply } from './api/reply.ts';
import type { OwnershipConfig } from './apply/ownership.ts';
import type { DnsPorts, Settings } from './apply/ports.ts';
import type { WatchOptions } from './apply/watches.ts';
import { type AccountArgs, type RevokeArgs, readAccountArgs, readRevokeArgs } from './cli/account-args.ts';
import type { CheckWish } from './cli/check.ts';
import { readCheckArgs } from './cli/check-args.ts';
import type { StatusWish } from './cli/status.ts';
import { readStatusArgs } from './cli/status-args.ts';
import { readNameserver, systemNameservers } from './dns/nameserver.ts';
import type { DnsView } from './dns/view.ts';
import { booleanOf, durationOf, listOf, numberOf, oneOf, refOf, serviceOf } from './flag-values.ts';
import { defaultValues, readFlags, usage, type Values } from './flags.ts';
import type { LeadershipConfig } from './kube/leadership.ts';
import type { ResolveOptions } from './resolve/world.ts';

export interface ControllerConfig {
  readonly command: 'controller';
  readonly kubeconfig: string | undefined;
  readonly watched: Pick<WatchOptions, 'gatewayApi' | 'listenerSets' | 'xListenerSets' | 'solverNamespace'>;
  readonly lease: LeadershipConfig;
  readonly ownership: OwnershipConfig;
  readonly settings: Settings;
  readonly dns: Pick<DnsPorts, 'ambient'> & { readonly view: Omit<DnsView, 'https'> };
  readonly workers: number;
  readonly http01Listen: string;
  readonly metricsListen: string;
  readonly healthListen: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly proxies: Proxies | undefined;
}

export interface GrantConfig {
  readonly command: 'grant';
  readonly namespaces: readonly string[];
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
}

export interface HelpConfig {
  readonly command: 'help';
  readonly text: string;
}

export interface StatusConfig extends StatusWish {
  readonly command: 'status';
}

export interface CheckConfig extends CheckWish {
  readonly command: 'check';
}

export interface AccountConfig extends AccountArgs {
  readonly command: 'account';
}

export interface RevokeConfig extends RevokeArgs {
  readonly command: 'revoke';
}

export type Config =
  | ControllerConfig
  | GrantConfig
  | StatusConfig
  | CheckConfig
  | AccountConfig
  | RevokeConfig
  | HelpConfig;

type Environment = Readonly<Record<string, string | undefined>>;

/** XGatewayAPI: everything of gateway.networking.x-k8s.io, that is XListenerSet. */
const knownGates = { XGatewayAPI: false, ListenerSets: true };

/** Reads the command line; the problem is a list of sentences, each naming what to change. */
export function readConfig(argv: readonly string[], env: Environment): Reply<Config, readonly string[]> {
  const [command = 'help', ...rest] = argv;
  switch (command) {
    case 'controller':
      return readController(rest, env);
    case 'grant':
      return readGrant(rest);
    case 'status':
      return readStatus(rest, env);
    case 'account':
      return withHelp('account', rest, readAccountArgs);
    case 'revoke':
      return withHelp('revoke', rest, readRevokeArgs);
    case 'check':
      return readCheck(rest, env);
    case 'help':
    case '--help':
    case '-h':
      return { ok: true, value: { command: 'help', text: usage() } };
    default:
      return {
        ok: false,
        problem: [`unknown command "${command}"; known: controller, grant, status, check, account, revoke, help`],
      };
  }
}

function readController(argv: readonly string[], env: Environment): Reply<Config, readonly string[]> {
  const mistakes: string[] = [];
  const values = readFlags(argv, mistakes);
  if (values === 'help') return { ok: true, value: { command: 'help', text: usage() } };
  const gates = gatesOf(values['feature-gates'], mistakes);
  const solverService = serviceOf(values['acme-http01-solver-service'], mistakes);
  const config: ControllerConfig = {
    command: 'controller',
    kubeconfig: values.kubeconfig === '' ? env.KUBECONFIG : values.kubeconfig,
    watched: {
      gatewayApi: booleanOf('enable-gateway-api', values['enable-gateway-api'], mistakes),
      listenerSets: gates.ListenerSets,
      xListenerSets: gates.XGatewayAPI,
      solverNamespace: solverService.namespace,
    },
    lease: leaseOf(values, env, mistakes),
    ownership: ownershipOf(values, mistakes),
    settings: {
      clusterResourceNamespace: values['cluster-resource-namespace'],
      solverService,
      selfCheck: {
        nameservers: listOf(values['acme-http01-solver-nameservers']),
        addressCheck: oneOf(
          'acme-http01-address-check',
          values['acme-http01-address-check'],
          ['warn', 'require', 'off'],
          mistakes,
        ),
        port: numberOf('acme-http01-self-check-port', values['acme-http01-self-check-port'], 1, 65_535, mistakes),
      },
      resolve: resolveOf(values, mistakes),
      approver: approverOf(values, mistakes),
      leastBackOffMs: durationOf(
        'certificate-request-minimum-backoff-duration',
        values['certificate-request-minimum-backoff-duration'],
        mistakes,
      ),
      secretOwner: booleanOf('enable-certificate-owner-ref', values['enable-certificate-owner-ref'], mistakes)
        ? 'certificate'
        : 'nobody',
    },
    dns: dnsOf(values, mistakes),
    workers: numberOf('concurrent-workers', values['concurrent-workers'], 1, 10_000, mistakes),
    http01Listen: values['acme-http01-listen-address'],
    metricsListen: values['metrics-listen-address'],
    healthListen: values['healthz-listen-address'],
    logLevel: oneOf('log-level', values['log-level'], ['debug', 'info', 'warn', 'error'], mistakes),
    proxies: proxiesOf(env, mistakes),
  };
  return mistakes.length > 0 ? { ok: false, problem: mistakes } : { ok: true, value: config };
}

function dnsOf(values: Values, mistakes: string[]): ControllerConfig['dns'] {
  const given = listOf(values['dns01-recursive-nameservers']);
  const read = given.map((text) => readNameserver(text) ?? text);
  for (const each of read) {
    if (typeof each === 'string')
      mistakes.push(`--dns01-recursive-nameservers: "${each}" is no host:port or https URL`);
  }
  const nameservers = read.filter((each) => typeof each !== 'string');
  const isOnly = booleanOf('dns01-recursive-nameservers-only', values['dns01-recursive-nameservers-only'], mistakes);
  const may = (name: 'cluster-issuer-ambient-credentials' | 'issuer-ambient-credentials') =>
    booleanOf(name, values[name], mistakes) ? ('allowed' as const) : ('forbidden' as const);
  return {
    view: {
      nameservers: given.length > 0 ? nameservers : systemNameservers(),
      checks: isOnly ? 'nameservers' : 'authorities',
      authorityPort: numberOf('dns01-authority-port', values['dns01-authority-port'], 1, 65_535, mistakes),
    },
    ambient: { clusterIssuers: may('cluster-issuer-ambient-credentials'), issuers: may('issuer-ambient-credentials') },
  };
}

/** cert-manager's way to leave approval to others is a controller taken out of its list; no other name of that list means anything here. */
function approverOf(values: Values, mistakes: string[]): 'ours' | 'theirs' {
  const isOff = booleanOf('disable-auto-approval', values['disable-auto-approval'], mistakes);
  const names = listOf(values.controllers);
  for (const name of names) {
    if (name === '*' || name === '-certificaterequests-approver') continue;
    mistakes.push(`--controllers "${name}" is not supported; known: * and -certificaterequests-approver`);
  }
  return isOff || names.includes('-certificaterequests-approver') ? 'theirs' : 'ours';
}

function leaseOf(values: Values, env: Environment, mistakes: string[]): LeadershipConfig {
  const milliseconds = (name: keyof Values) => durationOf(name, values[name], mistakes);
  const lease = {
    enabled: booleanOf('leader-elect', values['leader-elect'], mistakes),
    namespace: values['leader-election-namespace'],
    identity: `${env.POD_NAME ?? hostname()}_${crypto.randomUUID()}`,
    leaseMs: milliseconds('leader-election-lease-duration'),
    renewDeadlineMs: milliseconds('leader-election-renew-deadline'),
    retryMs: milliseconds('leader-election-retry-period'),
  };
  if (lease.renewDeadlineMs >= lease.leaseMs) {
    mistakes.push('--leader-election-renew-deadline must be shorter than --leader-election-lease-duration');
  }
  return lease;
}

/** Shorter than this, a cert-manager that is being restarted or moved would look silent. */
const leastQuietMs = 600_000;

function ownershipOf(values: Values, mistakes: string[]): OwnershipConfig {
  const after = values['takeover-after'];
  const takeoverAfterMs = after === '' ? undefined : durationOf('takeover-after', after, mistakes);
  if (takeoverAfterMs !== undefined && takeoverAfterMs > 0 && takeoverAfterMs < leastQuietMs)
    mistakes.push(`--takeover-after "${after}" is shorter than 10m`);
  const wish = oneOf('issuance', values.issuance, ['auto', 'builtin', 'external'], mistakes);
  if (takeoverAfterMs !== undefined && wish !== 'auto')
    mistakes.push(`--takeover-after means nothing with --issuance=${wish}`);
  return {
    wish,
    lease: refOf('cert-manager-lease', values['cert-manager-lease'], mistakes),
    ...(takeoverAfterMs !== undefined && { takeoverAfterMs }),
  };
}

function resolveOf(values: Values, mistakes: string[]): ResolveOptions {
  return {
    defaultIssuerKind: values['default-issuer-kind'],
    defaultIssuerGroup: values['default-issuer-group'],
    extraProtocols: listOf(values['gateway-api-extra-protocols']),
    extraCertificateAnnotations: listOf(values['extra-certificate-annotations']),
    gatewayClasses: listOf(values['gateway-classes']),
    hostnamePolicy: oneOf(
      'gateway-hostname-policy',
      values['gateway-hostname-policy'],
      ['lenient', 'strict'],
      mistakes,
    ),
  };
}

function proxiesOf(env: Environment, mistakes: string[]): Proxies | undefined {
  const proxies = readProxies(env);
  if (!proxies.ok) mistakes.push(proxies.problem);
  return proxies.ok ? proxies.value : undefined;
}

function readGrant(argv: readonly string[]): Reply<Config, readonly string[]> {
  const flag = argv.find((word) => word.startsWith('-'));
  if (flag === '--help' || flag === '-h') return { ok: true, value: { command: 'help', text: usage() } };
  if (flag !== undefined) return { ok: false, problem: [`unknown flag ${flag}; usage: certway grant NAMESPACE…`] };
  if (argv.length === 0) return { ok: false, problem: ['name at least one namespace: certway grant NAMESPACE…'] };
  const serviceAccount = { namespace: 'certway-system', name: 'certway-controller' };
  return { ok: true, value: { command: 'grant', namespaces: argv, serviceAccount } };
}

/** The controller's flags are not known here: its defaults stand for them. */
function readStatus(argv: readonly string[], env: Environment): Reply<Config, readonly string[]> {
  const mistakes: string[] = [];
  const args = readStatusArgs(argv, mistakes);
  if (args === 'help') return { ok: true, value: { command: 'help', text: usage() } };
  const options = resolveOf(defaultValues, mistakes);
  if (mistakes.length > 0) return { ok: false, problem: mistakes };
  return { ok: true, value: { command: 'status', ...args, options, ...paperOf(env) } };
}

function readCheck(argv: readonly string[], env: Environment): Reply<Config, readonly string[]> {
  const mistakes: string[] = [];
  const args = readCheckArgs(argv, mistakes);
  if (args === 'help') return { ok: true, value: { command: 'help', text: usage() } };
  const { wait, ...rest } = args;
  const waitMs = wait === undefined ? 0 : durationOf('wait', wait, mistakes);
  if (mistakes.length > 0) return { ok: false, problem: mistakes };
  return { ok: true, value: { command: 'check', ...rest, waitMs, ...paperOf(env) } };
}

function paperOf(env: Environment) {
  return { columns: Number(env.COLUMNS) || undefined, noColour: (env.NO_COLOR ?? '') !== '' };
}

function withHelp<C extends string, A extends object>(
  command: C,
  argv: readonly string[],
  read: (argv: readonly string[], mistakes: string[]) => A | 'help',
): Reply<({ readonly command: C } & A) | HelpConfig, readonly string[]> {
  const mistakes: string[] = [];
  const args = read(argv, mistakes);
  if (args === 'help') return { ok: true, value: { command: 'help', text: usage() } };
  return mistakes.length > 0 ? { ok: false, problem: mistakes } : { ok: true, value: { command, ...args } };
}

function gatesOf(text: string, mistakes: string[]): typeof knownGates {
  const gates: Record<string, boolean> = { ...knownGates };
  for (const part of listOf(text)) {
    const [name = '', value] = part.split('=');
    if (!Object.hasOwn(knownGates, name))
      mistakes.push(`unknown feature gate "${name}"; known: ${Object.keys(knownGates).join(', ')}`);
    else gates[name] = booleanOf(`feature-gates ${name}`, value ?? '', mistakes);
  }
  return { XGatewayAPI: gates.XGatewayAPI === true, ListenerSets: gates.ListenerSets === true };
}
