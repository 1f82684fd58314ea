// The whole machine on one page: what is made, what it is given, in which order it starts and stops.

import { once } from 'node:events';
import { accounts } from './apply/accounts.ts';
import { budgets } from './apply/budgets.ts';
import { certificateReconciler } from './apply/certificate.ts';
import { isExpected, knownOrders, liveOrders } from './apply/challenge-lookup.ts';
import { dnsSecrets } from './apply/dns-secrets.ts';
import { keepGrants } from './apply/grant-keeper.ts';
import { infraDoor } from './apply/infra-door.ts';
import { acknowledgeDrains } from './apply/infra-drain.ts';
import { wireInfra } from './apply/infra-triggers.ts';
import { startIssuance } from './apply/issuance.ts';
import { timeIssuances } from './apply/issuance-times.ts';
import { issuerReconciler } from './apply/issuer.ts';
import { keyMaker } from './apply/key-maker.ts';
import { keystoreMaker } from './apply/keystore-maker.ts';
import { listenerReconciler } from './apply/listeners.ts';
import { looks } from './apply/looks.ts';
import { orderCleanup } from './apply/order-cleanup.ts';
import type { Ports } from './apply/ports.ts';
import { makeWork } from './apply/queues.ts';
import { renewalInfoReconciler } from './apply/renewal-info.ts';
import { requestReconciler } from './apply/request.ts';
import { secretWatches } from './apply/secret-watches.ts';
import { besideShims } from './apply/shims.ts';
import { signers } from './apply/signers.ts';
import { wireStamps } from './apply/stamp-wakes.ts';
import { stampReconciler } from './apply/stamps.ts';
import { makeStores } from './apply/stores.ts';
import { wireTenants } from './apply/tenant-wakes.ts';
import { tenantReconciler } from './apply/tenants.ts';
import { secretChanged, wireTriggers } from './apply/triggers.ts';
import { vaultSigner, vaultVerdict } from './apply/vault.ts';
import { startWatches } from './apply/watches.ts';
import { printGrant } from './cli/grant.ts';
import { readConfig } from './config.ts';
import type { ControllerConfig } from './controller-config.ts';
import { openHttps } from './dns/https.ts';
import { kubeClient } from './kube/client.ts';
import { leadership } from './kube/leadership.ts';
import { eventRecorder } from './kube/recorder.ts';
import { openSession } from './kube/session.ts';
import { tokenRequests } from './kube/token-request.ts';
import { openLogger } from './report/logger.ts';
import { createMetrics } from './report/metrics.ts';
import { LiveAnswers } from './serve/live-answers.ts';
import { startServers } from './serve/servers.ts';

