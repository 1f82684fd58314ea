// The controller's configuration from its flags and environment, or every mistake at once. Called by config.ts.

import { isIP } from 'node:net';
import { type Proxies, readProxies } from './acme/proxy.ts';
import type { Reply } from './api/reply.ts';
import type { OwnershipConfig } from './apply/ownership.ts';
import type { DnsPorts, Settings } from './apply/ports.ts';
import type { WatchOptions } from './apply/watches.ts';
import { readNameserver, systemNameservers } from './dns/nameserver.ts';
import type { DnsView } from './dns/view.ts';
import { booleanOf, durationOf, listOf, numberOf, oneOf, refOf, serviceOf } from './flag-values.ts';
import { readFlags, type Values } from './flags.ts';
import type { LeadershipConfig } from './kube/leadership.ts';
import { leaseOf } from './lease-flags.ts';
import type { ResolveOptions } from './resolve/world.ts';

export interface ControllerConfig {
  readonly command: 'controller';
  readonly kubeconfig: string | undefined;
  readonly watched: Pick<
    WatchOptions,
    'gatewayApi' | 'listenerSets' | 'xListenerSets' | 'solverNamespace' | 'limitsNamespace'
  >;
  readonly lease: LeadershipConfig;
  readonly ownership: OwnershipConfig;
  readonly settings: Settings;
  readonly dns: Pick<DnsPorts, 'ambient'> & { readonly view: Omit<DnsView, 'https'> };
  readonly budgets: 'on' | 'off';
  readonly workers: number;
  readonly http01Listen: string;
  readonly metricsListen: string;
  readonly healthListen: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly proxies: Proxies | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** XGatewayAPI: everything of gateway.networking.x-k8s.io, that is XListenerSet. ACMEUseARI is cert-manager's name, which has it off. */
const knownGates = { XGatewayAPI: false, ListenerSets: true, ACMEUseARI: true };

/** `help` where the flags ask for it. */
export function readController(
  argv: readonly string[],
  env: Environment,
): Reply<ControllerConfig | 'help', readonly string[]> {
  const mistakes: string[] = [];
  const values = readFlags(argv, mistakes);
  if (values === 'help') return { ok: true, value: 'help' };
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
      limitsNamespace: values['cluster-resource-namespace'],
    },
    lease: leaseOf(values, env, mistakes),
    ownership: ownershipOf(values, mistakes),
    settings: {
      clusterResourceNamespace: values['cluster-resource-namespace'],
      solverService,
      selfCheck: {
        nameservers: solverNameservers(values, mistakes),
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
      renewalInfo: gates.ACMEUseARI ? 'asked' : 'ignored',
      recordPatienceMs: durationOf('dns01-cleanup-patience', values['dns01-cleanup-patience'], mistakes),
      secretOwner: booleanOf('enable-certificate-owner-ref', values['enable-certificate-owner-ref'], mistakes)
        ? 'certificate'
        : 'nobody',
    },
    dns: dnsOf(values, mistakes),
    budgets: booleanOf('budgets', values.budgets, mistakes) ? 'on' : 'off',
    workers: numberOf('concurrent-workers', values['concurrent-workers'], 1, 10_000, mistakes),
    http01Listen: values['acme-http01-listen-address'],
    metricsListen: values['metrics-listen-address'],
    healthListen: values['healthz-listen-address'],
    logLevel: oneOf('log-level', values['log-level'], ['debug', 'info', 'warn', 'error'], mistakes),
    proxies: proxiesOf(env, mistakes),
  };
  return mistakes.length > 0 ? { ok: false, problem: mistakes } : { ok: true, value: config };
}

/** Addresses, not names: what is asked to resolve names cannot itself be one. */
function solverNameservers(values: Values, mistakes: string[]): readonly string[] {
  const given = listOf(values['acme-http01-solver-nameservers']);
  for (const text of given) {
    const server = readNameserver(text);
    if (server?.kind === 'dns' && isIP(server.host) !== 0) continue;
    mistakes.push(
      `--acme-http01-solver-nameservers: "${text}" is no address:port of a DNS server, such as 10.0.0.10:53`,
    );
  }
  return given;
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

export function resolveOf(values: Values, mistakes: string[]): ResolveOptions {
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

function gatesOf(text: string, mistakes: string[]): typeof knownGates {
  const gates: Record<string, boolean> = { ...knownGates };
  for (const part of listOf(text)) {
    const [name = '', value] = part.split('=');
    if (!Object.hasOwn(knownGates, name))
      mistakes.push(`unknown feature gate "${name}"; known: ${Object.keys(knownGates).join(', ')}`);
    else gates[name] = booleanOf(`feature-gates ${name}`, value ?? '', mistakes);
  }
  const { XGatewayAPI, ListenerSets, ACMEUseARI } = gates;
  return {
    XGatewayAPI: XGatewayAPI === true,
    ListenerSets: ListenerSets === true,
    ACMEUseARI: ACMEUseARI === true,
  };
}
