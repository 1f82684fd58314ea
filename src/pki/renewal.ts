// Durations as Kubernetes users write them, and the moment at which a certificate is to be renewed. Called by plan/ and by checks of specs.

const unitMs: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** Annotations may have 256 KiB; no duration needs more than this. */
const longestText = 64;

// Go keeps a duration in 64 bits of nanoseconds, about 292 years.
const longest = 9_223_372_036_854;

/** "2160h30m" → ms, as Go's time.ParseDuration reads it; undefined for anything else. Parts of a millisecond are kept. */
export function parseGoDuration(text: string): number | undefined {
  if (text.length > longestText) return undefined;
  const [, sign = '', body = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (body === '0') return 0;
  if (!/^((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0;
  for (const [, number = '', unit = ''] of body.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(number) * (unitMs.get(unit) ?? 0);
  }
  return total > longest ? undefined : sign === '-' ? -total : total;
}

/** ms → "2160h0m0s", as Go prints it; whole milliseconds. */
export function formatGoDuration(ms: number): string {
  const rest = Math.abs(Math.round(ms));
  const sign = ms < 0 ? '-' : '';
  if (rest === 0) return '0s';
  if (rest < 1000) return `${sign}${rest}ms`;
  const [hours, minutes, seconds] = [
    Math.floor(rest / 3_600_000),
    Math.floor(rest / 60_000) % 60,
    (rest % 60_000) / 1000,
  ];
  return `${sign}${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}

export interface RenewalTerms {
  /** Of the certificate as issued, ms. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Go duration, as in spec. */
  readonly renewBefore?: string | undefined;
  readonly renewBeforePercentage?: number | undefined;
}

export interface RenewalMoment {
  /** Ms, cut to the second. */
  readonly at: number;
  readonly why: 'renewBefore' | 'percentage' | 'twoThirds';
}

/**
 * cert-manager's rule: renewBefore where it is shorter than the life of the certificate, else the percentage of that life, else its last
 * third. The last third is the rule for short lives too, of which Let's Encrypt would renew the last half: its renewal information says so
 * where it is asked, and everywhere else a dashboard expects what cert-manager shows.
 */
export function renewalMoment(terms: RenewalTerms): RenewalMoment {
  const life = terms.notAfter - terms.notBefore;
  const asked = terms.renewBefore === undefined ? undefined : parseGoDuration(terms.renewBefore);
  const share = terms.renewBeforePercentage;
  const ahead = (before: number, why: RenewalMoment['why']) => ({
    at: Math.floor((terms.notAfter - before) / 1000) * 1000,
    why,
  });
  if (asked !== undefined && asked > 0 && asked < life) return ahead(asked, 'renewBefore');
  if (share !== undefined && share > 0 && share < 100) return ahead((life * share) / 100, 'percentage');
  return ahead(life / 3, 'twoThirds');
}

export function renewalTime(terms: RenewalTerms): number {
  return renewalMoment(terms).at;
}
