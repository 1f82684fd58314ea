// The command line: cert-manager's names and defaults, one sentence per mistake, and all mistakes at once.

import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { ControllerConfig } from '../../src/controller-config.ts';

function controller(...flags: readonly string[]): ControllerConfig {
  const read = readConfig(['controller', ...flags], {});
  if (!read.ok) throw new Error(read.problem.join('\n'));
  if (read.value.command !== 'controller') throw new Error(`read as ${read.value.command}`);
  return read.value;
}

function mistakes(...argv: readonly string[]): readonly string[] {
  const read = readConfig(argv, {});
  return read.ok ? [] : read.problem;
}

describe('without flags', () => {
  it('a controller has the documented defaults', () => {
    expect(controller()).toMatchObject({
      kubeconfig: undefined,
      watched: { gatewayApi: false, listenerSets: true, xListenerSets: false },
      settings: { clusterResourceNamespace: 'certway-system' },
      lease: { enabled: true, leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
      logLevel: 'info',
      proxies: undefined,
    });
  });

  it('and no command at all is help', () => {
    const read = readConfig([], {});
    expect(read).toMatchObject({ ok: true, value: { command: 'help' } });
    expect(JSON.stringify(read)).toContain('--enable-gateway-api');
  });
});

describe('flags', () => {
  it.each([
    ['alone', ['--enable-gateway-api']],
    ['with a value', ['--enable-gateway-api=true']],
  ])('that are booleans stand %s', (_, flags) => {
    expect(controller(...flags).watched.gatewayApi).toBe(true);
  });

  it('that are booleans can be switched off', () => {
    expect(controller('--leader-elect=false').lease.enabled).toBe(false);
  });

  it.each([
    ['XGatewayAPI=true', { xListenerSets: true, listenerSets: true }],
    ['ListenerSets=false', { xListenerSets: false, listenerSets: false }],
    ['XGatewayAPI=true, ListenerSets=false', { xListenerSets: true, listenerSets: false }],
  ])('--feature-gates=%s', (text, gates) => {
    expect(controller(`--feature-gates=${text}`).watched).toMatchObject(gates);
  });

  it.each([
    ['500ms', 500],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['1h', 3_600_000],
  ])('a duration of %s', (text, ms) => {
    const lease = ['--leader-election-lease-duration=2h', `--leader-election-renew-deadline=${text}`];
    expect(controller(...lease).lease.renewDeadlineMs).toBe(ms);
  });

  it('take the last value given, so that a wrapper can be overruled', () => {
    expect(controller('--log-level=debug', '--log-level=warn').logLevel).toBe('warn');
  });

  it('take a value as the next word too', () => {
    expect(controller('--log-level', 'debug').logLevel).toBe('debug');
  });
});

describe('the environment', () => {
  it.each([
    ['a flag wins', ['--kubeconfig=/flag'], '/flag'],
    ['it fills in', [], '/env'],
  ])('names the kubeconfig: %s', (_, flags, expected) => {
    const read = readConfig(['controller', ...flags], { KUBECONFIG: '/env' });
    expect(read).toMatchObject({ ok: true, value: { kubeconfig: expected } });
  });

  it('names the proxy and the replica', () => {
    const env = { HTTPS_PROXY: 'proxy:3128', NO_PROXY: '.example', POD_NAME: 'certway-0' };
    const read = readConfig(['controller'], env);
    expect(read).toMatchObject({ ok: true, value: { proxies: { url: 'http://proxy:3128', except: '.example' } } });
    expect(JSON.stringify(read)).toContain('certway-0_');
  });
});

describe('a mistake is named', () => {
  it.each([
    [['controller', '--nope'], 'unknown flag --nope'],
    [['controller', '--nope=1'], 'unknown flag --nope'],
    [['controller', '--toString=x'], 'unknown flag --toString'],
    [['controller', '-v'], 'unknown flag'],
    [['controller', 'extra'], 'unexpected argument "extra"'],
    [['controller', '--feature-gates=Nope=true'], 'unknown feature gate "Nope"; known: XGatewayAPI, ListenerSets'],
    [['controller', '--feature-gates=XGatewayAPI'], 'feature-gates XGatewayAPI takes true or false, not ""'],
    [['controller', '--feature-gates=toString=true'], 'unknown feature gate "toString"'],
    [['controller', '--enable-gateway-api=yes'], '--enable-gateway-api takes true or false, not "yes"'],
    [['controller', '--leader-election-retry-period=2'], '--leader-election-retry-period "2" is not a duration'],
    [['controller', '--concurrent-workers=0'], '--concurrent-workers "0" is not a whole number from 1'],
    [['controller', '--log-level=loud'], '--log-level "loud" is none of debug, info, warn, error'],
    [['controller', '--log-level'], '--log-level needs a value'],
    [['controller', '--acme-http01-solver-service=nope'], '"nope" is not namespace/name:port'],
    [['controller', '--leader-election-renew-deadline=15s'], 'must be shorter than --leader-election-lease-duration'],
    [
      ['kontroller'],
      'unknown command "kontroller"; known: controller, infra, grant, status, check, budget, account, revoke, help',
    ],
    [['grant'], 'name at least one namespace'],
    [['grant', '--all'], 'unknown flag --all'],
  ])('%j', (argv, words) => {
    expect(mistakes(...argv)).toHaveLength(1);
    expect(mistakes(...argv)[0]).toContain(words);
  });

  it('with all others at once', () => {
    const all = ['--nope', '--feature-gates=Nope=true', '--log-level=loud', '--concurrent-workers=many'];
    expect(mistakes('controller', ...all)).toHaveLength(4);
  });

  it('by the process itself on standard error, with exit code 2', async () => {
    const main = join(import.meta.dirname, '../../src/main.ts');
    const flags = ['controller', '--nope', '--feature-gates=Nope=true'];
    const { exitCode, stderr, stdout } = await execa(process.execPath, [main, ...flags], { reject: false });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('certway: unknown flag --nope');
    expect(stderr).toContain('certway: unknown feature gate "Nope"');
  }, 30_000);
});
