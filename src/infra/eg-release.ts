// Which releases of Envoy Gateway are rendered, and the images of each. Asked by every render function that names an image, and first of all
// whether the wished version is one that may run.

import type { Reply } from '../api/reply.ts';
import type { InfraRefusal } from './refusal.ts';

export const defaultVersion = '1.9.1';
/** Below it, xDS answers whoever asks (CVE-2026-53714), and ListenerSets lose late certificates. */
export const floor = '1.9.0';

export interface Release {
  readonly version: string;
  readonly gateway: string;
  readonly rateLimit: string;
  /** What the binary itself would run where nothing names an image. */
  readonly envoy: string;
}

const envoyImage =
  'docker.io/envoyproxy/envoy:distroless-v1.39.1@sha256:eb2c01c13125d1629637cb4e4cce7207009fb7cc2c8027f9742758549d15b6f4';

/** Takes 1.9.1 and v1.9.1; every patch release of 1.9 has the rights and ports that we render. */
export function releaseOf(version: string = defaultVersion): Reply<Release, InfraRefusal> {
  const parts = /^v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})$/.exec(version);
  const [major, minor, patch] = (parts ?? []).slice(1).map(Number);
  if (major === undefined || minor === undefined || patch === undefined) {
    return refuse(
      'VersionUnreadable',
      `spec.version is ${JSON.stringify(version.slice(0, 40))}; it must be a release such as ${defaultVersion}.`,
    );
  }
  const plain = `${major}.${minor}.${patch}`;
  if (major < 1 || (major === 1 && minor < 9)) {
    return refuse(
      'VersionBelowFloor',
      `spec.version is ${plain}; releases below ${floor} serve keys to whoever asks in Gateway Namespace Mode (CVE-2026-53714). Set it to ${defaultVersion}.`,
    );
  }
  if (major > 1 || minor > 9) {
    return refuse(
      'VersionUnknown',
      `spec.version is ${plain}; this Certway renders Envoy Gateway 1.9 and does not know what later ones need. Set it to ${defaultVersion}, or take a Certway that knows ${plain}.`,
    );
  }
  return {
    ok: true,
    value: {
      version: plain,
      gateway: `docker.io/envoyproxy/gateway:v${plain}`,
      rateLimit: 'docker.io/envoyproxy/ratelimit:8fe6ea42',
      envoy: envoyImage,
    },
  };
}

function refuse(reason: string, message: string): { readonly ok: false; readonly problem: InfraRefusal } {
  return { ok: false, problem: { step: 'Version', object: 'GatewayInfra default', reason, message } };
}
