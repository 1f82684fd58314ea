// The configuration of `certway infra` from its flags and environment, or every mistake at once. Called by config.ts.

import type { Reply } from './api/reply.ts';
import { durationOf, numberOf, oneOf, serviceOf } from './flag-values.ts';
import { readTable } from './flags.ts';
import { type InfraValues, infraFlags, infraUsage } from './infra-flags.ts';
import type { LeadershipConfig } from './kube/leadership.ts';
import { leaseOf } from './lease-flags.ts';
import type { InfraSettings } from './provision/ports.ts';

export interface InfraConfig {
  readonly command: 'infra';
  readonly kubeconfig: string | undefined;
  readonly lease: LeadershipConfig;
  readonly settings: InfraSettings;
  readonly legacyOverlapMs: number;
  readonly workers: number;
  readonly metricsListen: string;
  readonly healthListen: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The usage text where the flags ask for it. */
export function readInfra(
  argv: readonly string[],
  env: Environment,
): Reply<InfraConfig | { readonly command: 'help'; readonly text: string }, readonly string[]> {
  const mistakes: string[] = [];
  const values = readTable(infraFlags, argv, mistakes);
  if (values === 'help') return { ok: true, value: { command: 'help', text: infraUsage() } };
  const config: InfraConfig = {
    command: 'infra',
    kubeconfig: values.kubeconfig === '' ? env.KUBECONFIG : values.kubeconfig,
    lease: { ...leaseOf(values, env, mistakes), name: 'certway-infra' },
    settings: settingsOf(values, mistakes),
    legacyOverlapMs: durationOf('legacy-overlap', values['legacy-overlap'], mistakes),
    workers: numberOf('concurrent-workers', values['concurrent-workers'], 1, 1_000, mistakes),
    metricsListen: values['metrics-listen-address'],
    healthListen: values['healthz-listen-address'],
    logLevel: oneOf('log-level', values['log-level'], ['debug', 'info', 'warn', 'error'], mistakes),
  };
  return mistakes.length > 0 ? { ok: false, problem: mistakes } : { ok: true, value: config };
}

function settingsOf(values: InfraValues, mistakes: string[]): InfraSettings {
  const certwayNamespace = values['certway-namespace'];
  const { namespace, ...solverService } = serviceOf(values['acme-http01-solver-service'], mistakes);
  if (namespace !== certwayNamespace) {
    mistakes.push(
      `--acme-http01-solver-service must stand in ${certwayNamespace}, the namespace of --certway-namespace`,
    );
  }
  return {
    certwayNamespace,
    crdDir: values['crd-dir'] === '' ? undefined : values['crd-dir'],
    controllerAccount: 'certway-controller',
    solverService,
  };
}
