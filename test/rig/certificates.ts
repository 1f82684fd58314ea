// The certificate authority of one world: signs the API server's and Pebble's HTTPS, and the client certificates of the
// administrator and of kube-controller-manager. Keys live in the world's directory and die with it.

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as der from '../../src/pki/der-write.ts';
import { oids } from '../../src/pki/oids.ts';

export interface Files {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  readonly caFile: string;
  readonly caPem: string;
  /** For this machine, and for the addresses by which the Pods of e2e/ reach it. */
  server(name: string): Promise<Files>;
  client(name: string, user: string, group?: string): Promise<Files>;
}

const dayMs = 86_400_000;
const keyCertSign = 5;
const digitalSignature = 0;
const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';
const algorithm = der.sequence(der.objectId(oids.ecdsaWithSha256));

/** Makes a CA in `dir`; its leaves are written there as `<name>.crt` and `<name>.key` (PEM, PKCS#8). */
export async function createAuthority(dir: string): Promise<Authority> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = distinguishedName('Certway test world');
  const caPem = issue({ issuer, signer: privateKey, subject: issuer, publicKey, extensions: caExtensions });
  const caFile = join(dir, 'ca.crt');
  await writeFile(caFile, caPem);

  const leaf = async (name: string, subject: Buffer, extensions: readonly Buffer[]): Promise<Files> => {
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const files = { certificate: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) };
    await writeFile(
      files.certificate,
      issue({ issuer, signer: privateKey, subject, publicKey: keys.publicKey, extensions }),
    );
    await writeFile(files.key, keys.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    return files;
  };
  return {
    caFile,
    caPem,
    server: (name) =>
      leaf(name, distinguishedName('localhost'), [usage(digitalSignature), purpose(serverAuth), everyName]),
    client: (name, user, group) =>
      leaf(name, distinguishedName(user, group), [usage(digitalSignature), purpose(clientAuth)]),
  };
}

interface Draft {
  readonly issuer: Buffer;
  readonly signer: KeyObject;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

// RFC 5280 §4.1. Backdated by a day: tests may run on machines whose clock was just set back.
function issue({ issuer, signer, subject, publicKey, extensions }: Draft): string {
  const now = Date.now();
  const toBeSigned = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    der.integer(randomBytes(16)),
    algorithm,
    issuer,
    der.sequence(der.time(now - dayMs), der.time(now + 365 * dayMs)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(3, der.sequence(...extensions)),
  );
  const certificate = der.sequence(toBeSigned, algorithm, der.bitString(sign('sha256', toBeSigned, signer)));
  const lines = certificate.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

// To Kubernetes a client's common name is its user and its organization is its group.
function distinguishedName(commonName: string, organization?: string): Buffer {
  const attribute = (oid: string, value: string) =>
    der.setOf(der.sequence(der.objectId(oid), der.directoryString(value)));
  const group = organization === undefined ? [] : [attribute(oids.organization, organization)];
  return der.sequence(...group, attribute(oids.commonName, commonName));
}

function extension(oid: string, ...content: readonly Buffer[]): Buffer {
  return der.sequence(der.objectId(oid), ...content);
}

function usage(bit: number): Buffer {
  return extension(oids.keyUsage, der.derTrue, der.octetString(der.namedBits([bit])));
}

function purpose(oid: string): Buffer {
  return extension(oids.extendedKeyUsage, der.octetString(der.sequence(der.objectId(oid))));
}

const dnsName = (name: string) => der.implicit(2, Buffer.from(name));
const ipAddress = (...octets: readonly number[]) => der.implicit(7, Buffer.from(octets));

// 10.96.0.1 is the Service `kubernetes`; acme.test is Pebble on the Internet of test/rig/data-plane.
const everyName = extension(
  oids.subjectAltName,
  der.octetString(
    der.sequence(
      ...['localhost', 'kubernetes.default.svc', 'acme.test'].map(dnsName),
      ipAddress(127, 0, 0, 1),
      ipAddress(10, 96, 0, 1),
    ),
  ),
);

const caExtensions = [
  extension(oids.basicConstraints, der.derTrue, der.octetString(der.sequence(der.derTrue))),
  usage(keyCertSign),
];
