// A container's readiness as a kubelet asks for it: HTTP or TCP from the node, often until the first success and then at the probe's own
// period. Called by pod.ts.

import { get } from 'node:http';
import { connect } from 'node:net';
import type { Container, HttpGet } from './objects.ts';

const patienceMs = 1_000;
const eagerMs = 150;
const defaultSeconds = 10;

/** Tells each change of the container's readiness until the signal aborts; one without a probe is ready at once. */
export async function watchReadiness(
  address: string,
  container: Container,
  signal: AbortSignal,
  tell: (ready: boolean) => void,
): Promise<void> {
  const { readinessProbe: probe } = container;
  if (probe === undefined) {
    tell(true);
    return;
  }
  let before: boolean | undefined;
  while (!signal.aborted) {
    const ready = await answers(address, container);
    if (ready !== before && !signal.aborted) tell(ready);
    before = ready;
    await pause(ready ? (probe.periodSeconds ?? defaultSeconds) * 1000 : eagerMs, signal);
  }
}

async function answers(address: string, container: Container): Promise<boolean> {
  const { httpGet, tcpSocket } = container.readinessProbe ?? {};
  if (httpGet !== undefined) return asks(address, container, httpGet, patienceMs);
  return tcpSocket === undefined || accepts(address, portOf(container, tcpSocket.port));
}

/** Whether GET is answered with 2xx or 3xx in time; probes and preStop hooks ask so. */
export function asks(
  address: string,
  container: Container,
  { path = '/', port }: HttpGet,
  ms: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const url = { host: address, port: portOf(container, port), path, agent: false, signal: AbortSignal.timeout(ms) };
    get(url, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 400);
    }).on('error', () => resolve(false));
  });
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: patienceMs });
    const end = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.on('connect', end(true)).on('error', end(false)).on('timeout', end(false));
  });
}

/** A port by its number or its name in the container. */
function portOf({ ports = [] }: Container, port: number | string): number {
  return typeof port === 'number' ? port : (ports.find(({ name }) => name === port)?.containerPort ?? 0);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
