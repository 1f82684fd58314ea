// The API's verbs with a condition on every write. Made by main.ts for whoever may write only at times: what is refused here has not left
// the process and answers `notLeader`, as the session's own guard does.

import type { KubeObject } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import type { Resource } from '../api/resources.ts';
import type { Kube } from './client.ts';
import type { KubeProblem } from './problem.ts';

/** What is about to be written: the whole object, or the name of what is deleted. */
export type Writing =
  | {
      readonly verb: 'create' | 'replace' | 'replaceStatus' | 'apply';
      readonly of: Resource<KubeObject>;
      readonly object: KubeObject;
    }
  | { readonly verb: 'delete'; readonly of: Resource<KubeObject> };

/** `refusal` answers why not, as a sentence, or undefined. */
export function guardedKube(
  kube: Kube,
  refusal: (writing: Writing) => string | undefined | Promise<string | undefined>,
): Kube {
  const unless = async <T>(
    writing: Writing,
    write: () => Promise<Reply<T, KubeProblem>>,
  ): Promise<Reply<T, KubeProblem>> => {
    const message = await refusal(writing);
    return message === undefined ? write() : { ok: false, problem: { kind: 'notLeader', message } };
  };
  return {
    // Each verb by name: one that is added to Kube must be thought of here.
    get: kube.get,
    getWhole: kube.getWhole,
    list: kube.list,
    create: (of, object) => unless({ verb: 'create', of, object }, () => kube.create(of, object)),
    replace: (of, object) => unless({ verb: 'replace', of, object }, () => kube.replace(of, object)),
    replaceStatus: (of, object) => unless({ verb: 'replaceStatus', of, object }, () => kube.replaceStatus(of, object)),
    apply: (of, object, options) => unless({ verb: 'apply', of, object }, () => kube.apply(of, object, options)),
    delete: (of, ref, only) => unless({ verb: 'delete', of }, () => kube.delete(of, ref, only)),
  };
}
