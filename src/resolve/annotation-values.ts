// Reads single annotation values: lists, records, durations, numbers, switches. Each answers undefined for what it does not accept.
// Called by the rows of annotation-table.ts only.

import { isIP } from 'node:net';
import { checkNames } from '../pki/names.ts';
import { parseGoDuration } from '../pki/renewal.ts';

export function readList(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Go's strconv.ParseBool. */
export function readSwitch(value: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value)) return true;
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value) ? false : undefined;
}

export function readInteger(value: string, least: number, most: number): number | undefined {
  const number = /^[+-]?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  return number >= least && number <= most ? number : undefined;
}

/** A Go duration, in ms, not below `least` ms. */
export function readDuration(value: string, least: number): number | undefined {
  const duration = parseGoDuration(value);
  return duration !== undefined && duration >= least ? duration : undefined;
}

export function readOneOf<const T extends string>(value: string, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value);
}

/** A list of names of one sort, each of which a certificate can carry; an address in angle brackets has a display name before it. */
export function readNames(
  value: string,
  sort: 'dnsNames' | 'ipAddresses' | 'emailAddresses' | 'uris',
): readonly string[] | undefined {
  const items = readList(value);
  if (sort === 'emailAddresses' && items.some((item) => /[<>]/.test(item))) return undefined;
  const none = { dnsNames: [], ipAddresses: [], emailAddresses: [], uris: [] };
  // An address among the DNS names is sorted out later, IPv6 as well as IPv4.
  const names = sort === 'dnsNames' ? items.filter((item) => isIP(item) === 0) : items;
  return checkNames({ ...none, [sort]: names }).ok ? items : undefined;
}

/** One CSV record (RFC 4180); undefined where it is empty, has several lines, or its quotes do not match. */
export function readRecord(value: string): readonly string[] | undefined {
  const text = value.replace(/\r?\n$/, '');
  if (text === '') return undefined;
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|$)/y;
  const fields: string[] = [];
  for (let more = true; more; ) {
    const [, enclosed, plain, separator] = field.exec(text) ?? [];
    if (separator === undefined || /[\r\n]/.test(enclosed ?? '')) return undefined;
    fields.push(enclosed?.replaceAll('""', '"') ?? plain ?? '');
    more = separator === ',';
  }
  return field.lastIndex === text.length ? fields : undefined;
}
