// What the parts of a checkpoint's text must be. Called by checkpoint.ts.

import type { KeptHolds } from './holds.ts';

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Until the year 10000: greater numbers are no times, and dates cannot be made of them. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 253_402_300_799_999;
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 4096;
}

export function isIds(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => isText(each));
}

export function isPauses(value: unknown): value is KeptHolds['pauses'] {
  return Array.isArray(value) && value.every((each) => isRecord(each) && isText(each.set) && isText(each.url));
}

export function isCounts(value: unknown): value is Readonly<Record<string, number>> {
  return isRecord(value) && Object.values(value).every((each) => Number.isSafeInteger(each));
}