async function controller(config: ControllerConfig): Promise<number> {
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

  // No write to the API server, and no POST to a CA, leaves a process that does not lead.
  const lead = leadership(config.lease);
  const session = await openSession({
    ...(config.kubeconfig !== undefined && { kubeconfig: config.kubeconfig }),
    environment: process.env,
    userAgent: 'certway-controller',
    guardWrite: lead.mayWrite,
    onRequest: metrics.kubeRequest,
  });

  // watch → store → queue: every replica keeps its caches warm.
  const stores = makeStores(onBug);
  const work = makeWork();
  // Shut where the infrastructure half has Certway hold still.
  const door = infraDoor(
    kubeClient(session, (warning) => log.warn({ warning }, 'the API server warns')),
    stores,
  );
  const { kube } = door;
  const watched = { session, signal, log, onBug };
  const https = openHttps({ proxies: config.proxies, userAgent: 'certway-controller' });
  const told = {
    accounts: accounts({
      kube,
      mayPost: () => lead.mayWrite() && issuance.mayIssue(),
      proxies: config.proxies,
      onRequest: metrics.acmeRequest,
    }),
    recorder: eventRecorder({
      kube,
      instance: config.lease.identity,
      onProblem: ({ reason }, problem) => log.warn({ reason, problem }, 'event not written'),
    }),
    settings: config.settings,
  };
  const ports: Ports = {
    kube,
    stores,
    log,
    now: Date.now,
    wakeIssuer: work.issuer,
    wakeCertificate: work.certificate,
    wakeRequest: work.request,
    wakeRenewalInfo: work.renewalInfo,
    looks: looks({ signal, log }),
    dns: {
      https,
      proxies: config.proxies,
      session,
      requestToken: tokenRequests(session),
      mayChange: lead.mayWrite,
      ambient: config.dns.ambient,
      view: { ...config.dns.view, https },
    },
    claims: new Map(),
    presenting: new Set(),
    records: new Map(),
    renewals: new Map(),
    hurried: new Set(),
    awaitingMove: new Map(),
    keys: keyMaker(),
    keystores: keystoreMaker(),
    secrets: secretWatches({
      ...watched,
      now: Date.now,
      onChange: (...change) => secretChanged(ports, work, ...change),
    }),
    vaults: vaultSigner({
      mayPost: () => lead.mayWrite() && issuance.mayIssue(),
      proxies: config.proxies,
      requestToken: tokenRequests(session),
    }),
    ...told,
    budgets: budgets({
      mode: config.budgets,
      ports: { kube, stores, log, now: Date.now, wakeIssuer: work.issuer, ...told },
      metrics,
    }),
  };
  metrics.budgets(ports.budgets.samples, ports.now);
  wireTriggers(ports, work);
  wireStamps(stores, work);
  wireTenants(stores, work);
  wireInfra(ports, work);
  metrics.leading(lead.mayWrite);
  // Who issues, Certway or a cert-manager, may change while we run.
  const issuance = startIssuance({ ...watched, config: config.ownership, lease: config.lease, ports, queues: work });
  const watches = startWatches({ ...watched, ...config.watched, stores, onState: metrics.watch });

  // Every replica answers challenges, health and metrics.
  const answers = new LiveAnswers({
    known: { orders: (host) => knownOrders(stores, host) },
    expected: (host) => isExpected(stores, host),
    read: (host) => liveOrders(kube, stores, host),
    onError: (error) => log.warn({ err: error }, 'live read of Orders failed'),
  });
  const lookup = answers.lookup.bind(answers);
  await using servers = await startServers({
    http01: { listen: config.http01Listen, lookup, onAnswer: metrics.challengeAnswer },
    health: { listen: config.healthListen, livez: lead.ails, readyz: watches.notReady },
    metrics: { listen: config.metricsListen, registry: metrics.registry },
  });
  log.info({ ...servers.addresses, server: session.server }, 'listening');

  // Only the leader works: queue(key) → observe → plan → perform.
  await watches.whenReady(signal);
  const led = new AsyncDisposableStack();
  const onLead = () => {
    log.info({ identity: config.lease.identity }, 'leading');
    const signing = signers();
    const judges = { verdict: vaultVerdict, forget: ports.vaults.forget, solverSecrets: dnsSecrets };
    const shimless = besideShims({ ...ports, rival: issuance.rival });
    led.use(keepGrants(ports));
    led.use(acknowledgeDrains(ports, door));
    led.use(ports.budgets);
    led.defer(timeIssuances(ports, metrics));
    metrics.observe(stores);
    work.start({
      issuer: issuance.through((each) => issuerReconciler(each, signing, judges)),
      gateway: listenerReconciler({ ...ports, kube: shimless }, () =>
        issuance.mode === 'issuing' ? 'ours' : 'theirs',
      ),
      certificate: issuance.through((each) => certificateReconciler(each, signing)),
      request: issuance.through((each) => requestReconciler(each, signing)),
      cleanup: orderCleanup(ports),
      renewalInfo: issuance.through(renewalInfoReconciler),
      tenant: tenantReconciler(ports),
      stamp: issuance.through((each) => stampReconciler(each, work.stamp)),
      workers: config.workers,
      log,
      metrics,
    });
    issuance.lead();
  };
  const onLost = (why: string) => end(`lost the lease: ${why}`, 1);
  const onProblem = (problem: unknown) => log.warn({ problem }, 'lease');
  if (!signal.aborted) lead.seek(session, { signal, onLead, onLost, onProblem });

  if (!signal.aborted) await once(signal, 'abort');
  await work[Symbol.asyncDispose]();
  await issuance[Symbol.asyncDispose]();
  await led.disposeAsync();
  await lead.release();
  await ports.accounts[Symbol.asyncDispose]();
  await ports.vaults[Symbol.asyncDispose]();
  await https[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
  return signal.reason;
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
    case 'grant':
      return printGrant(config.value, process);
    case 'status':
      return (await import('./cli/status.ts')).printStatus(config.value, process);
    case 'check':
      return (await import('./cli/check.ts')).printCheck(config.value, process);
    case 'budget':
      return (await import('./cli/budget.ts')).printBudget(config.value, process);
    case 'account':
      return (await import('./cli/account.ts')).runAccount(config.value, process);
    case 'revoke':
      return (await import('./cli/revoke.ts')).runRevoke(config.value, process);
    case 'infra':
      return (await import('./main-infra.ts')).infra(config.value, process.env);
    case 'controller':
      return controller(config.value);
    default:
      return config.value satisfies never;
  }
}

// A kubeconfig that is not there, a port that is taken: a mistake of whoever started it, told in a line.
process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`certway: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
