// What a user writes about a CA's limits, in the ConfigMap certway.dev/limits or in an issuer's annotation, and how it changes those that are
// known. Called by apply/; every mistake is told at once.

import type { Reply } from '../api/reply.ts';
import type { Limit } from './cell.ts';
import { type LimitName, type Limits, limitNames, type Override, per } from './limits.ts';

/** As written: null takes a limit away that would be known otherwise. */
export interface WrittenLimits {
  /** Whose limits these are, where one text serves one CA. */
  readonly directory?: string;
  readonly limits: Readonly<Partial<Record<LimitName, Limit | null>>>;
  readonly overrides: readonly Override[];
}

const longestText = 100_000;

/**
 * Reads JSON, or YAML with the reader that is passed: `limits: {certificatesPerDomain: {count: 500, period: 7d}}` and
 * `overrides: [{limit: certificatesPerDomain, subject: example.com, count: 2000, period: 7d}]`; `none` instead of a rate removes a limit,
 * `burst` is the count unless it is written.
 */
export function parseLimits(
  text: string,
  readYaml: (text: string) => unknown = JSON.parse,
): Reply<WrittenLimits, readonly string[]> {
  if (text.length > longestText)
    return refuse([`The limits are ${text.length} characters long; at most ${longestText} are read.`]);
  const document = decode(text, readYaml);
  if (!document.ok) return refuse([document.problem]);
  if (!isRecord(document.value)) {
    return refuse(['The limits must be an object with "limits", "overrides" or both.']);
  }
  return readDocument(document.value);
}

/** The known limits with what the user wrote on top: a limit replaces its namesake, an override goes before all earlier ones. */
export function mergeLimits(known: Limits, written: WrittenLimits): Limits {
  const names = limitNames.flatMap((name) => {
    const own = written.limits[name];
    const rate = own === undefined ? known.limits[name] : (own ?? undefined);
    return rate === undefined ? [] : [[name, rate] as const];
  });
  return { limits: Object.fromEntries(names), overrides: [...known.overrides, ...written.overrides] };
}

function readDocument(document: Readonly<Record<string, unknown>>): Reply<WrittenLimits, readonly string[]> {
  const problems = [...unknownKeys('', document, ['directory', 'limits', 'overrides'])];
  const note = (sentence: string) => void problems.push(sentence);
  const { directory, limits = {}, overrides = [] } = document;
  if (directory !== undefined && !(typeof directory === 'string' && URL.canParse(directory))) {
    note('directory must be the URL of an ACME directory.');
  }
  if (!isRecord(limits)) note('limits must be an object of limits by name.');
  if (!Array.isArray(overrides)) note('overrides must be a list.');
  const read = {
    ...(typeof directory === 'string' && { directory }),
    limits: isRecord(limits) ? readRates(limits, note) : {},
    overrides: (Array.isArray(overrides) ? overrides : []).flatMap((each, at) => readOverride(each, at, note)),
  };
  return problems.length > 0 ? refuse(problems) : { ok: true, value: read };
}

type Note = (sentence: string) => void;

function readRates(written: Readonly<Record<string, unknown>>, note: Note): WrittenLimits['limits'] {
  const read: Partial<Record<LimitName, Limit | null>> = {};
  for (const [key, value] of Object.entries(written)) {
    const name = limitNames.find((each) => each === key);
    if (name === undefined) note(`limits.${brief(key)} is not known; known are ${limitNames.join(', ')}.`);
    else if (value === 'none' || value === null) read[name] = null;
    else if (!isRecord(value)) note(`limits.${name} must be {count, period}, or "none".`);
    else {
      const rate = readRate(`limits.${name}`, value, [], note);
      if (rate !== undefined) read[name] = rate;
    }
  }
  return read;
}

function readOverride(written: unknown, at: number, note: Note): readonly Override[] {
  const where = `overrides[${at}]`;
  if (!isRecord(written)) {
    note(`${where} must be {limit, subject, count, period}.`);
    return [];
  }
  const { subject } = written;
  const limit = limitNames.find((each) => each === written.limit);
  if (limit === undefined) note(`${where}.limit must be one of ${limitNames.join(', ')}.`);
  const isNamed = typeof subject === 'string' && /^\S{1,2000}$/.test(subject);
  if (!isNamed) note(`${where}.subject must be a registered domain such as example.com, or the URL of an account.`);
  const rate = readRate(where, written, ['limit', 'subject'], note);
  if (limit === undefined || !isNamed || rate === undefined) return [];
  return [{ limit, subject: subject.includes('/') ? subject : subject.toLowerCase(), rate }];
}

function readRate(
  where: string,
  written: Readonly<Record<string, unknown>>,
  others: readonly string[],
  note: Note,
): Limit | undefined {
  for (const sentence of unknownKeys(`${where}.`, written, [...others, 'count', 'period', 'burst'])) note(sentence);
  const count = readCount(written.count);
  const period = readPeriod(written.period);
  const burst = written.burst === undefined ? count : readCount(written.burst);
  if (count === undefined) note(`${where}.count must be a whole number from 1 to 10000000.`);
  if (burst === undefined && count !== undefined) note(`${where}.burst must be a whole number from 1 to 10000000.`);
  if (period === undefined) note(`${where}.period must be a time from 1s to 366d, such as 90s, 3h or 7d.`);
  return count === undefined || burst === undefined || period === undefined
    ? undefined
    : { burst, emissionMs: per(count, period).emissionMs };
}

function readCount(value: unknown): number | undefined {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  const count = /^\d{1,8}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 10_000_000 ? count : undefined;
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Ms of `7d` or `1h30m`. */
function readPeriod(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^(\d{1,9}[smhdw]){1,5}$/.test(value)) return undefined;
  const parts = [...value.matchAll(/(\d+)([smhdw])/g)].map(
    ([, digits = '', unit = '']) => Number(digits) * (units[unit] ?? 0),
  );
  const period = parts.reduce((sum, each) => sum + each, 0);
  return period >= 1000 && period <= 366 * 86_400_000 ? period : undefined;
}

function unknownKeys(
  where: string,
  written: Readonly<Record<string, unknown>>,
  known: readonly string[],
): readonly string[] {
  return Object.keys(written)
    .filter((key) => !known.includes(key))
    .map((key) => `${where}${brief(key)} is not known; known are ${known.join(', ')}.`);
}

function decode(text: string, readYaml: (text: string) => unknown): Reply<unknown, string> {
  try {
    return { ok: true, value: readYaml(text) };
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : '';
    return { ok: false, problem: `The limits cannot be read: ${brief(why)}.` };
  }
}

function refuse(problem: readonly string[]): { readonly ok: false; readonly problem: readonly string[] } {
  return { ok: false, problem };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function brief(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').slice(0, 80);
}
