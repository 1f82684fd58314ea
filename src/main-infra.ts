// The infrastructure half on one page: what is made, what it is given, in which order it starts and stops. Started by main.ts for `certway infra`.

import { once } from 'node:events';
import type { InfraConfig } from './infra-config.ts';
import { kubeClient } from './kube/client.ts';
import { loadCredentials } from './kube/credentials.ts';
import { leadership } from './kube/leadership.ts';
import { eventRecorder } from './kube/recorder.ts';
import { openSession } from './kube/session.ts';
import { tokenRequests } from './kube/token-request.ts';
import { withoutQuarrels } from './provision/contest.ts';
import { watchPackages } from './provision/crd-packages.ts';
import { crdsReconciler } from './provision/crds.ts';
import { infraReconciler } from './provision/infra.ts';
import { legacy } from './provision/legacy.ts';
import type { InfraPorts } from './provision/ports.ts';
import { pullSecrets } from './provision/pull-secrets.ts';
import { accountSession } from './provision/pull-secrets-session.ts';
import { makeInfraWork } from './provision/queues.ts';
import { references } from './provision/references.ts';
import { spaceReconciler } from './provision/spaces.ts';
import { wireSpaces } from './provision/spaces-wakes.ts';
import { infraStatus } from './provision/status.ts';
import { makeInfraStores } from './provision/stores.ts';
import { wakeSpaces, wireInfraTriggers } from './provision/triggers.ts';
import { startInfraWatches } from './provision/watches.ts';
import { openLogger } from './report/logger.ts';
import { createMetrics } from './report/metrics.ts';
import { startHealth } from './serve/health.ts';
import { startMetrics } from './serve/metrics.ts';

/** Answers the exit code. */
export async function infra(
  config: InfraConfig,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const log = openLogger({ level: config.logLevel });
  const metrics = createMetrics();
  const onBug = (error: unknown) => log.error({ err: error }, 'a subscriber failed: a bug');
  const ending = new AbortController();
  const { signal } = ending;
  const end = (why: string, code: number) => {
    log.info({ why }, 'stopping');
    ending.abort(code);
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => end(name, 0));

  // No write leaves a process that does not lead.
  const lead = leadership(config.lease);
  const from = { ...(config.kubeconfig !== undefined && { kubeconfig: config.kubeconfig }), environment };
  const session = await openSession({
    ...from,
    userAgent: 'certway-infra',
    guardWrite: lead.mayWrite,
    onRequest: metrics.kubeRequest,
  });
  const requestToken = tokenRequests(session);
  // The Secrets of tenants are out of our reach: their copies are written by an account that can do nothing else.
  const copier = await accountSession({
    load: () => loadCredentials(from),
    requestToken,
    account: { namespace: config.settings.certwayNamespace, name: 'certway-pull-secrets' },
    mayWrite: lead.mayWrite,
    now: Date.now,
  });

  // watch → store → queue: every replica keeps its caches warm.
  const plain = kubeClient(session, (warning) => log.warn({ warning }, 'the API server warns'));
  const kube = withoutQuarrels(plain, Date.now);
  const stores = makeInfraStores(onBug);
  const work = makeInfraWork();
  const wake = { ...work.wake, spaces: () => wakeSpaces(stores, work.wake) };
  const recorder = eventRecorder({
    kube,
    instance: config.lease.identity,
    onProblem: ({ reason }, problem) => log.warn({ reason, problem }, 'event not written'),
  });
  const told = { kube, stores, recorder, log, now: Date.now, wake };
  const status = infraStatus(told);
  const watched = { session, signal, log, onBug, onState: metrics.watch };
  const wakeAll = () => {
    wake.infra();
    wake.spaces();
  };
  const ports: InfraPorts = {
    ...told,
    session,
    requestToken,
    references: references({ ...watched, onChange: wakeAll }),
    settled: new Map(),
    status,
    settings: config.settings,
  };
  wireInfraTriggers(stores, wake);
  wireSpaces(ports);
  metrics.leading(lead.mayWrite);
  const watches = startInfraWatches({
    ...watched,
    stores,
    settings: config.settings,
    onSystemKnown: wake.infra,
    onSight: wakeAll,
  });
  const packages = watchPackages({ ...watched, crds: stores.crds, onChange: wake.crds });
  await using health = await startHealth({ listen: config.healthListen, livez: lead.ails, readyz: watches.notReady });
  await using served = await startMetrics({ listen: config.metricsListen, registry: metrics.registry });
  log.info({ health: health.address, metrics: served.address, server: session.server }, 'listening');

  // Only the leader works: queue(key) → look → plan → write.
  await watches.whenReady();
  await packages.settled;
  const old = legacy(ports, { overlapMs: config.legacyOverlapMs });
  const legacyHolds = () =>
    old.holds()
      ? 'An older install is looked at or moved; the condition LegacyCleaned says how far that is.'
      : undefined;
  const pull = pullSecrets({ ...watched, session: copier, wake: wake.space });
  const onLead = () => {
    log.info({ identity: config.lease.identity }, 'leading');
    work.start({
      reconcilers: {
        crds: crdsReconciler(ports, packages),
        legacy: old.reconcile,
        infra: infraReconciler(ports, { knows: watches.knows, blind: watches.blind, legacyHolds }),
        space: spaceReconciler(ports, pull, watches.blind),
        status: status.write,
      },
      workers: config.workers,
      log,
      metrics,
    });
    wake.spaces();
  };
  const onLost = (why: string) => end(`lost the lease: ${why}`, 1);
  const onProblem = (problem: unknown) => log.warn({ problem }, 'lease');
  if (!signal.aborted) lead.seek(session, { signal, onLead, onLost, onProblem });

  if (!signal.aborted) await once(signal, 'abort');
  await work[Symbol.asyncDispose]();
  await lead.release();
  await copier[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
  return signal.reason;
}
