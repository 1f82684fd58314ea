// A year of 20,000 certificates against the limits of Let's Encrypt: no limit is broken and no certificate expires, whatever happens to the CA
// and whoever is greedy. Two things that no client can do are left out: two domains have more names than 50 a week (they have overrides, as Let's
// Encrypt grants them), and certificates of 160 hours come after the outage of a week, which is longer than their life.

import { expect, test } from 'vitest';
import { knownLimits, per } from '../../src/budget/limits.ts';
import { born, day, dice, hour, seed } from './dice.ts';
import type { Profile, Site } from './site.ts';
import { StrictCa } from './strict-ca.ts';
import { Year } from './year.ts';

const known = knownLimits('https://acme-v02.api.letsencrypt.org/directory');
const week = 7 * day;

function caOf(): StrictCa {
  const ca = new StrictCa({
    orders: { burst: 300, period: 3 * hour },
    domain: { burst: 50, period: week },
    set: { burst: 5, period: week },
    failures: { burst: 5, period: hour },
  });
  for (const domain of ['greedy.test', 'platform.test']) ca.overrides.set(domain, { burst: 5000, period: week });
  return ca;
}

function site(name: string, tenant: string, profile: Profile, identifiers: readonly string[]): Site {
  return { name, tenant, profile, identifiers, isRecalled: false, failures: 0, deadUntil: 0, plan: 0 };
}

test(`a year of 20,000 certificates (seed ${seed})`, { timeout: 300_000 }, () => {
  const roll = dice(seed);
  const others = Array.from({ length: 17_000 }, (_, at) => {
    const profile: Profile = at % 60 === 0 ? 'shortlived' : at % 10 === 1 ? 'tlsserver' : 'classic';
    // A third of the installation is there when Certway starts; the rest comes over two months, the short-lived ones after the long outage.
    const when =
      profile === 'shortlived'
        ? born + 150 * day + roll.next() * 5 * day
        : at % 3 === 0
          ? born
          : born + roll.next() * 60 * day;
    const domain = at % 8 === 0 ? 'platform.test' : `d${at % 2400}.test`;
    const identifiers = at % 5 === 0 ? [`w${at}.${domain}`, `www.w${at}.${domain}`] : [`w${at}.${domain}`];
    return { at: when, site: site(`site-${at}`, `team-${at % 100}`, profile, identifiers) };
  });
  const greedy = Array.from({ length: 3000 }, (_, at) => {
    return { at: born + 30 * day, site: site(`greedy-${at}`, 'greedy', 'classic', [`g${at}.greedy.test`]) };
  });
  const ca = caOf();
  const year = new Year({
    ca,
    dice: roll,
    limits: {
      ...known,
      overrides: ['greedy.test', 'platform.test'].map((subject) => ({
        limit: 'certificatesPerDomain',
        subject,
        rate: per(5000, week),
      })),
    },
    sites: [...others, ...greedy],
    days: 365,
    outages: [
      [born + 100 * day, born + 107 * day],
      [born + 260 * day, born + 261 * day],
    ],
    events: [
      // The CA recalls a quarter of all at once.
      { at: born + 180 * day, run: (all, now) => recall(all, now, 5000) },
      // Another name on each of a team's certificates.
      { at: born + 300 * day, run: (all, now) => extend(all, now, 'team-7') },
      // Customers break their DNS, for some days at most.
      ...Array.from({ length: 300 }, () => {
        return {
          at: born + roll.next() * 360 * day,
          run: (all: Year, now: number) => breakOne(all, now, roll.pick(all.sites), roll.next()),
        };
      }),
    ],
  }).run();
  tell(year, ca);
  expect(year.refused).toEqual([]);
  expect(year.expired).toEqual([]);
  expect(year.stranded()).toEqual([]);
  expect(Math.max(...ca.fullest.values())).toBeLessThanOrEqual(1 + 1e-9);
  // Greed costs the greedy, and nobody else.
  expect(year.longestWait.get('new of the greedy')).toBeGreaterThan(24 * hour);
  expect(year.longestWait.get('new of others beside the greedy')).toBeLessThan(2 * hour);
});

function recall(year: Year, now: number, count: number): void {
  for (const each of year.sites.slice(0, count)) {
    each.isRecalled = true;
    year.again(each, now);
  }
}

function extend(year: Year, now: number, tenant: string): void {
  for (const each of year.sites.filter((one) => one.tenant === tenant)) {
    each.identifiers = [...each.identifiers, `also.${each.identifiers[0] ?? ''}`];
    each.plan += 1;
    year.want(each, now);
  }
}

function breakOne(_: Year, now: number, each: Site, share: number): void {
  each.deadUntil = now + share * (each.profile === 'shortlived' ? 12 * hour : 4 * day);
}

function tell(year: Year, ca: StrictCa): void {
  const margins = [...year.margins].map(([profile, { part, hours, site: name }]) => {
    return `${profile} ${(part * 100).toFixed(1)} % of its life (${hours.toFixed(1)} h, ${name})`;
  });
  const waits = [...year.longestWait].map(([kind, wait]) => `${kind} ${(wait / hour).toFixed(1)} h`);
  const full = [...ca.fullest].map(([fragment, each]) => `${fragment} ${(each * 100).toFixed(1)} %`);
  console.log(
    [
      `seed ${seed}: ${year.issued} certificates were issued, at most ${year.most} waited at once`,
      `least left at a renewal: ${margins.join(', ')}`,
      `longest waits: ${waits.join(', ')}`,
      `fullest cells: ${full.join(', ')}`,
    ].join('\n'),
  );
}
