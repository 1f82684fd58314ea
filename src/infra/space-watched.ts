// Whether Envoy Gateway still reads a namespace that it is to leave: it does until its configuration no longer lists it and every Pod that was started
// with another one is gone. Its rights there go after that. Called by provision/spaces-look.ts.

import { parseDocument } from 'yaml';
import type { Rendered } from '../api/resources.ts';
import { configKey, gatewayName } from './eg-names.ts';
import { asMapping, valueAt } from './json.ts';
import { configAnnotation, configDigest } from './render-deployment.ts';

export interface Running {
  readonly config: Rendered | undefined;
  readonly deployment: Rendered | undefined;
}

/** A sentence while it does. */
export function watchedStill(namespace: string, { config, deployment }: Running): string | undefined {
  if (deployment === undefined) return undefined;
  const text = configOf(config);
  if (listed(text).includes(namespace)) {
    return `Waits until the configuration of Envoy Gateway no longer lists ${namespace}.`;
  }
  if (runsWith(text, deployment) && hasRolled(deployment)) return undefined;
  const { namespace: system } = deployment.metadata;
  return `Waits until every Pod of Deployment ${system}/${gatewayName} runs without ${namespace} in its configuration; if it does not go on, look at that Deployment.`;
}

function configOf(config: Rendered | undefined): string {
  const text = valueAt(asMapping(config?.data) ?? {}, [configKey]);
  return typeof text === 'string' ? text : '';
}

function listed(text: string): readonly unknown[] {
  const document = parseDocument(text, { logLevel: 'silent' });
  // Somebody's broken edit, which is put right by event: until then nobody knows.
  if (document.errors.length > 0) return [];
  const names = valueAt(asMapping(document.toJS()) ?? {}, ['provider', 'kubernetes', 'watch', 'namespaces']);
  return Array.isArray(names) ? names : [];
}

/** The Deployment is applied after the ConfigMap, and its Pods carry a digest of the text that they are started with. */
function runsWith(text: string, { spec }: Rendered): boolean {
  const digest = valueAt(asMapping(spec) ?? {}, ['template', 'metadata', 'annotations', configAnnotation]);
  return digest === configDigest(text);
}

/** As `kubectl rollout status` judges it, without waiting for Pods to be ready: what counts is that those from before are gone. */
function hasRolled({ metadata, status }: Rendered): boolean {
  const { observedGeneration, replicas = 0, updatedReplicas = 0 } = asMapping(status) ?? {};
  return observedGeneration === metadata.generation && replicas === updatedReplicas;
}
