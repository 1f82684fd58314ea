// deploy/prometheus/alerts.yaml: that Prometheus could load it, that each rule asks for metrics and labels that the controller really exports, and
// that each leads to a heading that is there.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../../src/report/metrics.ts';

const root = join(import.meta.dirname, '../..');
const names = /\b(?:certway|certmanager)_[a-z0-9_]+\b/g;

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string };
}

const file: { readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[] } = parse(
  readFileSync(join(root, 'deploy/prometheus/alerts.yaml'), 'utf8'),
);
const rules = file.groups.flatMap((group) => group.rules);
const cases = rules.map((rule) => [rule.alert, rule] as const);

/** Every series name that the page can have, from its TYPE lines. */
async function exported(): Promise<ReadonlySet<string>> {
  const metrics = createMetrics();
  const none = { list: () => [] };
  metrics.observe({ certificates: none, issuers: none, clusterIssuers: none });
  const types = [...(await metrics.registry.metrics()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  return new Set(
    types.flatMap(([, name = '', type]) =>
      type === 'histogram' ? ['_bucket', '_count', '_sum'].map((suffix) => `${name}${suffix}`) : [name],
    ),
  );
}

/** As GitHub makes an anchor of a heading. */
function anchorsOf(path: string): ReadonlySet<string> {
  const headings = readFileSync(join(root, path), 'utf8').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe('the alert rules', () => {
  it('are groups with a name and rules, each of a name of its own', () => {
    expect(Object.keys(file)).toEqual(['groups']);
    expect(file.groups.map(({ name }) => name)).toEqual([
      'certway-certificates',
      'certway-budgets',
      'certway-controller',
    ]);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    expect(rules.length).toBeGreaterThan(12);
  });

  it.each(cases)('%s asks only for what the controller exports', async (_, { expr }) => {
    const asked = expr.match(names) ?? [];
    expect(asked.length).toBeGreaterThan(0);
    const known = await exported();
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(cases)('%s says how grave it is, what it is, and where to read on', (_, rule) => {
    expect(rule.alert).toMatch(/^Certway[A-Z]\w+$/);
    expect(['critical', 'warning', 'info']).toContain(rule.labels.severity);
    expect(rule.annotations.summary.length).toBeGreaterThan(10);
    expect(rule.annotations.description.length).toBeGreaterThan(20);
    expect(rule.for ?? '1m').toMatch(/^\d+[mh]$/);
    const [path = '', anchor = ''] = rule.annotations.runbook.split('#');
    expect(anchorsOf(path)).toContain(anchor);
  });
});
