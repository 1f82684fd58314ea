// Benchmark dns01-apex-wildcard: a certificate for a zone's apex and its wildcard, two values at one name, through BIND as primary and a secondary that is
// told of each change. One after the other, since each is what a person waits for.

import { certificates } from '../../src/api/resources.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { controllerUser, openAudit } from '../rig/audit.ts';
import { type Client, openClient, pathOf } from '../rig/demo/client.ts';
import { tail } from '../rig/part.ts';
import { until } from '../rig/wait.ts';
import { makeTeam } from '../world/team.ts';
import { certificateFor, issuerWith, keepUp, rfc2136, startScene, swept, tsigSecret } from '../worlds/dns01-scene.ts';
import { median, round } from './result.ts';

export const dnsBenchmark = { name: 'dns01-apex-wildcard' } as const;

const rounds = 5;
const patienceMs = 60_000;

export interface DnsResult {
  readonly name: string;
  readonly certificates: number;
  /** Of the slowest, from its creation until it was Ready. */
  readonly seconds: number;
  readonly median_s: number;
  /** The controller's, clean-up of the records included. */
  readonly writes_per_certificate: number;
}

export async function measureDns(progress: (line: string) => void): Promise<DnsResult> {
  const { name } = dnsBenchmark;
  await using scene = await startScene();
  await using controller = await scene.start();
  await using team = await makeTeam(scene.world, 'bench-dns');
  await using client = await openClient(scene.world.kubeconfig, 2);
  const { namespace } = team;
  await team.kubectl.apply([
    tsigSecret(namespace, scene.key.secret),
    issuerWith(namespace, scene.world.acme, 'dns', [rfc2136(scene)]),
  ]);
  await team.issuerSays('dns', 'True', /^ACMEAccountRegistered/);
  await using _ = keepUp(scene.bind);
  const since = Date.now();
  const times: number[] = [];
  try {
    for (const round of Array.from({ length: rounds }, (_, index) => index)) {
      const zone = `apex-${round}.example.test`;
      const begun = performance.now();
      const wish = certificateFor(namespace, { name: `apex-${round}`, dnsNames: [zone, `*.${zone}`] });
      await client.create(pathOf(certificates, namespace), wish);
      await ready(client, namespace, `apex-${round}`);
      times.push((performance.now() - begun) / 1000);
      progress(`${name}: ${times.at(-1)?.toFixed(2)} s`);
      await swept(scene.bind, `_acme-challenge.${zone}`);
    }
  } catch (cause) {
    throw new Error(`${name} failed; the controller's log ends:\n${await tail(controller.logFile)}`, { cause });
  }
  const { total } = await openAudit(scene.world.auditLog).writesBy(controllerUser, { since });
  const sorted = times.toSorted((a, b) => a - b);
  return {
    name,
    certificates: rounds,
    seconds: round(sorted.at(-1) ?? 0, 2),
    median_s: round(median(sorted), 2),
    writes_per_certificate: round(total / rounds, 2),
  };
}

async function ready(client: Client, namespace: string, name: string): Promise<void> {
  await until(
    `Certificate ${name} to be Ready`,
    async () => {
      const found = (await client.list(certificates, namespace)).find(({ metadata }) => metadata.name === name);
      return conditionOf(found?.status?.conditions, 'Ready')?.status === 'True';
    },
    { deadlineMs: patienceMs },
  );
}
