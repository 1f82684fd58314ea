// The whole machine on one page: what is made, what it is given, in which order it starts and stops.

import { once } from 'node:events';
import { accounts } from './apply/accounts.ts';
import { certificateReconciler } from './apply/certificate.ts';
import { knownOrders, liveOrders } from './apply/challenge-lookup.ts';
import { issuerReconciler } from './apply/issuer.ts';
import { keyMaker } from './apply/key-maker.ts';
import { listenerReconciler } from './apply/listeners.ts';
import type { Ports } from './apply/ports.ts';
import { makeWork } from './apply/queues.ts';
import { secretWatches } from './apply/secret-watches.ts';
import { signers } from './apply/signers.ts';
import { makeStores } from './apply/stores.ts';
import { secretChanged, wireTriggers } from './apply/triggers.ts';
import { startWatches } from './apply/watches.ts';
import { grantManifests } from './cli/grant.ts';
import { type ControllerConfig, readConfig } from './config.ts';
import { kubeClient } from './kube/client.ts';
import { holdLease } from './kube/lease.ts';
import { eventRecorder } from './kube/recorder.ts';
import { openSession } from './kube/session.ts';
import { openLogger } from './report/logger.ts';
import { createMetrics } from './report/metrics.ts';
import { startHealth } from './serve/health.ts';
import { startResponder } from './serve/http01.ts';
import { LiveAnswers } from './serve/live-answers.ts';
import { startMetrics } from './serve/metrics.ts';

async function controller(config: ControllerConfig): Promise<number> {
  const log = openLogger({ level: config.logLevel });
  const metrics = createMetrics();
  const stop = new AbortController();
  const { signal } = stop;
  let exitCode = 0;
  const end = (why: string, code: number) => {
    if (!signal.aborted) log.info({ why }, 'stopping');
    exitCode = Math.max(exitCode, code);
    stop.abort();
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => end(name, 0));

  // Only a leader with a young lease lets a write, or a POST to a CA, leave the process.
  let lease: ReturnType<typeof holdLease> | undefined;
  const mayWrite = () => !config.lease.enabled || lease?.fresh() === true;
  const session = await openSession({
    ...(config.kubeconfig !== undefined && { kubeconfig: config.kubeconfig }),
    environment: process.env,
    userAgent: 'certway-controller',
    guardWrite: mayWrite,
    onRequest: (request) => metrics.kubeRequest(request),
  });
  const kube = kubeClient(session, (warning) => log.warn({ warning }, 'the API server warns'));

  const onBug = (error: unknown) => log.error({ err: error }, 'a subscriber failed: a bug');
  const stores = makeStores(onBug);
  const work = makeWork();
  const ports: Ports = {
    kube,
    stores,
    log,
    now: Date.now,
    keys: keyMaker(),
    secrets: secretWatches({
      session,
      signal,
      now: Date.now,
      onChange: (...change) => secretChanged(ports, work, ...change),
    }),
    accounts: accounts({
      kube,
      userAgent: 'certway',
      mayPost: mayWrite,
      proxyUrl: config.proxyUrl,
      onRequest: (request) => metrics.acmeRequest(request),
    }),
    recorder: eventRecorder({
      kube,
      instance: config.lease.identity,
      onProblem: (event, problem) => log.warn({ reason: event.reason, problem }, 'event not written'),
    }),
    settings: {
      clusterResourceNamespace: config.clusterResourceNamespace,
      solverService: config.solverService,
      selfCheck: { nameservers: config.http01.nameservers, port: config.http01.selfCheckPort },
      resolve: config.resolve,
    },
  };
  wireTriggers(ports, work);
  const watches = startWatches({
    session,
    stores,
    log,
    signal,
    gatewayApi: config.gatewayApi,
    listenerSets: config.gates.ListenerSets,
    xListenerSets: config.gates.XGatewayAPI,
    solverNamespace: config.solverService.namespace,
    onState: (kind, state) => metrics.watch(kind, state),
    onBug,
  });

  // Every replica answers challenges, health and metrics; only the leader reconciles.
  const answers = new LiveAnswers({
    known: { orders: (host) => knownOrders(stores, host) },
    read: (host) => liveOrders(kube, stores, host),
    onError: (error) => log.warn({ err: error }, 'live read of Orders failed'),
  });
  await using responder = await startResponder({
    listen: config.http01.listen,
    lookup: (host, token) => answers.lookup(host, token),
    onAnswer: (status) => metrics.challengeAnswer(status),
  });
  await using health = await startHealth({
    listen: config.healthListen,
    livez: () => (lease?.held === true && !lease.fresh() ? ['the lease is held but was not renewed in time'] : []),
    readyz: () => watches.notReady(),
  });
  await using metricsServer = await startMetrics({ listen: config.metricsListen, registry: metrics.registry });
  log.info(
    { http01: responder.address, health: health.address, metrics: metricsServer.address, server: session.server },
    'listening',
  );

  await watches.whenReady(signal);
  const lead = () => {
    log.info({ identity: config.lease.identity }, 'leading');
    const signing = signers();
    work.start({
      issuer: issuerReconciler(ports, signing),
      gateway: listenerReconciler(ports),
      certificate: certificateReconciler(ports, signing),
      workers: config.workers,
      log,
      metrics,
    });
  };
  if (!config.lease.enabled) lead();
  else if (!signal.aborted) {
    lease = holdLease({
      session,
      namespace: config.lease.namespace,
      name: 'certway-controller',
      identity: config.lease.identity,
      leaseMs: config.lease.durationMs,
      renewDeadlineMs: config.lease.renewDeadlineMs,
      retryMs: config.lease.retryMs,
      signal,
      onHeld: lead,
      onLost: (why) => end(`lost the lease: ${why}`, 1),
      onProblem: (problem) => log.warn({ problem }, 'lease'),
    });
  }
  if (!signal.aborted) await once(signal, 'abort');
  await work[Symbol.asyncDispose]();
  await lease?.release();
  await ports.accounts[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
  return exitCode;
}

async function main(): Promise<number> {
  const config = readConfig(process.argv.slice(2), process.env);
  if (!config.ok) {
    for (const mistake of config.problem) process.stderr.write(`certway: ${mistake}\n`);
    return 2;
  }
  switch (config.value.command) {
    case 'help':
      process.stdout.write(config.value.text);
      return 0;
    case 'grant': {
      const manifests = grantManifests(config.value.namespaces, config.value);
      (manifests.ok ? process.stdout : process.stderr).write(manifests.ok ? manifests.value : `${manifests.problem}\n`);
      return manifests.ok ? 0 : 2;
    }
    case 'controller':
      return controller(config.value);
    default:
      return config.value satisfies never;
  }
}

process.exitCode = await main();
