// `npm run manifests`: writes those files of deploy/ that are made from src/. A test holds them against what would be written.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { ownBinding, tenantPolicies } from '../../src/tenancy/policies.ts';

const root = join(import.meta.dirname, '../..');

const head = `# Made by \`npm run manifests\` from src/tenancy/policies.ts; change it there.
#
# What keeps each tenant to its own names and issuers. Without bindings the policies certway-tenant-* do nothing: docs/tenancy.md says who binds
# them, and to which namespaces. The names that a namespace may use stand in its annotation certway.dev/domains.
`;

/** By their path below the root of the repository. */
export function madeManifests(): ReadonlyMap<string, string> {
  const policies = [...tenantPolicies(), ownBinding()].map((each) => stringify(each, { lineWidth: 140 }));
  return new Map([['deploy/tenancy/policies.yaml', `${head}${policies.join('---\n')}`]]);
}

if (import.meta.main) {
  for (const [path, text] of madeManifests()) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
    process.stdout.write(`${path}\n`);
  }
}
