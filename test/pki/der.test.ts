// DER: what is written reads back, and no bytes at all make the reader throw.

import { describe, expect, test } from 'vitest';
import { parseDer, readNamedBits, readOid, readText } from '../../src/pki/der-read.ts';
import { directoryString, integer, namedBits, objectId, sequence, setOf, time, tlv } from '../../src/pki/der-write.ts';
import { canonicalIp, ipBytes, ipText, rangeBytes, rangeText } from '../../src/pki/ip.ts';
import { seeded } from './fixtures.ts';

describe('what is written reads back', () => {
  test.each(['1.2.840.113549.1.1.11', '2.5.29.37.0', '0.9.2342.19200300.100.1.1', '2.999.4294967295', '1.3.101.112'])(
    '%s',
    (oid) => {
      expect(readOid(parseDer(objectId(oid)))).toBe(oid);
    },
  );

  test.each([[[]], [[0]], [[0, 2]], [[5, 6]], [[7]], [[8]], [[0, 8]]])('the bits %j', (bits) => {
    expect(readNamedBits(parseDer(namedBits(bits)))).toEqual(bits);
  });

  test.each(['plain', 'Köln', '', 'a*b', '日本'])('the text %j', (text) => {
    expect(readText(parseDer(directoryString(text)))).toBe(text);
  });

  test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000])('contents of %i bytes', (length) => {
    expect(parseDer(tlv(0x04, Buffer.alloc(length, 7)))?.content).toEqual(Buffer.alloc(length, 7));
  });
});

test('integers are positive and shortest', () => {
  const contents = [[0], [0, 0, 1], [0x80], [0, 0xff, 1]].map((bytes) =>
    integer(Buffer.from(bytes)).subarray(2).toString('hex'),
  );
  expect(contents).toEqual(['00', '01', '0080', '00ff01']);
});

test('object identifiers are remembered only so far as they are few', () => {
  for (let at = 0; at < 2000; at += 1) expect(readOid(parseDer(objectId(`1.2.3.${at}`)))).toBe(`1.2.3.${at}`);
});

test('text that is no UTF-8 is no text', () => {
  expect(readText(parseDer(tlv(0x0c, Buffer.from('61ff', 'hex'))))).toBeUndefined();
});

test('sets are sorted, times change their type with the year 2050', () => {
  expect(setOf(Buffer.from([2, 1, 9]), Buffer.from([2, 1, 3])).toString('hex')).toBe('3106020103020109');
  expect(time(Date.UTC(2049, 11, 31, 23, 59, 59, 999)).toString('latin1', 2)).toBe('491231235959Z');
  expect(time(Date.UTC(2050, 0, 1)).toString('latin1', 2)).toBe('20500101000000Z');
});

describe('strict reading', () => {
  test.each([
    ['nothing', ''],
    ['a length that leads past the end', '300501'],
    ['an indefinite length', '30800000'],
    ['a length with a leading zero', '04820001aa'],
    ['a long form where the short would do', '048101aa'],
    ['a tag number above 30', '1f8101aa'],
    ['two elements', '05000500'],
    ['a broken element inside', '30020401'],
    ['a child that runs past the end of its parent', '30048203612e62'],
    ['one that does so before a sibling', '30058203612e628203632e64'],
  ])('refuses %s', (_, hex) => {
    expect(parseDer(Buffer.from(hex, 'hex'))).toBeUndefined();
  });

  test('refuses what is nested too deeply', () => {
    const nested = Array.from({ length: 30 }).reduce<Buffer>((inner) => sequence(inner), Buffer.alloc(0));
    expect(parseDer(nested)).toBeUndefined();
  });

  test('survives random bytes', () => {
    const random = seeded(7);
    for (let run = 0; run < 20_000; run += 1) {
      const bytes = Buffer.from(
        Array.from({ length: random(24) }, () => [0x30, 0x06, 0x80, 0x02, random(256)][random(5)] ?? 0),
      );
      const node = parseDer(bytes);
      readOid(node);
      readNamedBits(node);
      readText(node);
    }
  });
});

describe('IP addresses', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
    expect(ipText(ipBytes(text) ?? Buffer.alloc(0))).toBe(canonical);
  });

  test.each(['', '1.2.3', '01.2.3.4', '1.2.3.4.5', ':::', 'fe80::1%1', '12345::', 'a.com'])('%j is none', (text) => {
    expect(ipBytes(text)).toBeUndefined();
  });

  test.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3/32', '10.1.2.3/32'],
    ['10.255.255.255/13', '10.248.0.0/13'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:ffff::1/33', '2001:db8:8000::/33'],
    ['::/0', '::/0'],
  ])('the range %s is %s', (text, canonical) => {
    expect(rangeText(rangeBytes(text) ?? Buffer.alloc(0))).toBe(canonical);
  });
});
