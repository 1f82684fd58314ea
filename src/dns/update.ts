// A dynamic update (RFC 2136) that adds or removes one TXT value and nothing else, as bytes. Called by rfc2136.ts. Pure.

import type { TxtRecord } from './provider.ts';
import { lengthAnd, nameBytes, recordBytes, recordClasses, recordTypes, uint16 } from './wire.ts';

export type Change = 'add' | 'remove';

const opcodeUpdate = 5 << 11;

/** Both changes are idempotent: a value that stands already is not added again, one that is gone is not missed (§3.4.2.2, §3.4.2.4). */
export function encodeUpdate(change: Change, record: TxtRecord, id: number): Buffer {
  const header = [id, opcodeUpdate, 1, 0, 1, 0].map(uint16);
  const zone = [nameBytes(record.zone), uint16(recordTypes.soa), uint16(recordClasses.in)];
  const data = lengthAnd(record.value);
  // §2.5.1 and §2.5.4: what is removed has class NONE and no TTL.
  const how = change === 'add' ? { class: recordClasses.in, ttl: record.ttl } : { class: recordClasses.none, ttl: 0 };
  const update = recordBytes({ name: record.fqdn, type: recordTypes.txt, data, ...how });
  return Buffer.concat([...header, ...zone, update]);
}

/** Whether bytes are an answer to the update with this id. */
export function answersUpdate(bytes: Buffer, id: number): boolean {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== id) return false;
  const flags = bytes.readUInt16BE(2);
  return (flags & 0x8000) !== 0 && (flags & 0x7800) === opcodeUpdate;
}
