// Plays one Gateway's reconcile on values: resolve, then plan against the Certificates that stand. For the specifications in test/plan.

import type { Certificate } from '../../src/api/certmanager.ts';
import type { Gateway, ListenerSet } from '../../src/api/gateway.ts';
import { type ListenerAction, planListeners } from '../../src/plan/listeners.ts';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import type { ResolveOptions } from '../../src/resolve/world.ts';
import { type Annotations, issuer, listenerSet, openGateway, world } from './world.ts';

export const prefix = 'cert-manager.io/';
export const suspended = 'certway.dev/suspended';

export interface Scene {
  readonly gateway?: Gateway | 'none';
  readonly sets?: readonly ListenerSet[];
  /** Owners that live besides the objects of the scene. */
  readonly alive?: readonly string[];
  readonly options?: Partial<ResolveOptions>;
}

export function plan(scene: Scene, live: readonly Certificate[] = []): readonly ListenerAction[] {
  const { sets = [], alive = [], options = {} } = scene;
  const object = scene.gateway === 'none' ? undefined : (scene.gateway ?? openGateway());
  const resolution = resolveGateway(world(object, sets, { with: options }));
  const uids = [...(object === undefined ? [] : [object]), ...sets].map(({ metadata }) => metadata.uid ?? '');
  return planListeners(resolution, { certificates: live, liveUids: new Set([...uids, ...alive]) });
}

/** "createCertificate foo-tls" and the like; what is only said as "say BadConfig". */
export function brief(actions: readonly ListenerAction[]): readonly string[] {
  return actions.map((action) =>
    action.kind === 'say' ? `say ${action.event.reason}` : `${action.kind} ${action.object.metadata.name}`,
  );
}

/** The Certificates that stand once the scene's wishes are fulfilled, with a status that an issuer wrote. */
export function standing(scene: Scene): readonly Certificate[] {
  return plan(scene).flatMap((action) => {
    if (action.kind !== 'createCertificate') return [];
    const { object } = action;
    const metadata = { ...object.metadata, uid: `uid-${object.metadata.name}`, resourceVersion: '7' };
    return [{ ...object, metadata, status: { revision: 4 } }];
  });
}

export function written(actions: readonly ListenerAction[]): Certificate {
  const [action, ...rest] = actions;
  if (action?.kind === 'replaceCertificate' && rest.length === 0) return action.object;
  throw new Error(`expected one write, got ${JSON.stringify(brief(actions))}`);
}

export function set(
  annotations: Annotations = issuer('a'),
  parts: Parameters<typeof listenerSet>[0] = {},
): ListenerSet {
  return listenerSet({ annotations, ...parts });
}
