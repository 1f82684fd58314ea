// Envoy Gateway itself, in its own namespace and in the cluster: everything that infra/render-system.ts wants, applied in its order; then what it wants
// no longer is taken away. Called by infra.ts once the CRDs are there and no older install is in the way.

import type { GatewayInfra } from '../api/gateway-infra.ts';
import type { Reply } from '../api/reply.ts';
import { configMaps } from '../api/resources.ts';
import { certificatesDigest, webhookAuthority } from '../infra/certgen.ts';
import { configKey } from '../infra/eg-names.ts';
import { type Pace, paced } from '../infra/hosting-pace.ts';
import type { InfraRefusal } from '../infra/refusal.ts';
import { renderSystem, type System } from '../infra/render-system.ts';
import { refOf } from '../plan/object-ref.ts';
import { certificatesSeen } from './certificates.ts';
import type { InfraPorts } from './ports.ts';
import { prune } from './prune.ts';
import { servedNamespaces } from './spaces-world.ts';
import { ensureAll, type StepResult } from './step.ts';

export type ProvideSystem = (infra: GatewayInfra) => Promise<StepResult>;

/** Remembers only which namespaces it rendered last, to be slow with the next list: see hosting-pace.ts. */
export function systemProvider(ports: InfraPorts): ProvideSystem {
  let pace: Pace | undefined;
  return async (infra) => {
    const userConfig = userConfigOf(ports, infra);
    if (userConfig.kind !== 'read') return userConfig.result;
    const next = paced(pace, servedNamespaces(ports.stores, infra), ports.now());
    pace = next.pace;
    const seen = certificatesSeen(ports, infra);
    const authority = webhookAuthority(seen);
    const system = renderSystem({
      infra,
      uid: infra.metadata.uid ?? '',
      hosting: next.pace.rendered ?? [],
      certificatesDigest: certificatesDigest(seen),
      ...(userConfig.text !== undefined && { userConfig: userConfig.text }),
      ...(authority !== undefined && { authority }),
    });
    const done = await apply(ports, infra, system);
    return done.kind === 'done' && next.kind === 'wait' ? { kind: 'done', at: next.until } : done;
  };
}

async function apply(ports: InfraPorts, infra: GatewayInfra, system: Reply<System, InfraRefusal>): Promise<StepResult> {
  if (!system.ok) return { kind: 'held', troubles: [system.problem] };
  const { wanted, version, digest, overridden } = system.value;
  const problem = await ensureAll(ports, wanted, 'system');
  if (problem !== undefined) return { kind: 'held', troubles: [problem] };
  const pruned = await prune(ports, 'system', wanted);
  if (!pruned.ok) return { kind: 'held', troubles: [pruned.problem] };
  ports.status.rendered({ version, digest });
  for (const { reason, message } of overridden) {
    await ports.recorder.say({ about: refOf(infra), type: 'Warning', reason, message });
  }
  return { kind: 'done' };
}

type UserConfig =
  | { readonly kind: 'read'; readonly text?: string }
  | { readonly kind: 'unread'; readonly result: StepResult };

/** The ConfigMap that the spec names; its coming, change or going is an event. What stands stays as it is meanwhile. */
function userConfigOf(ports: InfraPorts, { spec }: GatewayInfra): UserConfig {
  const ref = spec.envoyGatewayConfigRef;
  if (ref === undefined) return { kind: 'read' };
  const object = `${configMaps.kind} ${ref.namespace}/${ref.name}`;
  const map = ports.references.configMap(ref);
  if (map === 'reading') return { kind: 'unread', result: { kind: 'waits', why: `${object} is being read.` } };
  const held = (reason: string, message: string): UserConfig => ({
    kind: 'unread',
    result: { kind: 'held', troubles: [{ step: 'system', object, reason, message }] },
  });
  if (map === 'absent') {
    return held(
      'ConfigMissing',
      `${object}, which spec.envoyGatewayConfigRef names, does not exist; create it, or take the reference away.`,
    );
  }
  const text = map.data?.[configKey];
  if (text !== undefined) return { kind: 'read', text };
  return held(
    'ConfigKeyMissing',
    `${object} has no key ${configKey}, where spec.envoyGatewayConfigRef looks for it; add the key.`,
  );
}
