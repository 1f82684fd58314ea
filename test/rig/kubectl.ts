// The real kubectl, as users run it: applies manifests and reads objects as JSON. A failure carries what kubectl said.

import { execa } from 'execa';

export interface Cluster {
  readonly kubectl: string;
  readonly kubeconfig: string;
}

export interface Kubectl {
  /** Runs kubectl with these arguments and answers what it printed. */
  run(args: readonly string[], input?: string): Promise<string>;
  /** `apply -f -` of YAML or JSON text, or of objects. */
  apply(manifest: string | readonly object[], ...flags: readonly string[]): Promise<string>;
  /** `get … -o json`, parsed; a list for many. */
  get<T = Record<string, unknown>>(...args: readonly string[]): Promise<T>;
}

/** Without a cache of discovery in the home directory: ports are used again by other worlds. */
export function kubectlFor({ kubectl, kubeconfig }: Cluster): Kubectl {
  const run = async (args: readonly string[], input = ''): Promise<string> => {
    const { failed, stdout, stderr, shortMessage } = await execa(kubectl, args, {
      input,
      env: { KUBECONFIG: kubeconfig, KUBECACHEDIR: `${kubeconfig}.cache` },
      reject: false,
    });
    if (failed) throw new Error(`kubectl ${args.join(' ')}: ${stderr || shortMessage}`);
    return stdout;
  };
  return {
    run,
    apply: (manifest, ...flags) =>
      run(['apply', '-f', '-', ...flags], typeof manifest === 'string' ? manifest : list(manifest)),
    get: async <T>(...args: readonly string[]) => {
      const object: T = JSON.parse(await run(['get', ...args, '-o', 'json']));
      return object;
    },
  };
}

function list(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
