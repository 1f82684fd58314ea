// Decides of one listener by its own text whether it asks for a certificate, and if it cannot have one, why. Called by object.ts.
// Rules and scope of cert-manager's shim; each refusal names the field and what to do.

import type { CertificateRef, Listener } from '../api/gateway.ts';
import { isObjectName } from './object-name.ts';
import type { Source } from './source.ts';
import { quoted } from './words.ts';

export type ListenerVerdict =
  /** Not for us: another protocol, passed through, or ignored by annotation. */
  | { readonly kind: 'skipped' }
  | { readonly kind: 'refused'; readonly message: string }
  | {
      readonly kind: 'eligible';
      readonly listener: Listener;
      readonly hostname: string;
      readonly secrets: readonly string[];
    };

export function judgeListener(
  source: Source,
  index: number,
  listener: Listener,
  protocols: ReadonlySet<string>,
  ignored: readonly string[],
): ListenerVerdict {
  if (!protocols.has(listener.protocol) || listener.tls?.mode === 'Passthrough') return { kind: 'skipped' };
  if (ignored.includes(listener.name)) return { kind: 'skipped' };
  const at = `spec.listeners[${index}]`;
  const problems = [...hostnameProblems(listener, at), ...tlsProblems(listener, at, source.namespace)];
  if (problems.length > 0) {
    const message = `Listener ${quoted(listener.name)} gets no certificate: ${problems.join('; ')}.`;
    return { kind: 'refused', message };
  }
  const secrets = [...new Set((listener.tls?.certificateRefs ?? []).map((ref) => ref.name))];
  return { kind: 'eligible', listener, hostname: listener.hostname ?? '', secrets };
}

/** The Secrets of this namespace that the listener names, whatever else is wrong with it. */
export function namedSecrets(source: Source, listener: Listener, protocols: ReadonlySet<string>): readonly string[] {
  if (!protocols.has(listener.protocol) || listener.tls?.mode === 'Passthrough') return [];
  const refs = listener.tls?.certificateRefs ?? [];
  return refs.filter((ref) => refProblems(ref, '', source.namespace).length === 0).map((ref) => ref.name);
}

function hostnameProblems({ hostname }: Listener, at: string): readonly string[] {
  if (hostname !== undefined && hostname !== '') return [];
  return [`${at}.hostname is not set; name the host that the certificate is for`];
}

function tlsProblems({ tls, protocol }: Listener, at: string, namespace: string): readonly string[] {
  if (tls === undefined) return [`${at}.tls is not set; add certificateRefs with the name of a Secret`];
  const mode: string | undefined = tls.mode ?? (protocol === 'HTTPS' ? 'Terminate' : undefined);
  const refs = tls.certificateRefs ?? [];
  return [
    ...(mode === 'Terminate' ? [] : [`${at}.tls.mode is ${mode ?? 'not set'}; set it to Terminate`]),
    ...(refs.length > 0
      ? []
      : [`${at}.tls.certificateRefs is empty; name the Secret that shall receive the certificate`]),
    ...refs.flatMap((ref, i) => refProblems(ref, `${at}.tls.certificateRefs[${i}]`, namespace)),
  ];
}

function refProblems(ref: CertificateRef, at: string, namespace: string): readonly string[] {
  const { group = '', kind = 'Secret', name, namespace: elsewhere = '' } = ref;
  return [
    ...(group === '' || group === 'core' ? [] : [`${at}.group is ${quoted(group)}; leave it empty, for a Secret`]),
    ...(kind === '' || kind === 'Secret' ? [] : [`${at}.kind is ${quoted(kind)}; only a Secret can be written`]),
    ...(elsewhere === '' || elsewhere === namespace
      ? []
      : [
          `${at}.namespace is ${quoted(elsewhere)}; certificates are only written in the namespace of the object, ${namespace}`,
        ]),
    ...(isObjectName(name) ? [] : [`${at}.name is ${quoted(name)}; a Secret cannot have that name`]),
  ];
}
