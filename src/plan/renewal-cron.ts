// When a cron expression next comes true in a time zone. Called by renewal.ts for the windows of spec.renewal.
// Written here because a library (croner 11) searches 170 ms for a date that never comes, and reads another dialect (L, W, 7 for Sunday);
// the dialect here is cert-manager's: five fields, names of months and days, steps, and the @ words except @every.

export interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: ReadonlySet<number>;
  readonly monthDays: ReadonlySet<number>;
  readonly weekDays: ReadonlySet<number>;
  /** Where both days are restricted, either is enough; where one is, that one counts. */
  readonly days: 'either' | 'both';
}

const words: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Undefined where it cannot be read. */
export function parseCron(text: string): Cron | undefined {
  const trimmed = text.trim();
  const fields = (words[trimmed] ?? trimmed).split(/\s+/);
  const [minute = '', hour = '', monthDay = '', month = '', weekDay = ''] = fields;
  const minutes = readField(minute, 0, 59);
  const hours = readField(hour, 0, 23);
  const monthDays = readField(monthDay, 1, 31);
  const months = readField(month, 1, 12, monthNames);
  const weekDays = readField(weekDay, 0, 6, dayNames);
  if (fields.length !== 5 || !minutes || !hours || !monthDays || !months || !weekDays) return undefined;
  const isOpen = [monthDay, weekDay].some((field) => field.split(',').some((part) => /^[*?](\/0*1)?$/.test(part)));
  return {
    minutes,
    hours,
    months: new Set(months),
    monthDays: new Set(monthDays),
    weekDays: new Set(weekDays),
    days: isOpen ? 'both' : 'either',
  };
}

/** Ascending; undefined where a part of the field cannot be read. */
function readField(text: string, least: number, most: number, names: readonly string[] = []) {
  const found = new Set<number>();
  const numberOf = (word: string) =>
    /^\d{1,4}$/.test(word) ? Number(word) : least + (names.indexOf(word.toLowerCase()) + 1 || Number.NaN) - 1;
  for (const part of text.split(',')) {
    const [, from = '', to, step = '1'] = /^([*?]|\w+)(?:-(\w+))?(?:\/(\d{1,4}))?$/.exec(part) ?? [];
    const isAll = from === '*' || from === '?';
    const first = isAll ? least : numberOf(from);
    const last = isAll || (to === undefined && part.includes('/')) ? most : numberOf(to ?? from);
    if (!(first >= least && last <= most && first <= last && Number(step) > 0)) return undefined;
    for (let value = first; value <= last; value += Number(step)) found.add(value);
  }
  return [...found].sort((a, b) => a - b);
}

const minute = 60_000;
const day = 86_400_000;
/** Longer than any two leap days are apart: what has not come by then never comes. */
const longestWait = 9 * 366 * day;
/** No clock is set forward by more, nowadays. */
const longestJump = 3 * 3_600_000;

/**
 * The first time after `after` (exclusive) and not after `until`, in ms; undefined where there is none. A wall time that a clock change
 * skips comes as much later as the clock jumps; one that comes twice counts the first time. `zone` must have passed isTimeZone.
 */
export function nextTime(cron: Cron, zone: string, after: number, until: number): number | undefined {
  const clock = wallClock(zone);
  // After a jump, what it has skipped may still be to come.
  const skipped = Math.max(0, clock(after) - clock(after - longestJump));
  const from = after + clock(after) - skipped;
  const last = Math.min(until, after + longestWait) + 2 * day;
  for (let date = Math.floor(from / day) * day; date <= last; date += day) {
    if (!matchesDay(cron, new Date(date))) continue;
    for (const hour of cron.hours) {
      for (const each of cron.minutes) {
        const wall = date + (hour * 60 + each) * minute;
        const at = wall < from ? after : instantOf(clock, wall);
        if (at > after) return at <= until ? at : undefined;
      }
    }
  }
  return undefined;
}

function matchesDay(cron: Cron, date: Date): boolean {
  if (!cron.months.has(date.getUTCMonth() + 1)) return false;
  const [byMonth, byWeek] = [cron.monthDays.has(date.getUTCDate()), cron.weekDays.has(date.getUTCDay())];
  return cron.days === 'both' ? byMonth && byWeek : byMonth || byWeek;
}

/** How far the zone's wall clock is ahead of UTC at an instant, in ms. */
type WallClock = (at: number) => number;

function wallClock(zone: string): WallClock {
  if (zone === 'UTC') return () => 0;
  const format = formatOf(zone);
  return (at) => {
    const parts = format.formatToParts(at).map(({ type, value }) => [type, value]);
    const { year, month, day: date, hour, minute: minutes, second } = Object.fromEntries(parts);
    return Date.parse(`${year}-${month}-${date}T${hour}:${minutes}:${second}Z`) - Math.floor(at / 1000) * 1000;
  };
}

const formats = new Map<string, Intl.DateTimeFormat>();
const mostFormats = 64;

/** Remembered, for one costs a millisecond to make; throws for a zone that is none. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const two = '2-digit';
  const fields = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two } as const;
  const format = new Intl.DateTimeFormat('en-US', { ...fields, timeZone: zone, hourCycle: 'h23' });
  if (formats.size < mostFormats) formats.set(zone, format);
  return format;
}

function instantOf(clock: WallClock, wall: number): number {
  const before = clock(wall - day);
  const at = [before, clock(wall + day)].map((ahead) => wall - ahead).find((each) => each + clock(each) === wall);
  return at ?? wall - before;
}

export function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    // A RangeError is how Intl says that there is no such zone.
    return false;
  }
}
