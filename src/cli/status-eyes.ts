// Looks at the cluster with the rights of whoever runs the command: GET and LIST only, and a refusal is an answer. Called by status-fetch.ts.

import type { KubeObject, ObjectMeta } from '../api/meta.ts';
import { type Resource, secretMetadata } from '../api/resources.ts';
import { kubeClient } from '../kube/client.ts';
import type { Selection } from '../kube/pages.ts';
import { objectPath, type Ref } from '../kube/paths.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { received } from '../kube/received.ts';
import type { Session } from '../kube/session.ts';
import { isObjectName } from '../resolve/object-name.ts';
import type { Many, Sight } from './status-scene.ts';

export interface Eyes {
  get<T extends KubeObject>(of: Resource<T>, ref: Ref): Promise<Sight<T>>;
  list<T extends KubeObject>(of: Resource<T>, selection?: Selection): Promise<Many<T>>;
  /** What a Secret is called and annotated with; its payload does not leave the API server. */
  secret(ref: Ref): Promise<Sight<ObjectMeta>>;
}

const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

export function eyesOf(session: Session): Eyes {
  const kube = kubeClient(session);
  return {
    get: async (of, ref) => {
      // References of Gateway API may hold texts that name nothing.
      if (!isObjectName(ref.name)) return { kind: 'absent', what: 'object' };
      const reply = await kube.get(of, ref);
      return reply.ok ? { kind: 'seen', value: reply.value } : sightless(reply.problem, 'get', of, ref);
    },
    list: async (of, selection = {}) => {
      const reply = await kube.list(of, selection);
      return reply.ok ? { kind: 'seen', value: reply.value } : sightless(reply.problem, 'list', of, selection);
    },
    secret: async (ref) => {
      if (!isObjectName(ref.name)) return { kind: 'absent', what: 'object' };
      const path = objectPath(secretMetadata, ref);
      const reply = await session.request<unknown>({ method: 'GET', path, accept: metadataOnly });
      if (!reply.ok) return sightless(reply.problem, 'get', secretMetadata, ref);
      const metadata = received(reply.value, secretMetadata)?.metadata;
      return metadata === undefined ? { kind: 'absent', what: 'object' } : { kind: 'seen', value: metadata };
    },
  };
}

function sightless(
  problem: KubeProblem,
  verb: 'get' | 'list',
  of: Resource<KubeObject>,
  at: { readonly namespace?: string; readonly name?: string },
): Exclude<Sight<never>, { kind: 'seen' }> {
  const what = at.name === undefined ? `${of.kind}s` : `${of.kind} ${at.name}`;
  const place = !of.namespaced
    ? ''
    : at.namespace === undefined
      ? ' in all namespaces'
      : ` in namespace ${at.namespace}`;
  switch (problem.kind) {
    case 'notFound':
      // A kind that is not served answers without naming the object.
      return { kind: 'absent', what: problem.message.includes(`"${at.name}"`) ? 'object' : 'kind' };
    case 'forbidden':
      return { kind: 'hidden', cause: 'forbidden', why: `you may not ${verb} ${what}${place}` };
    default:
      return { kind: 'hidden', cause: 'failed', why: `${what}${place} cannot be read: ${problem.message}` };
  }
}
