import { expect, it } from 'vitest';
import type { CertificateFacts } from '../../src/pki/certificate.ts';
import { certificateId } from '../../src/pki/certificate-id.ts';

function facts(serial: string, keyId: string | undefined): CertificateFacts {
  const authorityKeyId = keyId === undefined ? {} : { authorityKeyId: Buffer.from(keyId.replaceAll(':', ''), 'hex') };
  return { serial, ...authorityKeyId } as CertificateFacts;
}

it('is what RFC 9773 §4.1 makes of its example', () => {
  const keyId = '69:88:5B:6B:87:46:40:41:E1:B3:7B:84:7B:A0:AE:2C:DE:01:C8:D4';
  expect(certificateId(facts('8765432100', keyId))).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyEA');
});

it.each([
  ['0F', 'Dw'],
  ['F', 'Dw'],
  ['80', 'AIA'],
  ['0080', 'AIA'],
  ['7FFF', 'f_8'],
])('the serial %s is the integer %s', (serial, integer) => {
  expect(certificateId(facts(serial, '00'))).toBe(`AA.${integer}`);
});

it('there is none without the key identifier of the authority', () => {
  expect(certificateId(facts('01', undefined))).toBeUndefined();
});
