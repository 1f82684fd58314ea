// A process that contends for a Lease, for tests that kill and freeze it: `node candidate.ts KUBECONFIG NAMESPACE NAME IDENTITY`.
// Writes a line for each thing that happens, and one for each attempt to write a ConfigMap under the guard of the Lease.

import { createInterface } from 'node:readline';
import { kubeClient } from '../../src/kube/client.ts';
import { holdLease } from '../../src/kube/lease.ts';
import { openSession } from '../../src/kube/session.ts';
import { configMaps } from './objects.ts';

const [kubeconfig = '', namespace = '', name = '', identity = ''] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);

let lease: ReturnType<typeof holdLease> | undefined;
const session = await openSession({ environment: {}, kubeconfig, guardWrite: () => lease?.fresh() === true });
const kube = kubeClient(session);
lease = holdLease({
  session,
  namespace,
  name,
  identity,
  leaseMs: 2_000,
  renewDeadlineMs: 1_500,
  retryMs: 200,
  signal: new AbortController().signal,
  onHeld: () => say('held'),
  onLost: (why) => say(`lost: ${why}`),
});
say('started');

let writes = 0;
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'write') {
    writes += 1;
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${identity}-${writes}`, namespace } };
    const answer = await kube.create(configMaps, object);
    say(answer.ok ? 'wrote' : `refused: ${answer.problem.kind}`);
  }
  if (line === 'release') {
    await lease.release();
    say('released');
    break;
  }
}
await session[Symbol.asyncDispose]();
