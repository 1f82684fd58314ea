// Which limits hold at a CA: those that Certway knows, under what the ConfigMap certway-limits and the issuers' annotation certway.dev/limits say. Kept
// by budgets.ts; a text that cannot be read is told where it stands, and the one before it stays.

import type { Issuer } from '../api/certmanager.ts';
import type { ConfigMap } from '../api/core.ts';
import { annotations } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { knownLimits, type Limits, type Override, per } from '../budget/limits.ts';
import { mergeLimits, parseLimits, type WrittenLimits } from '../budget/limits-config.ts';
import { refOf } from '../plan/object-ref.ts';
import { accountOf, directoryOf, provenAccount } from './budget-ask.ts';
import { issuerKey } from './issuer-of.ts';
import type { Ports } from './ports.ts';

export const limitsMap = 'certway-limits';

export interface LimitTexts {
  /** The limits of a directory as they are written now. Reads anew only what has changed. */
  at(directory: string): Promise<Limits>;
}

type Needs = Pick<Ports, 'stores' | 'recorder' | 'log'>;

export function limitTexts(ports: Needs): LimitTexts {
  /** By where it stands: the last text, and the last one that could be read. */
  const known = new Map<string, { readonly text: string; readonly written?: WrittenLimits }>();
  const read = async (source: Source): Promise<WrittenLimits | undefined> => {
    const last = known.get(source.id);
    if (last?.text === source.text) return last.written;
    const parsed = await parse(source);
    const written = parsed.ok ? parsed.value : last?.written;
    known.set(source.id, { text: source.text, ...(written !== undefined && { written }) });
    if (!parsed.ok) await tell(ports, source, parsed.problem);
    return written;
  };
  return {
    at: async (directory) => {
      let limits = knownLimits(directory);
      for (const source of sourcesFor(ports, directory)) {
        const written = await read(source);
        if (written === undefined || (written.directory ?? directory) !== directory) continue;
        limits = mergeLimits(limits, source.account === undefined ? written : ownOf(written, source.account));
      }
      return limits;
    },
  };
}

interface Source {
  readonly id: string;
  readonly text: string;
  readonly about: Issuer | ConfigMap;
  readonly needs: 'directory' | 'nothing';
  /** It speaks for this account alone. */
  readonly account?: string;
}

/** Later ones win: the ConfigMap, then ClusterIssuers, then Issuers, each by name. */
function sourcesFor({ stores }: Pick<Ports, 'stores'>, directory: string): readonly Source[] {
  const maps = [...stores.limits.list()].flatMap((about) =>
    Object.entries(about.data ?? {}).map(([key, text]) => {
      return { id: `ConfigMap ${key}`, text, about, needs: 'directory' as const };
    }),
  );
  const users = [stores.clusterIssuers, stores.issuers].flatMap((each) => [...each.list()]).filter(at(directory));
  const namespaces = new Set(users.map(({ metadata }) => metadata.namespace));
  const annotated = users.flatMap((about) => {
    const text = about.metadata.annotations?.[annotations.limits];
    if (text === undefined || text.trim() === '') return [];
    // Cells that all accounts share are no tenant's to change, unless nobody else uses that CA.
    const isOwn = about.metadata.namespace !== undefined && namespaces.size > 1;
    const account = provenAccount(about);
    if (isOwn && (account === '' || isShared(users, about, account))) return [];
    return [{ id: issuerKey(about), text, about, needs: 'nothing' as const, ...(isOwn && { account }) }];
  });
  return [...byId(maps), ...byId(annotated)];
}

/** An account that others use too is not one tenant's to speak for. */
function isShared(users: readonly Issuer[], { metadata }: Issuer, account: string): boolean {
  return users.some((each) => each.metadata.namespace !== metadata.namespace && accountOf(each) === account);
}

function at(directory: string) {
  return (issuer: Issuer) => directoryOf(issuer) === directory;
}

function byId(sources: readonly Source[]): readonly Source[] {
  return sources.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** What a tenant may say: how much his own account is given, and how often it may fail. */
function ownOf({ limits, overrides }: WrittenLimits, account: string): WrittenLimits {
  const own = ['newOrdersPerAccount', 'failedAuthorizations'] as const;
  const general = own.flatMap((limit): readonly Override[] => {
    const rate = limits[limit];
    return rate === undefined ? [] : [{ limit, subject: account, rate: rate ?? boundless }];
  });
  const named = overrides.filter(({ limit, subject }) => own.some((each) => each === limit) && subject === account);
  return { limits: {}, overrides: [...general, ...named] };
}

const boundless = per(10_000_000, 1000);

async function parse({ text, needs }: Source): Promise<Reply<WrittenLimits, readonly string[]>> {
  const isJson = text.trimStart().startsWith('{');
  const parsed = isJson ? parseLimits(text) : parseLimits(text, (await import('../kube/yaml.ts')).parseYaml);
  if (!parsed.ok || needs === 'nothing' || parsed.value.directory !== undefined) return parsed;
  return { ok: false, problem: ['directory is missing: the URL of the ACME directory whose limits these are.'] };
}

async function tell({ recorder, log }: Needs, { id, about }: Source, mistakes: readonly string[]): Promise<void> {
  const message = `The CA's limits are not changed: ${mistakes.join(' ')}`;
  log.warn({ at: id, mistakes }, 'limits that cannot be read');
  await recorder.say({ about: refOf(about), type: 'Warning', reason: 'BadLimits', message });
}
