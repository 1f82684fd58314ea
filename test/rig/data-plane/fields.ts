// What a container is told about itself: the downward API's fields, its environment, and $(NAME) in its command line. Values only; called by
// volumes.ts and pod.ts.

import type { Container, DataObject, Pod } from './objects.ts';

export interface Surroundings {
  readonly address: string;
  /** "10.96.0.1" and "443" of the Service `kubernetes`. */
  readonly apiServer: { readonly host: string; readonly port: string };
  configMap(namespace: string, name: string): DataObject | undefined;
  secret(namespace: string, name: string): DataObject | undefined;
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A field of the Pod by its path; throws for one that no Pod of the rig has needed yet. */
export function fieldOf({ metadata, spec }: Pod, fieldPath: string, address: string): string {
  const quoted = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath);
  if (quoted !== null) return metadata[quoted[1] === 'labels' ? 'labels' : 'annotations']?.[quoted[2] ?? ''] ?? '';
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.podIP':
      return address;
    default:
      throw new Error(
        `Pod ${metadata.namespace}/${metadata.name} asks for ${fieldPath}, which the stand-in does not know`,
      );
  }
}

/** The environment of a container, as a kubelet makes it. */
export function environmentOf(pod: Pod, container: Container, around: Surroundings): ReadonlyMap<string, string> {
  const { host, port } = around.apiServer;
  const known = new Map([
    ['PATH', path],
    ['HOSTNAME', pod.metadata.name],
    ['KUBERNETES_SERVICE_HOST', host],
    ['KUBERNETES_SERVICE_PORT', port],
  ]);
  const namespace = pod.metadata.namespace ?? '';
  for (const { name, value, valueFrom } of container.env ?? []) {
    const { fieldRef, secretKeyRef, configMapKeyRef } = valueFrom ?? {};
    if (fieldRef !== undefined) known.set(name, fieldOf(pod, fieldRef.fieldPath, around.address));
    else if (secretKeyRef !== undefined) {
      const encoded = around.secret(namespace, secretKeyRef.name)?.data?.[secretKeyRef.key] ?? '';
      known.set(name, Buffer.from(encoded, 'base64').toString());
    } else if (configMapKeyRef !== undefined) {
      known.set(name, around.configMap(namespace, configMapKeyRef.name)?.data?.[configMapKeyRef.key] ?? '');
    } else known.set(name, expanded(value ?? '', known));
  }
  return known;
}

/** $(NAME) becomes its value, $$ a dollar sign; an unknown name stays as it is written. */
export function expanded(text: string, known: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^)]+)\)/g, (whole, name?: string) =>
    name === undefined ? '$' : (known.get(name) ?? whole),
  );
}
