// The process's metrics, in a registry of their own. Made by main.ts, served by serve/metrics.ts, fed by kube, acme, queue and apply.
// Labels are closed lists or kinds: never a hostname, a namespace or an object's name, except where cert-manager's own metrics have them, and of
// budgets for the few that are scarcest. Names are cert-manager's where it has one.

import { setImmediate as turn } from 'node:timers/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type BudgetMetrics, budgetMetrics } from './budget-metrics.ts';
import { type ObservedObjects, objectText } from './object-metrics.ts';

export const watchStates = ['listing', 'watching', 'absent', 'forbidden', 'failing'] as const;
export type WatchState = (typeof watchStates)[number];

/** What /metrics answers. */
export interface MetricsPage {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** `issuer` is the type that signs: acme, ca, selfSigned, vault, external. */
export interface Issued {
  readonly issuer: string;
  readonly outcome: 'issued' | 'failed';
  /** From the CertificateRequest on. */
  readonly seconds: number;
}

export interface Metrics extends BudgetMetrics {
  readonly registry: MetricsPage;
  /** One attempt at the API server; `path` is reduced to its resource, `status` is 0 where no answer came. */
  kubeRequest(request: { readonly method: string; readonly path: string; readonly status: number }): void;
  /** `status` is 0 where no answer came. */
  acmeRequest(request: { readonly action: string; readonly status: number; readonly ms: number }): void;
  queueDepth(queue: string, read: () => number): void;
  reconcile(run: { readonly controller: string; readonly outcome: string; readonly ms: number }): void;
  watch(kind: string, state: WatchState): void;
  challengeAnswer(status: 200 | 404): void;
  /** Whose readiness and times each scrape tells; called by the one replica that leads. */
  observe(objects: ObservedObjects): void;
  leading(read: () => boolean): void;
  issued(issued: Issued): void;
  /** From the creation of a Certificate to its first Secret. */
  firstSecret(first: { readonly issuer: string; readonly seconds: number }): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const recorders = counters(registry);
  const { depths, watches } = gauges(registry);
  let objects: ObservedObjects | undefined;
  return {
    registry: { contentType: registry.contentType, metrics: () => page(registry, objects) },
    ...recorders,
    ...issuances(registry),
    ...budgetMetrics(registry),
    observe: (observed) => {
      objects = observed;
    },
    leading: leadingGauge(registry),
    queueDepth: (queue, read) => depths.set(queue, read),
    watch(kind, state) {
      for (const each of watchStates) watches.set({ kind, state: each }, each === state ? 1 : 0);
    },
  };
}

/** Large, where there are many Certificates: the loop gets a turn between the pieces. */
async function page(registry: Registry, objects: ObservedObjects | undefined): Promise<string> {
  const pieces = [await registry.metrics()];
  for (const piece of objects === undefined ? [] : objectText(objects)) {
    pieces.push(piece);
    await turn();
  }
  return pieces.join('');
}

function counters(registry: Registry) {
  const registers = [registry];
  const requests = new Counter({
    name: 'certway_kube_requests_total',
    help: 'Requests to the API server, failed ones included; status 0 is no answer.',
    labelNames: ['method', 'resource', 'status'],
    registers,
  });
  const answers = new Counter({
    name: 'certway_http01_answers_total',
    help: 'HTTP-01 challenge requests, by the status of the answer.',
    labelNames: ['status'],
    registers,
  });
  const reconciles = new Histogram({
    name: 'certway_reconcile_duration_seconds',
    help: 'Time of one reconcile of one object.',
    labelNames: ['controller', 'outcome'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2, 10],
    registers,
  });
  const acme = acmeCounters(registry);
  return {
    kubeRequest: ({ method, path, status }) => requests.inc({ method, resource: resourceOf(path), status }),
    challengeAnswer: (status) => answers.inc({ status }),
    reconcile: ({ controller, outcome, ms }) => reconciles.observe({ controller, outcome }, ms / 1000),
    acmeRequest({ action, status, ms }) {
      acme.requests.inc({ action, status });
      acme.durations.observe({ action, status }, ms / 1000);
    },
  } satisfies Partial<Metrics>;
}

/** "/apis/g/v1/namespaces/team-a/things/x/status" → "things/status": never a name, since names are without number. */
export function resourceOf(path: string): string {
  const parts = path.split('?', 1)[0]?.split('/').slice(1) ?? [];
  const below = parts[0] === 'api' ? parts.slice(2) : parts[0] === 'apis' ? parts.slice(3) : [];
  const [resource, , subresource] = below[0] === 'namespaces' && below.length > 2 ? below.slice(2) : below;
  if (resource === undefined || resource === '') return 'other';
  return subresource === undefined ? resource : `${resource}/${subresource}`;
}

function acmeCounters(registry: Registry) {
  const registers = [registry];
  const labelNames = ['action', 'status'] as const;
  const requests = new Counter({
    name: 'certmanager_http_acme_client_request_count',
    help: 'Requests to ACME servers.',
    labelNames,
    registers,
  });
  const durations = new Histogram({
    name: 'certmanager_http_acme_client_request_duration_seconds',
    help: 'Time from an ACME request to its answer.',
    labelNames,
    buckets: [0.01, 0.05, 0.2, 1, 5, 30],
    registers,
  });
  return { requests, durations };
}

const issuanceBuckets = [1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];

function issuances(registry: Registry): Pick<Metrics, 'issued' | 'firstSecret'> {
  const registers = [registry];
  const issuance = new Histogram({
    name: 'certway_issuance_seconds',
    help: 'Time from a CertificateRequest to its certificate, or to its failure.',
    labelNames: ['issuer', 'outcome'],
    buckets: issuanceBuckets,
    registers,
  });
  const first = new Histogram({
    name: 'certway_time_to_secret_seconds',
    help: 'Time from the creation of a Certificate to its first Secret.',
    labelNames: ['issuer'],
    buckets: issuanceBuckets,
    registers,
  });
  return {
    issued: ({ issuer, outcome, seconds }) => issuance.observe({ issuer, outcome }, seconds),
    firstSecret: ({ issuer, seconds }) => first.observe({ issuer }, seconds),
  };
}

function leadingGauge(registry: Registry): Metrics['leading'] {
  let read = () => false;
  new Gauge({
    name: 'certway_leading',
    help: '1 for the replica that works, 0 for those that stand by.',
    registers: [registry],
    collect() {
      this.set(read() ? 1 : 0);
    },
  });
  return (source) => {
    read = source;
  };
}

function gauges(registry: Registry) {
  const depths = new Map<string, () => number>();
  new Gauge({
    name: 'certway_queue_depth',
    help: 'Keys that wait for a reconcile.',
    labelNames: ['queue'],
    registers: [registry],
    collect() {
      for (const [queue, read] of depths) this.set({ queue }, read());
    },
  });
  const watches = new Gauge({
    name: 'certway_watch_state',
    help: '1 for the state that the watch of a kind is in.',
    labelNames: ['kind', 'state'],
    registers: [registry],
  });
  return { depths, watches };
}
