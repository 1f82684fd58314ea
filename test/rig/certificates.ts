// The certificate authority of one world: signs the API server's and Pebble's HTTPS, and the client certificates of the
// administrator and of kube-controller-manager. Keys live in the world's directory and die with it.

import { randomBytes, webcrypto } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

export interface Files {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  readonly caFile: string;
  readonly caPem: string;
  server(name: string): Promise<Files>;
  client(name: string, user: string, group?: string): Promise<Files>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 86_400_000;
const serverNames: x509.JsonGeneralNames = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
];

/** Makes a CA in `dir`; its leaves are written there as `<name>.crt` and `<name>.key` (PEM, PKCS#8). */
export async function createAuthority(dir: string): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await generateKeys();
  const subject = 'CN=Certway test world';
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    serialNumber: serial(),
    name: subject,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const caPem = pem(ca);
  const caFile = join(dir, 'ca.crt');
  await writeFile(caFile, caPem);

  const leaf = async (name: string, leafSubject: string, extensions: x509.Extension[]): Promise<Files> => {
    const leafKeys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(),
      serialNumber: serial(),
      subject: leafSubject,
      issuer: subject,
      signingKey: keys.privateKey,
      publicKey: leafKeys.publicKey,
      signingAlgorithm: algorithm,
      extensions: [...extensions, new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true)],
    });
    return writeLeaf(dir, name, pem(certificate), leafKeys.privateKey);
  };

  return {
    caFile,
    caPem,
    server: (name) =>
      leaf(name, 'CN=localhost', [
        new x509.SubjectAlternativeNameExtension(serverNames),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ]),
    client: (name, user, group) =>
      leaf(name, group === undefined ? `CN=${user}` : `O=${group}, CN=${user}`, [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      ]),
  };
}

function generateKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

// Backdated by a day: tests may run on machines whose clock was just set back.
function validity(): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - dayMs), notAfter: new Date(now + 365 * dayMs) };
}

function serial(): string {
  return `01${randomBytes(15).toString('hex')}`;
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

async function writeLeaf(dir: string, name: string, certificatePem: string, key: CryptoKey): Promise<Files> {
  const files = { certificate: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) };
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  await writeFile(files.certificate, certificatePem);
  await writeFile(files.key, x509.PemConverter.encode(der, 'PRIVATE KEY'), { mode: 0o600 });
  return files;
}
