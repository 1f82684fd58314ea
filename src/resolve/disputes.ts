// Who holds which port and hostname on one Gateway, by Gateway API's precedence: the Gateway, then listener sets by age and name.
// Called by gateway.ts with every admitted object, those that bring their own Secrets included. The data plane's own verdict cannot be
// used: Envoy Gateway leaves listeners without a Secret out of it, so that the roles flip once the Secret arrives.

import type { Listener } from '../api/gateway.ts';
import type { Source } from './source.ts';
import { quoted } from './words.ts';
import type { RefusalReason } from './world.ts';

export interface Disputes {
  /** Why this listener has lost; undefined when it has not. */
  readonly lost: (source: Source, index: number) => RefusalReason | undefined;
  /** Whether somebody else has lost to it. */
  readonly won: (source: Source, index: number) => boolean;
}

interface Holder {
  readonly source: Source;
  readonly index: number;
  readonly owner: string;
  readonly protocol: string;
}

/** HTTP, HTTPS and TLS tell hosts apart on one port, and none of them can share it with TCP. */
const byHost: ReadonlySet<string> = new Set(['HTTP', 'HTTPS', 'TLS']);

/** `sources` in order of precedence. Within one object nothing is decided: its schema forbids duplicates. */
export function settleDisputes(sources: readonly Source[]): Disputes {
  const holders = new Map<string, Holder>();
  const lost = new Map<Source, Map<number, RefusalReason>>();
  const won = new Map<Source, Set<number>>();
  for (const source of sources) {
    const owner = ownerOf(source);
    source.listeners.forEach((listener, index) => {
      const { protocol } = listener;
      const rival = claimsOf(listener)
        .map((claim) => holders.get(claim))
        .find((holder) => holder !== undefined && holder.owner !== owner);
      if (rival === undefined) {
        hold(holders, listener, { source, index, owner, protocol });
        return;
      }
      const reason = rival.protocol === protocol ? 'HostnameConflict' : 'ProtocolConflict';
      lost.set(source, (lost.get(source) ?? new Map()).set(index, reason));
      won.set(rival.source, (won.get(rival.source) ?? new Set()).add(rival.index));
    });
  }
  return {
    lost: (source, index) => lost.get(source)?.get(index),
    won: (source, index) => won.get(source)?.has(index) ?? false,
  };
}

/** What must not be another's for this listener to stand. */
function claimsOf({ protocol, port = 0, hostname = '' }: Listener): readonly string[] {
  if (protocol === 'TCP') return [`${port} tcp`, `${port} hosts`];
  if (byHost.has(protocol)) return [`${port} tcp`, `${port} host ${hostname.toLowerCase()}`];
  return [`${port} ${protocol} ${hostname.toLowerCase()}`];
}

function hold(holders: Map<string, Holder>, { protocol, port = 0, hostname = '' }: Listener, holder: Holder): void {
  const names =
    protocol === 'TCP'
      ? [`${port} tcp`]
      : byHost.has(protocol)
        ? [`${port} hosts`, `${port} host ${hostname.toLowerCase()}`]
        : claimsOf({ name: '', protocol, port, hostname });
  for (const name of names) if (!holders.has(name)) holders.set(name, holder);
}

/** The two kinds of one name are one object on its way from one API to the other. */
function ownerOf(source: Source): string {
  return source.parent === undefined ? 'gateway' : `${source.namespace}/${source.name}`;
}

/** Says what is taken and not by whom: the holder may be another tenant. */
export function lostMessage({ name, port, hostname = '' }: Listener, gatewayKey: string): string {
  const what = `port ${port ?? 0} with hostname ${quoted(hostname)} is already taken on Gateway ${gatewayKey}`;
  return `Listener ${quoted(name)} gets no certificate: ${what}; choose another hostname or port, or ask the owner of the Gateway.`;
}
