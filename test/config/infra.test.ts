import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';

function infra(...argv: readonly string[]) {
  return readConfig(['infra', ...argv], { POD_NAME: 'infra-0' });
}

describe('certway infra', () => {
  it('has a Lease of its own, installs no CRDs unless told where they are, and runs in certway-system', () => {
    expect(infra()).toMatchObject({
      ok: true,
      value: {
        command: 'infra',
        lease: {
          enabled: true,
          name: 'certway-infra',
          namespace: 'certway-system',
          identity: expect.stringMatching(/^infra-0_/),
        },
        settings: {
          certwayNamespace: 'certway-system',
          crdDir: undefined,
          solverService: { name: 'certway-acme-solver', port: 8089 },
        },
        legacyOverlapMs: 300_000,
      },
    });
  });

  it('names every mistake at once', () => {
    const read = infra(
      '--nonsense=1',
      '--concurrent-workers=0',
      '--log-level=loud',
      '--acme-http01-solver-service=elsewhere/s:1',
    );
    expect(read).toMatchObject({
      ok: false,
      problem: [
        'unknown flag --nonsense',
        expect.stringContaining('--acme-http01-solver-service must stand in certway-system'),
        expect.stringContaining('--concurrent-workers'),
        expect.stringContaining('--log-level "loud"'),
      ],
    });
  });

  it('knows no flag of the controller', () => {
    expect(infra('--enable-gateway-api')).toMatchObject({ ok: false, problem: ['unknown flag --enable-gateway-api'] });
  });

  it('tells its flags with --help', () => {
    expect(infra('--help')).toMatchObject({
      ok: true,
      value: { command: 'help', text: expect.stringContaining('--crd-dir') },
    });
  });
});
