// Logs and metrics: what they say, and what they keep to themselves.

import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { keyToPem } from '../../src/pki/keys.ts';
import { about, openLogger } from '../../src/report/logger.ts';
import { createMetrics, resourceOf } from '../../src/report/metrics.ts';
import { Sealed } from '../../src/report/sealed.ts';
import { keyFor } from '../pki/fixtures.ts';

function logger(level = 'info') {
  const lines: string[] = [];
  return { lines, log: openLogger({ level, to: { write: (line) => void lines.push(line) } }) };
}

describe('a log line', () => {
  test('is JSON with time, level, message and the object it is about', () => {
    const { lines, log } = logger();
    about(log, { kind: 'Certificate', namespace: 'team-a', name: 'web' }).info({ attempt: 2 }, 'issued');
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      kind: 'Certificate',
      namespace: 'team-a',
      name: 'web',
      attempt: 2,
      msg: 'issued',
    });
  });

  test('below the level is not written', () => {
    const { lines, log } = logger('warn');
    log.info('quiet');
    expect(lines).toEqual([]);
  });

  test.each(['err', 'error'])('tells an error under %s with its cause', (field) => {
    const { lines, log } = logger();
    log.error({ [field]: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    expect(lines[0]).toContain('outer');
    expect(lines[0]).toContain('inner');
  });

  test('never contains a private key, however it got there', async () => {
    const key = await keyFor({ algorithm: 'ECDSA' });
    const pem = keyToPem(key, 'PKCS8');
    const body = pem.split('\n')[1] ?? '';
    const { lines, log } = logger();
    log.info({ key, sealed: new Sealed(pem), pem }, 'fields');
    log.info({ secret: { data: { 'tls.key': Buffer.from(pem).toString('base64') } } }, 'a Secret');
    log.info(
      { deep: { deeper: { deepest: [pem] } }, other: Buffer.from(pem).toString('base64') },
      `in the text: ${pem}`,
    );
    log.error({ err: new Error(`cannot parse ${pem.slice(0, 90)}`) }, 'in an error');
    expect(lines).toHaveLength(4);
    for (const line of lines) {
      expect(() => JSON.parse(line)).not.toThrow();
      expect(line).toContain('[secret]');
      expect(line).not.toContain(body.slice(0, 20));
      expect(line).not.toContain(Buffer.from(pem).toString('base64').slice(20, 60));
    }
  });
});

test('what is sealed prints nothing, and opens', () => {
  const sealed = new Sealed('hunter2');
  expect(`${sealed} ${inspect({ sealed }, { showHidden: true })} ${JSON.stringify({ sealed })}`).not.toContain(
    'hunter2',
  );
  expect(sealed.open()).toBe('hunter2');
});

describe('metrics', () => {
  test.each([
    ['/api/v1/namespaces/team-a/secrets/web', 'secrets'],
    ['/api/v1/namespaces/team-a', 'namespaces'],
    ['/api/v1/namespaces', 'namespaces'],
    ['/apis/cert-manager.io/v1/certificates?watch=1', 'certificates'],
    ['/apis/cert-manager.io/v1/namespaces/a/certificates/b/status', 'certificates/status'],
    ['/apis', 'other'],
    ['/version', 'other'],
  ])('count %s as %s', (path, resource) => {
    expect(resourceOf(path)).toBe(resource);
  });

  test('hold what happened, in a registry of their own', async () => {
    const metrics = createMetrics();
    let depth = 3;
    metrics.queueDepth('certificate', () => depth);
    metrics.kubeRequest({ method: 'PUT', path: '/api/v1/namespaces/a/secrets/b', status: 409 });
    metrics.acmeRequest({ action: 'newOrder', status: 201, ms: 30 });
    metrics.reconcile({ controller: 'certificate', outcome: 'settled', ms: 2 });
    metrics.watch('Gateway', 'watching');
    depth = 5;
    const text = await metrics.registry.metrics();
    for (const line of [
      'certway_queue_depth{queue="certificate"} 5',
      'certway_kube_requests_total{method="PUT",resource="secrets",status="409"} 1',
      'certmanager_http_acme_client_request_count{action="newOrder",status="201"} 1',
      'certway_reconcile_duration_seconds_count{controller="certificate",outcome="settled"} 1',
      'certway_watch_state{kind="Gateway",state="watching"} 1',
      'certway_watch_state{kind="Gateway",state="failing"} 0',
      'process_cpu_seconds_total',
    ]) {
      expect(text).toContain(line);
    }
    expect(await createMetrics().registry.metrics()).not.toContain('newOrder');
  });
});
