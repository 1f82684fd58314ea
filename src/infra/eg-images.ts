// Where images come from: docker.io, or the registry and the path that the platform mirrors them to. Called wherever an image is named.

import type { GatewayInfra } from '../api/gateway-infra.ts';

type Images = GatewayInfra['spec']['images'];

/** "docker.io/envoyproxy/gateway:v1.9.1" → "registry.example.com:5000/mirror/envoyproxy/gateway:v1.9.1"; a digest stays with its image. */
export function imageFrom(images: Images, image: string): string {
  const [, ...path] = image.split('/');
  const registry = (images?.registry ?? 'docker.io').replace(/\/+$/, '');
  const prefix = (images?.prefix ?? '').split('/').filter((part) => part !== '');
  return [registry, ...prefix, ...path].join('/');
}

/** Whether images come from anywhere else than where the binary would look by itself. */
export function isMirrored(images: Images): boolean {
  return images?.registry !== undefined || images?.prefix !== undefined;
}

export function pullSecretRefs(names: readonly string[] | undefined): readonly { readonly name: string }[] {
  return [...new Set(names)].sort().map((name) => ({ name }));
}
