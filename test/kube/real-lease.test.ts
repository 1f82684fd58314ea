// The Lease between real processes on the real API server: hand-over, death, frost, and a network that swallows everything.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { leases, namespaces } from '../../src/api/resources.ts';
import { type Kube, kubeClient } from '../../src/kube/client.ts';
import { type HeldLease, holdLease } from '../../src/kube/lease.ts';
import { openSession, type Session } from '../../src/kube/session.ts';
import { until } from '../rig/wait.ts';
import { type Link, openLink } from './link.ts';

let session: Session;
let kube: Kube;
let namespace: string;
let dir: string;
let link: Link;
let stop: AbortController;
let candidates: Candidate[];

beforeAll(async () => {
  session = await openSession({ environment: {}, kubeconfig: inject('kubeconfig') });
  kube = kubeClient(session);
  dir = await mkdtemp(join(tmpdir(), 'certway-lease-'));
  link = await openLink(inject('kubeconfig'), join(dir, 'kubeconfig'));
});

afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await link[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

beforeEach(async () => {
  stop = new AbortController();
  candidates = [];
  link.mend();
  namespace = `lease-${randomBytes(4).toString('hex')}`;
  await kube.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
});

afterEach(async () => {
  stop.abort();
  await Promise.all(candidates.map((candidate) => candidate.kill()));
  await kube.delete(namespaces, { name: namespace });
});

interface Candidate {
  readonly lines: readonly string[];
  readonly child: ChildProcessWithoutNullStreams;
  tell(word: 'write' | 'release'): void;
  kill(): Promise<void>;
}

/** A process of its own; leases of 2 s, believed for 1.5 s. */
function candidate(identity: string): Candidate {
  const script = join(import.meta.dirname, 'candidate.ts');
  const child = spawn(process.execPath, [script, inject('kubeconfig'), namespace, 'test', identity]);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  child.stderr.on('data', (bytes) => lines.push(`stderr: ${bytes}`));
  const exited = once(child, 'exit');
  const made: Candidate = {
    lines,
    child,
    tell: (word) => void child.stdin.write(`${word}\n`),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
  candidates.push(made);
  return made;
}

interface Contender {
  readonly lease: HeldLease;
  readonly said: string[];
}

function contend(identity: string, over: Session = session, leaseMs = 2_000): Contender {
  const said: string[] = [];
  const lease = holdLease({
    session: over,
    namespace,
    name: 'test',
    identity,
    leaseMs,
    renewDeadlineMs: leaseMs * 0.75,
    retryMs: 100,
    signal: stop.signal,
    onHeld: () => said.push('held'),
    onLost: (why) => said.push(`lost: ${why}`),
  });
  return { lease, said };
}

async function inCluster() {
  const read = await kube.get(leases, { namespace, name: 'test' });
  if (!read.ok) throw new Error(read.problem.message);
  return read.value;
}

test('a lone candidate holds, renews and releases', async () => {
  const { lease, said } = contend('one');
  await until('it holds', () => lease.held);
  const first = await inCluster();
  expect(first.spec).toMatchObject({ holderIdentity: 'one', leaseDurationSeconds: 2, leaseTransitions: 0 });
  expect(first.spec.renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  await until('a renewal', async () => (await inCluster()).spec.renewTime !== first.spec.renewTime);
  expect([lease.fresh(), (await inCluster()).spec.acquireTime]).toEqual([true, first.spec.acquireTime]);
  await lease.release();
  await lease.done;
  expect([lease.held, lease.fresh(), said, (await inCluster()).spec.holderIdentity ?? '']).toEqual([
    false,
    false,
    ['held'],
    '',
  ]);
});

test('of ten candidates one holds', async () => {
  const all = Array.from({ length: 10 }, (_, i) => contend(`c${i}`));
  await until('one holds', () => all.some(({ lease }) => lease.held));
  await until(
    'three renewals',
    async () =>
      Number((await inCluster()).metadata.resourceVersion) > 0 && all.filter(({ lease }) => lease.fresh()).length === 1,
  );
  expect(all.filter(({ lease }) => lease.held).length).toBe(1);
});

test('a released lease is taken by the next without waiting for its end', async () => {
  const one = contend('one', session, 30_000);
  await until('it holds', () => one.lease.held);
  const two = contend('two', session, 30_000);
  await one.lease.release();
  const began = performance.now();
  await until('the next holds', () => two.lease.held);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect((await inCluster()).spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
});

test('a killed holder is followed after its lease has run out, not before', async () => {
  const one = candidate('one');
  await until('it holds', () => one.lines.includes('held'));
  const two = contend('two');
  await until('the other waits', async () => two.lease.held === false);
  await one.kill();
  const began = performance.now();
  await until('the other holds', () => two.lease.held);
  expect(performance.now() - began).toBeGreaterThan(1_000);
});

test('a holder that was frozen finds out before it writes', async () => {
  const one = candidate('one');
  await until('it holds', () => one.lines.includes('held'));
  one.tell('write');
  await until('it writes', () => one.lines.includes('wrote'));
  const two = contend('two');
  one.child.kill('SIGSTOP');
  await until('the other holds', () => two.lease.held);
  one.tell('write');
  one.child.kill('SIGCONT');
  await until('it is refused', () => one.lines.includes('refused: notLeader'));
  await until('it knows', () => one.lines.some((line) => line === 'lost: the lease was taken by two'));
  expect(one.lines.filter((line) => line === 'wrote').length).toBe(1);
});

test('a holder that cannot reach the server stops believing in time, says so once, and the other takes over later', async () => {
  const linked = await openSession({ environment: {}, kubeconfig: link.kubeconfig });
  const one = contend('one', linked, 4_000);
  await until('it holds', () => one.lease.held);
  const two = contend('two', session, 4_000);
  link.swallow();
  await until('it believes no more', () => !one.lease.fresh());
  expect(two.lease.held).toBe(false);
  await until('the other holds', () => two.lease.held);
  await one.lease.done;
  expect(one.said).toEqual(['held', expect.stringMatching(/^lost: not renewed in time: no complete answer/)]);
  link.mend();
  await linked[Symbol.asyncDispose]();
});

test('a short cut of the link costs nothing', async () => {
  const linked = await openSession({ environment: {}, kubeconfig: link.kubeconfig });
  const one = contend('one', linked, 8_000);
  await until('it holds', () => one.lease.held);
  const before = (await inCluster()).metadata.resourceVersion;
  link.cut();
  await new Promise((resolve) => setImmediate(resolve));
  link.mend();
  await until('it renews', async () => (await inCluster()).metadata.resourceVersion !== before);
  expect([one.said, one.lease.fresh()]).toEqual([['held'], true]);
  await one.lease.release();
  await linked[Symbol.asyncDispose]();
});

test('a lease that was deleted, emptied or made by hand is taken', async () => {
  await kube.create(leases, { apiVersion: '', kind: '', metadata: { namespace, name: 'test' }, spec: {} });
  const { lease, said } = contend('one');
  await until('it holds', () => lease.held);
  await kube.delete(leases, { namespace, name: 'test' });
  await until('it is there again', async () => (await inCluster()).spec.holderIdentity === 'one');
  const present = await inCluster();
  await kube.replace(leases, { ...present, spec: { ...present.spec, holderIdentity: '' } });
  await until('it is ours again', async () => (await inCluster()).spec.holderIdentity === 'one');
  expect(said).toEqual(['held']);
});

test('after the signal, what was held stays fresh for the rest of its time, and can still be released', async () => {
  const { lease, said } = contend('one', session, 20_000);
  await until('it holds', () => lease.held);
  stop.abort();
  await lease.done;
  expect([lease.fresh(), said]).toEqual([true, ['held']]);
  await lease.release();
  expect([lease.fresh(), (await inCluster()).spec.holderIdentity ?? '']).toEqual([false, '']);
});
