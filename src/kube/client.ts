// The verbs of the API as functions over typed resources. Called by apply/ and by recorder.ts. It decides nothing and retries nothing.

import type { KubeObject } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import { apiVersion, type Resource } from '../api/resources.ts';
import { listAll, type Selection } from './pages.ts';
import { collectionPath, objectPath, type Ref } from './paths.ts';
import { type KubeProblem, unavailable } from './problem.ts';
import { received, receivedWhole } from './received.ts';
import type { KubeRequest } from './request.ts';
import type { Session } from './session.ts';

export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** Answers are frozen, with apiVersion and kind, without managedFields. */
export interface Kube {
  get<T extends KubeObject>(of: Resource<T>, ref: Ref): Promise<Reply<T, KubeProblem>>;
  /** With managedFields: what it answers is not for a cache. */
  getWhole<T extends KubeObject>(of: Resource<T>, ref: Ref): Promise<Reply<T, KubeProblem>>;
  /** In pages of 500; one consistent reading. */
  list<T extends KubeObject>(of: Resource<T>, options?: Selection): Promise<Reply<readonly T[], KubeProblem>>;
  create<T extends KubeObject>(of: Resource<T>, object: T): Promise<Reply<T, KubeProblem>>;
  /** PUT: the object must carry the resourceVersion that it was read with. */
  replace<T extends KubeObject>(of: Resource<T>, object: T): Promise<Reply<T, KubeProblem>>;
  replaceStatus<T extends KubeObject>(of: Resource<T>, object: T): Promise<Reply<T, KubeProblem>>;
  /** Server-side apply: `object` holds only the fields that we own. */
  apply<T extends KubeObject>(of: Resource<T>, object: T, options: ApplyOptions): Promise<Reply<T, KubeProblem>>;
  /** Dependents are collected in the background. */
  delete(of: Resource<KubeObject>, ref: Ref, only?: Preconditions): Promise<Reply<undefined, KubeProblem>>;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  readonly force: boolean;
}

/** `onWarning` gets the text of each `Warning:` header, such as "unknown field". */
export function kubeClient(session: Session, onWarning?: (warning: string) => void): Kube {
  const heard = onWarning === undefined ? {} : { onWarning };

  async function ask<T extends KubeObject>(
    of: Resource<T>,
    request: KubeRequest,
    read: typeof received = received,
  ): Promise<Reply<T, KubeProblem>> {
    const answer = await session.request<unknown>({ ...request, ...heard });
    if (!answer.ok) return answer;
    const object = read(answer.value, of);
    return object === undefined
      ? { ok: false, problem: unavailable(`what came for ${request.path} is no ${of.kind}`) }
      : { ok: true, value: object };
  }

  return {
    get: (of, ref) => ask(of, { method: 'GET', path: objectPath(of, ref) }),
    getWhole: (of, ref) => ask(of, { method: 'GET', path: objectPath(of, ref) }, receivedWhole),
    list: async (of, options) => {
      const answer = await listAll(session, of, { ...options, ...heard });
      return answer.ok ? { ok: true, value: answer.value.items } : answer;
    },
    create: (of, object) => {
      if (of.namespaced && !object.metadata.namespace) throw new Error(`${of.kind} created without a namespace`);
      return ask(of, { method: 'POST', path: collectionPath(of, object.metadata.namespace), body: typed(of, object) });
    },
    replace: (of, object) => ask(of, put(of, object, objectPath(of, object.metadata))),
    replaceStatus: (of, object) => ask(of, put(of, object, objectPath(of, object.metadata, 'status'))),
    apply: (of, object, { fieldManager, force }) =>
      ask(of, {
        method: 'PATCH',
        path: objectPath(of, object.metadata),
        query: { fieldManager, force: String(force) },
        contentType: 'application/apply-patch+yaml',
        body: typed(of, object),
      }),
    delete: async (of, ref, only) => {
      const preconditions = only === undefined ? {} : { preconditions: { ...only } };
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', ...preconditions };
      const answer = await session.request({ method: 'DELETE', path: objectPath(of, ref), body, ...heard });
      return answer.ok ? { ok: true, value: undefined } : answer;
    },
  };
}

function put(of: Resource<KubeObject>, object: KubeObject, path: string): KubeRequest {
  // Without it the server would overwrite whatever stands there.
  if (!object.metadata.resourceVersion) throw new Error(`${of.kind} ${object.metadata.name} replaced unread`);
  return { method: 'PUT', path, body: typed(of, object) };
}

function typed(of: Resource<KubeObject>, object: KubeObject): KubeObject {
  return { ...object, apiVersion: apiVersion(of), kind: of.kind };
}
