// The CSR that a CertificateRequest carries. Called wherever something is done with what it asks for.

import type { CertificateRequest } from '../api/certmanager.ts';
import { readCsr } from '../pki/csr.ts';

/** Base64 of PEM in `spec.request` (cert-manager.io/v1); its proof of possession is checked. */
export function requestedCsr(request: CertificateRequest): ReturnType<typeof readCsr> {
  return readCsr(Buffer.from(request.spec.request, 'base64').toString('utf8'));
}
