// One JSON line per event on standard output. Made by main.ts; everything else gets a child of it.
// Keys are kept out by never being passed; the redaction here is the net below, for the day when someone does.

import { type DestinationStream, destination, type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** debug, info, warn, error, silent. */
  readonly level: string;
  /** Standard output unless given. */
  readonly to?: DestinationStream;
}

const secretFields = [
  'privateKey',
  'keyPem',
  'pem',
  'hmac',
  'hmacKey',
  'password',
  'authorization',
  'data',
  'stringData',
];

/** Writes synchronously: a line that was logged is out before a crash, and a logger that is awaited nowhere cannot grow a queue. */
export function openLogger({ level, to }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      // pino knows how to write an Error under `err` only.
      serializers: { error: stdSerializers.errWithCause, cause: stdSerializers.errWithCause },
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[secret]' },
      hooks: { streamWrite: blotKeys },
    },
    to ?? destination({ dest: 1, sync: true }),
  );
}

/** PEM blocks of private keys, whole or cut off, and anything that is the base64 of a PEM block. */
export function blotKeys(line: string): string {
  return line
    .replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^"]*/g, '[secret]')
    .replaceAll(/LS0tLS1CRUdJTi[A-Za-z0-9+/=]*/g, '[secret]');
}

export interface Subject {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** A logger whose every line says which object it is about. */
export function about(log: Logger, { kind, namespace, name }: Subject): Logger {
  return log.child({ kind, ...(namespace !== undefined && { namespace }), name });
}
