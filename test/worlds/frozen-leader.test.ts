// The leader freezes in the moment in which the CA is told to look. Another replica answers the CA, takes the lead, and finishes the same order. In place
// of the Service stands a forwarder that leaves a frozen replica out, as its readiness would.

import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { orders } from '../../src/api/resources.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { type AcmeFault, startAcmeFault } from '../rig/proxy/acme-fault.ts';
import { forward } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { acmeIssuer, gateway, listenerSet, makeTeam, type Team } from '../world/team.ts';

const flags = [
  '--acme-http01-listen-address=127.0.0.1:0',
  '--leader-election-lease-duration=3s',
  '--leader-election-renew-deadline=2s',
  '--leader-election-retry-period=300ms',
];

let world: World;
let ca: AcmeFault;
let team: Team;
let leader: Controller;
let follower: Controller;
let service: Server;
let endpoint: URL;

beforeAll(async () => {
  // A challenge whose nonce is refused would freeze the leader with nothing told to the CA.
  world = await startWorld({ pebbleEnv: { PEBBLE_WFE_NONCEREJECT: '0' } });
  ca = await startAcmeFault(world.acme);
  leader = await startController(world, { flags });
  await until('the first replica to lead', async () => (await metric(leader, 'certway_queue_depth')).length > 0);
  follower = await startController(world, { flags });
  endpoint = new URL(leader.solverUrl);
  service = createServer((socket) => {
    const onward = connect(Number(endpoint.port), endpoint.hostname);
    socket.on('error', () => onward.destroy());
    onward.on('error', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  service.listen(world.acme.httpPort, '127.0.0.1');
  await once(service, 'listening');
  team = await makeTeam(world, 'frozen');
  const { namespace } = team;
  await team.kubectl.apply([acmeIssuer(namespace, ca), gateway(namespace)]);
  await team.issuerSays('acme', 'True', /./);
});
afterAll(async () => {
  service?.close();
  await leader?.kill('SIGKILL').catch(() => undefined);
  await follower?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await ca?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function metric({ metricsUrl }: Controller, name: string): Promise<readonly string[]> {
  const text = await (await fetch(metricsUrl)).text();
  return text.split('\n').filter((line) => line.startsWith(name));
}

it('frozen once the order is placed, it is not missed: the CA is answered, and one order comes to its end', async () => {
  const frozen = Promise.withResolvers<void>();
  ca.proxy.follow(({ edge }) => {
    if (edge === 'challenge') {
      process.kill(leader.pid, 'SIGSTOP');
      endpoint = new URL(follower.solverUrl);
      frozen.resolve();
    }
    return forward;
  });
  const annotations = { 'cert-manager.io/issuer': 'acme', 'cert-manager.io/private-key-algorithm': 'ECDSA' };
  await team.kubectl.apply([
    listenerSet(team.namespace, { name: 'web', hostname: `web.${team.namespace}.example.com`, annotations }),
  ]);
  await frozen.promise;
  const answered = /^certway_http01_answers_total\{status="200"\} [1-9]/;
  await until('the other replica to answer the CA', async () =>
    (await metric(follower, 'certway_http01')).some((line) => answered.test(line)),
  );
  await team.ready('web-tls', 60_000);
  const asked = (edge: string) => ca.proxy.passed.filter((each) => each.edge === edge).length;
  // The CA was told to look by the one that froze, and by no other: what it saw was the other's answer.
  expect([asked('newOrder'), asked('challenge'), asked('finalize')]).toEqual([1, 1, 1]);
  expect((await team.all(orders)).map(({ status }) => status?.state)).toEqual(['valid']);
  process.kill(leader.pid, 'SIGCONT');
  expect(await leader.exited).toBe(1);
  expect([asked('newOrder'), asked('finalize')]).toEqual([1, 1]);
});
