// What /metrics says of budgets and of objects: read anew at each scrape, with few labels however large the CA's account is.

import { describe, expect, it } from 'vitest';
import type { Certificate, Issuer } from '../../src/api/certmanager.ts';
import type { CellView } from '../../src/budget/entry.ts';
import type { LimitName } from '../../src/budget/limits.ts';
import { scarcest } from '../../src/report/budget-metrics.ts';
import { createMetrics } from '../../src/report/metrics.ts';

const directory = 'https://ca.example/directory';
const account = 'https://ca.example/acct/1';
const now = Date.parse('2026-11-21T12:00:00Z');

const cell = (limit: LimitName, subject: string, left: number, burst: number): CellView => ({
  limit,
  subject,
  used: burst - left,
  left,
  burst,
  emissionMs: 60_000,
  nextFree: left === 0 ? now + 90_000 : now,
  reservedBy: [],
  spentBy: {},
});
const ofAccount = cell('newOrdersPerAccount', account, 298, 300);
const ofDomain = (index: number, left: number) => cell('certificatesPerDomain', `d${index}.example`, left, 50);

function scraped(change: { cells?: readonly CellView[]; waiting?: readonly { tenant: string; ageMs: number }[] }) {
  const metrics = createMetrics();
  const { cells = [], waiting = [] } = change;
  const waits = waiting.map(({ tenant, ageMs }) => ({ class: 'new' as const, tenant, since: now - ageMs }));
  metrics.budgets(
    () => [
      { directory, cells, kept: [{ pauses: [{ set: 'a.example', url: 'https://ca.example/pause' }] }], waiting: waits },
    ],
    () => now,
  );
  return metrics.registry.metrics();
}

describe('budgets', () => {
  it('tell of each cell what is left, of how much, and when there is more', async () => {
    const text = await scraped({ cells: [ofAccount, ofDomain(1, 0)] });
    const domain = `{directory="${directory}",limit="certificatesPerDomain",subject="d1.example"}`;
    for (const line of [
      `certway_budget_remaining{directory="${directory}",limit="newOrdersPerAccount",subject="${account}"} 298`,
      `certway_budget_remaining${domain} 0`,
      `certway_budget_burst${domain} 50`,
      `certway_budget_next_free_seconds${domain} 90`,
      `certway_budget_held{directory="${directory}",kind="pause"} 1`,
      `certway_budget_held{directory="${directory}",kind="account"} 0`,
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  it('show the accounts, and of 2,000 domains the 20 with the least left', () => {
    const domains = Array.from({ length: 2000 }, (_, index) => ofDomain(index, index % 50));
    const shown = scarcest([...domains, ofAccount]);
    expect(shown).toHaveLength(21);
    expect(shown).toContain(ofAccount);
    expect(shown.filter((cell) => cell !== ofAccount).every(({ left }) => left === 0)).toBe(true);
  });

  it('leave out what no limit is known of', () => {
    expect(scarcest([{ ...ofDomain(1, 1), emissionMs: 0 }])).toEqual([]);
  });

  it('count who waits by tenant, and the tenants beyond the first fifty as one', async () => {
    const waiting = Array.from({ length: 60 }, (_, index) => ({ tenant: `t${index}`, ageMs: 1000 }));
    const text = await scraped({ waiting: [{ tenant: 't3', ageMs: 7_200_000 }, ...waiting] });
    expect(text).toContain('certway_budget_waiting{class="new",tenant="t3"} 2\n');
    expect(text).toContain('certway_budget_waiting{class="new",tenant="(others)"} 10\n');
    expect(text).toContain('certway_budget_oldest_wait_seconds{class="new"} 7200\n');
  });

  it('forget what is gone', async () => {
    const metrics = createMetrics();
    let cells = [ofDomain(1, 3)];
    metrics.budgets(
      () => [{ directory, cells, kept: [], waiting: [] }],
      () => now,
    );
    expect(await metrics.registry.metrics()).toContain('d1.example');
    cells = [];
    expect(await metrics.registry.metrics()).not.toContain('d1.example');
  });

  it('count what was held back and what was refused', async () => {
    const metrics = createMetrics();
    metrics.budgetDenied('certificatesPerDomain');
    metrics.budgetRefused('unknown');
    const text = await metrics.registry.metrics();
    expect(text).toContain('certway_budget_denials_total{limit="certificatesPerDomain"} 1\n');
    expect(text).toContain('certway_budget_refusals_total{limit="unknown"} 1\n');
  });
});

const certificate = (name: string, status?: Certificate['status']): Certificate => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name, namespace: 'shop' },
  spec: { secretName: name, issuerRef: { name: 'le "x"', kind: 'ClusterIssuer' } },
  ...(status !== undefined && { status }),
});
const issuer: Issuer = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'ClusterIssuer',
  metadata: { name: 'le' },
  spec: {},
  status: { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
};

async function page(certificates: readonly Certificate[]): Promise<string> {
  const metrics = createMetrics();
  const listed = <T>(items: readonly T[]) => ({ list: () => items });
  metrics.observe({ certificates: listed(certificates), issuers: listed([]), clusterIssuers: listed([issuer]) });
  return metrics.registry.metrics();
}

describe("cert-manager's metrics", () => {
  it('have its names, labels and values', async () => {
    const status = {
      notBefore: '2026-11-01T00:00:00Z',
      notAfter: '2027-01-30T00:00:00Z',
      conditions: [{ type: 'Ready', status: 'True' as const, lastTransitionTime: '2026-11-01T00:00:00Z' }],
    };
    const text = await page([certificate('web', status), certificate('new')]);
    const labels = (name: string) =>
      `name="${name}",namespace="shop",issuer_name="le \\"x\\"",issuer_kind="ClusterIssuer",issuer_group="cert-manager.io"`;
    const instant = (stem: string) => `certmanager_certificate_${stem}_timestamp_seconds{${labels('web')}}`;
    for (const line of [
      `certmanager_certificate_ready_status{${labels('web')},condition="True"} 1`,
      `certmanager_certificate_ready_status{${labels('web')},condition="False"} 0`,
      `certmanager_certificate_ready_status{${labels('new')},condition="Unknown"} 1`,
      `${instant('expiration')} ${Date.parse(status.notAfter) / 1000}`,
      `${instant('not_before')} ${Date.parse(status.notBefore) / 1000}`,
      `${instant('renewal')} 0`,
      'certmanager_clusterissuer_ready_status{name="le",condition="False"} 1',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  it('are each one family, however many pieces it is written in', async () => {
    const text = await page(Array.from({ length: 1203 }, (_, index) => certificate(`c${index}`)));
    const families = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    expect(new Set(families).size).toBe(families.length);
    const lines = text.split('\n').filter((line) => line.startsWith('certmanager_certificate_renewal_'));
    expect(lines).toHaveLength(1203);
    expect(text).toMatch(/^[^\n]*\n(?:[^\n]*\n)*$/);
  });

  it('are not there for those that stand by', async () => {
    expect(await createMetrics().registry.metrics()).not.toContain('certmanager_certificate_ready_status');
  });
});
