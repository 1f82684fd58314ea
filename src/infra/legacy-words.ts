// What people read about a legacy install, before anything of it is touched: what stands, what goes, what stays, what cannot survive, and the
// commands. Called by legacy-plan.ts for the condition LegacyCleaned and the events.

import type { Install } from './legacy-install.ts';
import { isRunning } from './legacy-install.ts';
import { cleanerBinding, type LegacyObject } from './legacy-kinds.ts';
import { addressesOf, servedName } from './legacy-proxies.ts';
import { nameOf } from './wanted.ts';

// A condition's message may have 32 KiB.
const mostNames = 200;
const mostProxies = 40;

/** "Envoy Gateway v1.9.1 of the Helm release eg in namespace envoy-gateway-system". */
export function headOf({ namespace, release, version, controllers }: Install): string {
  const what = controllers.length > 0 || release !== undefined ? 'Envoy Gateway' : 'What is left of an Envoy Gateway';
  const which = version === undefined ? '' : ` ${version}`;
  return `${what}${which}${release === undefined ? '' : ` of the Helm release ${release}`} in namespace ${namespace}`;
}

/** Full names, in the order of removal. */
export function namesOf(objects: readonly LegacyObject[]): string {
  const names = [...new Set(objects.map(nameOf))];
  const more = names.length - mostNames;
  return more > 0 ? `${names.slice(0, mostNames).join(', ')} and ${more} more` : names.join(', ');
}

/** What a move cannot carry over, as sentences; and what it does. */
export function lossesOf(install: Install, systemNamespace: string): string {
  const { config, namespace, proxies, rateLimit } = install;
  const sentences: string[] = [];
  if (proxies.length > 0) {
    sentences.push(
      `What cannot survive: ${told(proxies.map((each) => oldProxy(each)))} made anew in the namespace of the Gateway, so that Services, their ` +
        `addresses and node ports change; whatever names namespace ${namespace} for them (DNS, NetworkPolicies, monitoring, RBAC) must follow.`,
    );
    sentences.push(
      'The old proxies go on serving, without updates, until the new ones are available and for some minutes more.',
    );
  } else if (config?.mode === 'GatewayNamespace') {
    sentences.push('Proxies, their Services and addresses stay as they are.');
  }
  if (isRunning(install)) {
    sentences.push(
      'Between the old controller and the new one, for some seconds, no change of a route or certificate reaches a proxy.',
    );
  }
  if (namespace === systemNamespace) {
    sentences.push('The CA and the Secrets of Envoy Gateway stay, and the Service keeps its address.');
    if (rateLimit.length > 0) sentences.push('The rate limit service is started anew.');
  }
  return sentences.join(' ');
}

export function manualWords(install: Install, removed: readonly LegacyObject[], systemNamespace: string): string {
  const first = isRunning(install)
    ? `${headOf(install)} serves the same GatewayClasses, and Certway starts none beside it.`
    : `${headOf(install)} is no longer used.`;
  const all = removed.length === 0 ? '' : ` It would remove: ${namesOf(removed)}.`;
  return (
    `${first} Set spec.legacy.cleanup to Auto, and Certway takes its place; or remove it yourself.${all} ` +
    lossesOf(install, systemNamespace)
  ).trim();
}

export function announceWords(install: Install, removed: readonly LegacyObject[], systemNamespace: string): string {
  return (
    `Taking the place of ${headOf(install)}. Removed, in this order: ${namesOf(removed)}. ` +
    lossesOf(install, systemNamespace)
  ).trim();
}

export function keeperWords(install: Install, keeper: string): string {
  return (
    `${headOf(install)} is applied by ${keeper}, which would put back what Certway removes. Suspend or delete it there first, ` +
    'without letting it delete CRDs; nothing is removed until then.'
  );
}

export function settingsWords(install: Install, settings: readonly string[]): string {
  return (
    `${headOf(install)} is configured with ${settings.join(', ')}, which would be lost. Put what you need of ConfigMap ` +
    `${install.namespace}/envoy-gateway-config into one of your own (key envoy-gateway.yaml) and name it in spec.envoyGatewayConfigRef; an empty one drops them.`
  );
}

export function unreadableWords({ namespace, parts }: Install, certwayNamespace: string): string {
  return (
    `Rights of an Envoy Gateway in namespace ${namespace} stand (${namesOf(parts)}), and Certway may not look there. ` +
    `Allow it: ${grantCommand(namespace, certwayNamespace)}`
  );
}

/** The right that infra does not have by itself; it takes it away when it has done. */
export function grantCommand(namespace: string, certwayNamespace: string): string {
  return (
    `kubectl create rolebinding ${cleanerBinding} --namespace=${namespace} --clusterrole=${cleanerBinding} ` +
    `--serviceaccount=${certwayNamespace}:certway-infra`
  );
}

function oldProxy(proxy: Install['proxies'][number]): string {
  const addresses = addressesOf(proxy);
  return `${servedName(proxy)}${addresses.length === 0 ? '' : ` (${addresses.join(', ')})`}`;
}

function told(proxies: readonly string[]): string {
  const more = proxies.length - mostProxies;
  const names = more > 0 ? `${proxies.slice(0, mostProxies).join(', ')} and ${more} more` : proxies.join(', ');
  return proxies.length === 1 ? `the proxy of ${names} is` : `the proxies of ${names} are`;
}
