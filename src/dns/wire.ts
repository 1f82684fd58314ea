// The bytes of names and records that dns-packet does not write: class NONE, and names that a signature covers. Called by update.ts and tsig.ts. Pure.

export const recordTypes = { soa: 6, txt: 16, tsig: 250 } as const;
export const recordClasses = { in: 1, none: 254, any: 255 } as const;
const headerBytes = 12;

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function uint48(value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}

/** In lower case and uncompressed, the form that signatures cover (RFC 4034 §6.2, RFC 8945 §4.3.3). The name is a plain one. */
export function nameBytes(name: string): Buffer {
  const labels = name
    .toLowerCase()
    .split('.')
    .filter((label) => label !== '');
  return Buffer.concat([...labels.map(lengthAnd), Buffer.of(0)]);
}

/** A character string (RFC 1035 §3.3), at most 255 bytes. */
export function lengthAnd(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

export interface RawRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly data: Buffer;
}

export function recordBytes(record: RawRecord): Buffer {
  const { name, type, ttl, data } = record;
  const fixed = [uint16(type), uint16(record.class), uint32(ttl), uint16(data.length)];
  return Buffer.concat([nameBytes(name), ...fixed, data]);
}

/** Reads from `at` on; throws a RangeError past the end, as Buffer's own reads do. */
export class Cursor {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  uint16(): number {
    return this.take(2).readUInt16BE(0);
  }

  uint48(): number {
    return this.take(6).readUIntBE(0, 6);
  }

  take(length: number): Buffer {
    const from = this.at;
    if (from + length > this.bytes.length) throw new RangeError('the message ends too early');
    this.at += length;
    return this.bytes.subarray(from, this.at);
  }

  /** Absolute; uncompressed or compressed (RFC 1035 §4.1.4). */
  name(): string {
    const labels: string[] = [];
    let reader: Cursor = this;
    // Pointers may turn in a circle; no name has more labels and pointers than this.
    for (let steps = 0; steps < 256; steps += 1) {
      const length = reader.take(1).readUInt8(0);
      if (length === 0) return `${labels.join('.')}.`;
      if (length < 0xc0) labels.push(reader.take(length).toString('latin1').toLowerCase());
      else reader = new Cursor(this.bytes, (length & 0x3f) * 256 + reader.take(1).readUInt8(0));
    }
    throw new RangeError('a name does not end');
  }
}

export interface LastRecord {
  /** Where it begins. */
  readonly at: number;
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** At its data; the data's length was read. */
  readonly data: Cursor;
}

/** The last record of a message, which is where a TSIG stands (RFC 8945 §5.1). Undefined without additional records; throws on a broken message. */
export function lastRecord(message: Buffer): LastRecord | undefined {
  const counts = [4, 6, 8, 10].map((at) => message.readUInt16BE(at));
  const [questions = 0, ...sections] = counts;
  const cursor = new Cursor(message, headerBytes);
  for (let left = questions; left > 0; left -= 1) {
    cursor.name();
    cursor.take(4);
  }
  if (counts[3] === 0) return undefined;
  const records = sections.reduce((sum, count) => sum + count, 0);
  for (let left = records; ; left -= 1) {
    const at = cursor.at;
    const [name, type, recordClass] = [cursor.name(), cursor.uint16(), cursor.uint16()];
    cursor.take(4);
    const length = cursor.uint16();
    if (left === 1) return { at, name, type, class: recordClass, data: new Cursor(message, cursor.at) };
    cursor.take(length);
  }
}
