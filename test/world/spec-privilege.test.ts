// Other people's Secrets: Certway has no right to them beyond the namespaces that granted it, and where it has, their payloads never reach it.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { Secret } from '../../src/api/core.ts';
import { labels } from '../../src/api/names.ts';
import { secrets } from '../../src/api/resources.ts';
import { controllerUser } from '../rig/audit.ts';
import { openClient, pathOf } from '../rig/demo/client.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { actingAs } from './acting.ts';
import { atRevision, put } from './spec-scene.ts';
import { makeTeam, type Team } from './team.ts';
import { openTrail } from './trail.ts';

const count = 200;
const payload = 100_000;

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'foreign');
  await using client = await openClient(world.kubeconfig, 4);
  const path = pathOf(secrets, team.namespace);
  const rest = Array.from({ length: count }, (_, index) => foreignSecret(index)).values();
  const work = async () => {
    for (const secret of rest) await client.create(path, secret);
  };
  await Promise.all([work(), work(), work(), work()]);
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** Every second one looks like ours, as those do that a backup has brought from another cluster. */
function foreignSecret(index: number): Secret {
  const metadata = { name: `foreign-${index}`, namespace: team.namespace };
  const labelled = { ...metadata, labels: { [labels.fao]: 'true' } };
  const data = { blob: randomBytes(payload).toString('base64') };
  return { apiVersion: 'v1', kind: 'Secret', metadata: index % 2 === 0 ? metadata : labelled, data };
}

/** Bytes that the controller's process has read from files and sockets (proc(5)), and that it holds in memory. */
async function use(): Promise<{ readonly read: number; readonly held: number }> {
  const io = await readFile(`/proc/${inject('controllerPid')}/io`, 'utf8');
  const metrics = await fetch(inject('metricsUrl')).then((answer) => answer.text());
  const value = (pattern: RegExp, text: string) => Number(pattern.exec(text)?.[1]);
  return { read: value(/^rchar: (\d+)$/m, io), held: value(/^process_resident_memory_bytes (\S+)$/m, metrics) };
}

it.skipIf(process.platform !== 'linux')(
  "a namespace full of them costs neither traffic nor memory (Linux's /proc)",
  async () => {
    const trail = await openTrail(world.auditLog);
    const before = await use();
    // The first Certificate of a namespace begins the watch of its Secrets.
    await put(team, 'own', { dnsNames: ['own.example.com'], issuerRef: { name: 'self' } });
    await team.kubectl.apply([
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Issuer',
        metadata: { name: 'self', namespace: team.namespace },
        ...{ spec: { selfSigned: {} } },
      },
    ]);
    await atRevision(team, 'own', 1);
    await team.kubectl.run(['label', 'secret', '-n', team.namespace, '-l', labels.fao, 'touched=yes']);
    await put(team, 'own', { dnsNames: ['own.example.com', 'again.example.com'], issuerRef: { name: 'self' } });
    await atRevision(team, 'own', 2);
    const { read } = await use();
    // Listed once and every second one touched: 30 MB, were payloads sent. Other tests read a little meanwhile.
    expect(read - before.read).toBeLessThan((count * payload) / 2);
    await until('the memory to be as before', async () => (await use()).held - before.held < (count * payload) / 2);
    const touched = (await trail.requests()).filter(({ name }) => name.startsWith('foreign-'));
    expect(touched).toEqual([]);
  },
);

it('a namespace that has granted nothing is closed to it, and so is the cluster', async () => {
  await using closed = await makeTeam(world, 'closed', { rights: 'none' });
  const asController = actingAs(closed.kubectl, controllerUser, 'system:serviceaccounts', 'system:authenticated');
  const may = (verb: string, ...where: readonly string[]) =>
    asController.run(['auth', 'can-i', verb, 'secrets', ...where]).then(
      () => 'yes',
      // kubectl's way to say no.
      () => 'no',
    );
  for (const verb of ['get', 'list', 'watch', 'create', 'patch', 'delete']) {
    expect(await may(verb, '-n', closed.namespace)).toBe('no');
    expect(await may(verb, '--all-namespaces')).toBe('no');
  }
  expect(await may('get', '-n', team.namespace)).toBe('yes');
});
