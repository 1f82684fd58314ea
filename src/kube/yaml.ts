// YAML for kubeconfigs, in a file of its own so that it is loaded only when one is not JSON: the parser takes 30 ms and 10 MB.
// Called by kubeconfig.ts. (A static import here, since a bundler cannot see the named exports of a CommonJS package behind `await import`.)

import { parse } from 'yaml';

/** Throws on what is not YAML. */
export function parseYaml(written: string): unknown {
  return parse(written);
}
