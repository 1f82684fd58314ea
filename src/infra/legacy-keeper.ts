// Who applies an install again and again: what such a tool has made comes back when it is removed, so it must let go first. Called by
// legacy-install.ts. Helm alone is no keeper: it acts when somebody calls it.

import type { LegacyObject } from './legacy-kinds.ts';

/** "the Flux HelmRelease platform/eg", "the Argo CD application edge"; undefined where nobody is seen. */
export function keeperOf(objects: readonly LegacyObject[]): string | undefined {
  for (const { object } of objects) {
    const { labels = {}, annotations = {} } = object.metadata;
    for (const [kind, prefix] of [
      ['HelmRelease', 'helm.toolkit.fluxcd.io'],
      ['Kustomization', 'kustomize.toolkit.fluxcd.io'],
    ] as const) {
      const name = labels[`${prefix}/name`];
      if (name !== undefined) return `the Flux ${kind} ${labels[`${prefix}/namespace`] ?? '?'}/${name}`;
    }
    const tracked =
      annotations['argocd.argoproj.io/tracking-id']?.split(':')[0] ?? labels['argocd.argoproj.io/instance'];
    if (tracked !== undefined) return `the Argo CD application ${tracked}`;
  }
  return undefined;
}
