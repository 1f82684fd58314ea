// Ends a quarrel about an object: where somebody else undoes each apply of ours at once, every undoing is an event and every event an apply. Wrapped around
// the verbs by main-infra.ts; what it holds back is told in Degraded and tried again a minute later.

import type { KubeObject } from '../api/meta.ts';
import { nameOf } from '../infra/wanted.ts';
import type { Kube } from '../kube/client.ts';

/** More than the list of watched namespaces ever changes in that time (hosting-pace.ts), and than edits by hand. */
const mostApplies = 20;
const spanMs = 60_000;

export function withoutQuarrels(kube: Kube, now: () => number): Kube {
  const applied = new Map<string, readonly number[]>();
  return {
    ...kube,
    apply: async <T extends KubeObject>(...[of, object, options]: Parameters<typeof kube.apply<T>>) => {
      const name = nameOf({ of, object });
      const recent = (applied.get(name) ?? []).filter((at) => at > now() - spanMs);
      if (recent.length >= mostApplies) {
        applied.set(name, recent);
        const message = `somebody else changes it back each time: ${mostApplies} times in the last minute; its metadata.managedFields names the field managers. Certway tries again in a minute.`;
        return { ok: false, problem: { kind: 'contested', message } };
      }
      applied.set(name, [...recent, now()]);
      return kube.apply<T>(of, object, options);
    },
  };
}
