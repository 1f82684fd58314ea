// The way through a proxy that a kubeconfig names (`proxy-url`: http, https or socks5). Loaded only then, since it needs all of undici.
// Called by transport.ts.

import { type Pool, ProxyAgent } from 'undici';
import type { Tls } from './auth.ts';

export function viaProxy(uri: string, tls: Tls, options: Pool.Options): ProxyAgent {
  return new ProxyAgent({ ...options, uri, requestTls: tls });
}
