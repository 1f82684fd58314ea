// Every annotation of a Gateway or ListenerSet that shapes its Certificates, one row each: how it reads, what is accepted, and the unit
// in which ListenerSets may inherit it. Keys and formats are cert-manager's. Called by annotations.ts.

import { annotations } from '../api/names.ts';
import { unknownUsage } from '../pki/usages.ts';
import { keys } from './annotation-keys.ts';
import {
  readDuration,
  readInteger,
  readList,
  readNames,
  readOneOf,
  readRecord,
  readSwitch,
} from './annotation-values.ts';
import { readSecretTemplate } from './secret-template.ts';
import type { Shape } from './shape.ts';

export interface AnnotationRow {
  readonly key: string;
  readonly accepts: string;
  /** The shape that a value gives; undefined for a value that is not accepted. */
  readonly read: (value: string) => Shape | undefined;
  /** Inheritable; of one unit a ListenerSet takes nothing as soon as it sets one itself, so that no mixture arises that nobody asked for. */
  readonly unit?: string;
  readonly only?: 'ListenerSet';
}

const maxInt32 = 2 ** 31 - 1;
const [minute, hour] = [60_000, 3_600_000];
const aSwitch = '"true" or "false"';

type SubjectList = Exclude<keyof NonNullable<Shape['subject']>, 'serialNumber'>;

/** Maps what was read, if it was accepted. */
function to<T>(value: T | undefined, shape: (value: T) => Shape): Shape | undefined {
  return value === undefined ? undefined : shape(value);
}

function namesRow(key: string, what: string, read: (value: string) => Shape | undefined): AnnotationRow {
  return { key, accepts: `a list of ${what}, separated by commas`, read };
}

function subjectRow(word: string, field: SubjectList): AnnotationRow {
  const key = `${keys.subjectPrefix}${word}`;
  return {
    key,
    accepts: 'one line of comma-separated values, with double quotes around a value that has a comma',
    unit: key,
    read: (value) => to(readRecord(value), (items) => ({ subject: { [field]: items } })),
  };
}

function switchRow(key: string, on: Shape, more: Pick<AnnotationRow, 'unit' | 'only'> = {}): AnnotationRow {
  return { key, accepts: aSwitch, read: (value) => to(readSwitch(value), (wanted) => (wanted ? on : {})), ...more };
}

function row(key: string, unit: string, accepts: string, read: AnnotationRow['read']): AnnotationRow {
  return { key, unit, accepts, read };
}

const nameRows: readonly AnnotationRow[] = [
  {
    key: annotations.commonName,
    accepts: 'at most 64 bytes without control characters',
    read: (value) => {
      if (value === '') return {};
      return Buffer.byteLength(value) <= 64 && !/\p{Cc}/u.test(value) ? { commonName: value } : undefined;
    },
  },
  namesRow(annotations.altNames, 'DNS names', (v) => to(readNames(v, 'dnsNames'), (altNames) => ({ altNames }))),
  namesRow(annotations.ipSans, 'IP addresses', (v) => to(readNames(v, 'ipAddresses'), (ipSans) => ({ ipSans }))),
  namesRow(annotations.uriSans, 'URIs', (v) => to(readNames(v, 'uris'), (uriSans) => ({ uriSans }))),
  namesRow(keys.emailSans, 'e-mail addresses without display names', (v) =>
    to(readNames(v, 'emailAddresses'), (emailSans) => ({ emailSans })),
  ),
];

const subjectRows: readonly AnnotationRow[] = [
  subjectRow('organizations', 'organizations'),
  subjectRow('organizationalunits', 'organizationalUnits'),
  subjectRow('countries', 'countries'),
  subjectRow('provinces', 'provinces'),
  subjectRow('localities', 'localities'),
  subjectRow('postalcodes', 'postalCodes'),
  subjectRow('streetaddresses', 'streetAddresses'),
  row(`${keys.subjectPrefix}serialnumber`, 'serialnumber', 'any text', (serialNumber) =>
    serialNumber === '' ? {} : { subject: { serialNumber } },
  ),
];

const lifeRows: readonly AnnotationRow[] = [
  row(keys.duration, 'life', 'a Go duration of at least 1h, such as 2160h', (value) =>
    to(readDuration(value, hour), (duration) => ({ duration })),
  ),
  row(keys.renewBefore, 'life', 'a Go duration of at least 5m, such as 720h', (value) =>
    to(readDuration(value, 5 * minute), (renewBefore) => ({ renewBefore })),
  ),
  row(keys.renewBeforePercentage, 'life', 'a whole number from 1 to 99', (value) =>
    to(readInteger(value, 1, 99), (renewBeforePercentage) => ({ renewBeforePercentage })),
  ),
  row(keys.revisionHistoryLimit, 'history', 'a whole number of at least 1', (value) =>
    to(readInteger(value, 1, maxInt32), (revisionHistoryLimit) => ({ revisionHistoryLimit })),
  ),
];

const keyRows: readonly AnnotationRow[] = [
  row(keys.usages, 'usages', 'a list of key usages such as "digital signature,server auth"', (value) => {
    const usages = value.split(',').map((usage) => usage.trim());
    return unknownUsage(usages) === undefined ? { usages } : undefined;
  }),
  row(keys.keyAlgorithm, 'key', 'RSA, ECDSA or Ed25519', (value) =>
    to(readOneOf(value, ['RSA', 'ECDSA', 'Ed25519']), (algorithm) => ({ privateKey: { algorithm } })),
  ),
  row(keys.keySize, 'key', '2048 to 8192 for RSA; 256, 384 or 521 for ECDSA', (value) =>
    to(readInteger(value, 1, maxInt32), (size) => ({ privateKey: { size } })),
  ),
  row(keys.keyEncoding, 'encoding', 'PKCS1 or PKCS8', (value) =>
    to(readOneOf(value, ['PKCS1', 'PKCS8']), (encoding) => ({ privateKey: { encoding } })),
  ),
  row(keys.keyRotation, 'rotation', 'Never or Always', (value) =>
    to(readOneOf(value, ['Never', 'Always']), (rotationPolicy) => ({ privateKey: { rotationPolicy } })),
  ),
];

const otherRows: readonly AnnotationRow[] = [
  row(
    keys.secretTemplate,
    'template',
    'JSON such as {"annotations":{"a":"b"},"labels":{"c":"d"}}, with valid names and without annotations that begin with cert-manager.io/',
    (value) =>
      to(readSecretTemplate(value), (secretTemplate) =>
        Object.keys(secretTemplate).length > 0 ? { secretTemplate } : {},
      ),
  ),
  { key: keys.ignoreTlsListeners, accepts: 'names of listeners', read: (v) => ({ ignoredListeners: readList(v) }) },
  switchRow(keys.temporary, { temporary: 'wanted' }, { unit: 'temporary' }),
  switchRow(annotations.issueTemporary, { temporary: 'wanted' }, { unit: 'temporary' }),
  switchRow(keys.editInPlace, { editInPlace: 'wanted' }),
  switchRow(keys.parentRefFallback, { parentFallback: 'wanted' }, { only: 'ListenerSet' }),
  { key: keys.ingressClass, accepts: 'any text', read: (v) => (v === '' ? {} : { ingressClass: v }) },
  { key: keys.ingressClassName, accepts: 'any text', read: (v) => (v === '' ? {} : { ingressClassName: v }) },
];

export const annotationTable: readonly AnnotationRow[] = [
  ...nameRows,
  ...subjectRows,
  ...lifeRows,
  ...keyRows,
  ...otherRows,
];
