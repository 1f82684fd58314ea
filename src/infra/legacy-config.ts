// What the configuration of an earlier Envoy Gateway says: where it puts proxies, whose GatewayClasses it serves, and which of its settings
// would be lost with it. Called by legacy-install.ts. Never quotes a value: a configuration may hold passwords.

import { parseDocument } from 'yaml';
import { asMapping, type Mapping } from './json.ts';
import { fieldAt, textAt } from './legacy-fields.ts';

export interface LegacyConfig {
  readonly mode: 'ControllerNamespace' | 'GatewayNamespace';
  readonly controllerName: string | undefined;
  /** Paths of settings that the chart does not write by itself, ascending: they change what proxies do. */
  readonly settings: readonly string[];
}

/** Of the chart's own making, or told by us anew in any case. */
const carried = new Set(['apiVersion', 'kind', 'gateway', 'provider', 'logging', 'proxyTopologyInjector']);
const carriedOfProvider = new Set(['deploy', 'watch', 'leaderElection', 'rateLimitDeployment', 'shutdownManager']);
const longest = 256 * 1024;

/** Undefined for a text that is no configuration. */
export function readLegacyConfig(text: string | undefined): LegacyConfig | undefined {
  const config = text === undefined || text.length > longest ? undefined : parsed(text);
  if (config === undefined) return undefined;
  const kubernetes = asMapping(fieldAt(config, 'provider', 'kubernetes')) ?? {};
  const deploy = textAt(kubernetes, 'deploy', 'type');
  return {
    mode: deploy === 'GatewayNamespace' ? 'GatewayNamespace' : 'ControllerNamespace',
    controllerName: textAt(config, 'gateway', 'controllerName'),
    settings: [
      ...told(config, carried),
      ...told(kubernetes, carriedOfProvider).map((name) => `provider.kubernetes.${name}`),
    ].sort(),
  };
}

function told(of: Mapping, known: ReadonlySet<string>): readonly string[] {
  return Object.entries(of).flatMap(([name, value]) => (known.has(name) || isEmpty(value) ? [] : [name]));
}

function isEmpty(value: unknown): boolean {
  const mapping = asMapping(value);
  return value === null || value === undefined || (mapping !== undefined && Object.keys(mapping).length === 0);
}

/** Too many aliases throw: a text of a few lines may mean gigabytes. */
function parsed(text: string): Mapping | undefined {
  const document = parseDocument(text, { version: '1.1', logLevel: 'silent' });
  if (document.errors.length > 0) return undefined;
  try {
    return asMapping(document.toJS({ maxAliasCount: 100 }));
  } catch {
    return undefined;
  }
}
