// Another address for a DNS server: what is asked here is asked there. BIND listens on addresses of interfaces only, and two nameservers that
// share a port, as those of a zone share port 53, need two addresses of 127/8.

import { forward } from './forward.ts';
import { type DnsListener, listenDns } from './listen.ts';

export interface Relay extends DnsListener {
  /** Queries are dropped from now on, or no longer. */
  silence(how: 'on' | 'off'): void;
}

/** `to` is address:port. Linux only for hosts other than 127.0.0.1. */
export async function startRelay(host: string, port: number | undefined, to: string): Promise<Relay> {
  let silent = false;
  const listener = await listenDns(host, port, async (message, over) =>
    silent ? undefined : forward(message, to, over),
  );
  return {
    ...listener,
    silence: (how) => {
      silent = how === 'on';
    },
  };
}
