// The door: argv and environment become one Config, or every mistake at once. Nothing else in src reads either.

import { hostname } from 'node:os';
import type { Reply } from './api/reply.ts';
import { booleanOf, durationOf, listOf, numberOf, oneOf, serviceOf } from './flag-values.ts';
import { readFlags, usage, type Values } from './flags.ts';
import type { ResolveOptions } from './resolve/world.ts';

export interface FeatureGates {
  /** Everything of gateway.networking.x-k8s.io, that is XListenerSet. */
  readonly XGatewayAPI: boolean;
  readonly ListenerSets: boolean;
}

export interface ControllerConfig {
  readonly command: 'controller';
  readonly kubeconfig: string | undefined;
  readonly clusterResourceNamespace: string;
  readonly gatewayApi: boolean;
  readonly gates: FeatureGates;
  readonly lease: LeaseConfig;
  readonly workers: number;
  readonly http01: { readonly listen: string; readonly nameservers: readonly string[]; readonly selfCheckPort: number };
  readonly solverService: { readonly namespace: string; readonly name: string; readonly port: number };
  readonly metricsListen: string;
  readonly healthListen: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly resolve: ResolveOptions;
  readonly proxyUrl: string | undefined;
}

export interface LeaseConfig {
  readonly enabled: boolean;
  readonly namespace: string;
  readonly identity: string;
  readonly durationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
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

export type Config = ControllerConfig | GrantConfig | HelpConfig;

const knownGates = { XGatewayAPI: false, ListenerSets: true } satisfies FeatureGates;

/** Reads the command line; the problem is a list of sentences, each naming what to change. */
export function readConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Reply<Config, readonly string[]> {
  const [command = 'help', ...rest] = argv;
  switch (command) {
    case 'controller':
      return readController(rest, env);
    case 'grant':
      return readGrant(rest);
    case 'help':
    case '--help':
    case '-h':
      return { ok: true, value: { command: 'help', text: usage() } };
    default:
      return { ok: false, problem: [`unknown command "${command}"; known: controller, grant, help`] };
  }
}

function readController(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Reply<Config, readonly string[]> {
  const mistakes: string[] = [];
  const values = readFlags(argv, mistakes);
  if (values === 'help') return { ok: true, value: { command: 'help', text: usage() } };
  const milliseconds = (name: keyof Values) => durationOf(name, values[name], mistakes);
  const config: ControllerConfig = {
    command: 'controller',
    kubeconfig: values.kubeconfig === '' ? env.KUBECONFIG : values.kubeconfig,
    clusterResourceNamespace: values['cluster-resource-namespace'],
    gatewayApi: booleanOf('enable-gateway-api', values['enable-gateway-api'], mistakes),
    gates: gatesOf(values['feature-gates'], mistakes),
    lease: {
      enabled: booleanOf('leader-elect', values['leader-elect'], mistakes),
      namespace: values['leader-election-namespace'],
      identity: `${env.POD_NAME ?? hostname()}_${crypto.randomUUID()}`,
      durationMs: milliseconds('leader-election-lease-duration'),
      renewDeadlineMs: milliseconds('leader-election-renew-deadline'),
      retryMs: milliseconds('leader-election-retry-period'),
    },
    workers: numberOf('concurrent-workers', values['concurrent-workers'], 1, 10_000, mistakes),
    http01: {
      listen: values['acme-http01-listen-address'],
      nameservers: listOf(values['acme-http01-solver-nameservers']),
      selfCheckPort: numberOf(
        'acme-http01-self-check-port',
        values['acme-http01-self-check-port'],
        1,
        65_535,
        mistakes,
      ),
    },
    solverService: serviceOf(values['acme-http01-solver-service'], mistakes),
    metricsListen: values['metrics-listen-address'],
    healthListen: values['healthz-listen-address'],
    logLevel: oneOf('log-level', values['log-level'], ['debug', 'info', 'warn', 'error'], mistakes),
    resolve: {
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
    },
    proxyUrl: env.HTTPS_PROXY ?? env.https_proxy,
  };
  if (config.lease.renewDeadlineMs >= config.lease.durationMs) {
    mistakes.push('--leader-election-renew-deadline must be shorter than --leader-election-lease-duration');
  }
  return mistakes.length > 0 ? { ok: false, problem: mistakes } : { ok: true, value: config };
}

function readGrant(argv: readonly string[]): Reply<Config, readonly string[]> {
  const flag = argv.find((word) => word.startsWith('-'));
  if (flag === '--help' || flag === '-h') return { ok: true, value: { command: 'help', text: usage() } };
  if (flag !== undefined) return { ok: false, problem: [`unknown flag ${flag}; usage: certway grant NAMESPACE…`] };
  if (argv.length === 0) return { ok: false, problem: ['name at least one namespace: certway grant NAMESPACE…'] };
  const serviceAccount = { namespace: 'certway-system', name: 'certway-controller' };
  return { ok: true, value: { command: 'grant', namespaces: argv, serviceAccount } };
}

function gatesOf(text: string, mistakes: string[]): FeatureGates {
  const gates: Record<string, boolean> = { ...knownGates };
  for (const part of listOf(text)) {
    const [name = '', value] = part.split('=');
    if (!(name in knownGates))
      mistakes.push(`unknown feature gate "${name}"; known: ${Object.keys(knownGates).join(', ')}`);
    else gates[name] = booleanOf(`feature-gates ${name}`, value ?? '', mistakes);
  }
  return { XGatewayAPI: gates.XGatewayAPI === true, ListenerSets: gates.ListenerSets === true };
}
