// Route 53 and STS on loopback, as far as their API references say: one public hosted zone whose record sets change by atomic batches, one private
// zone of the same name, and roles that can be assumed.

import type { Asked, Told } from './loopback-api.ts';

const route53 = 'https://route53.amazonaws.com/doc/2013-04-01/';
const sts = 'https://sts.amazonaws.com/doc/2011-06-15/';

export interface RecordSet {
  readonly name: string;
  readonly ttl: string;
  readonly values: readonly string[];
  readonly setIdentifier?: string;
}

export interface AwsScript {
  readonly sets: RecordSet[];
  /** What GetChange says. */
  status: 'PENDING' | 'INSYNC';
  /** Both are seen: the general form of errors, and the one that the reference has for this error. */
  refusal: 'ErrorResponse' | 'InvalidChangeBatch';
  /** Runs before the next batch is looked at, once. */
  meanwhile: (() => void) | undefined;
  answer(asked: Asked): Told;
}

export const zoneId = 'Z3M3LMPEXAMPLE';

export function awsScript(...sets: readonly RecordSet[]): AwsScript {
  const script: AwsScript = {
    sets: [...sets],
    status: 'PENDING',
    refusal: 'ErrorResponse',
    meanwhile: undefined,
    answer: (asked) => {
      const url = new URL(asked.path, 'http://api.invalid');
      if (asked.method === 'POST' && url.pathname === '/') return assumed(asked.body);
      if (url.pathname.endsWith('/hostedzonesbyname')) return zones(url.searchParams.get('dnsname') ?? '');
      if (url.pathname.startsWith('/2013-04-01/change/')) return changed('GetChangeResponse', script.status);
      if (!url.pathname.includes(`/hostedzone/${zoneId}/rrset`)) {
        return awsError(404, 'NoSuchHostedZone', 'No hosted zone found with ID: ZNONE');
      }
      if (asked.method === 'GET') return listed(script.sets, url.searchParams.get('name') ?? '');
      script.meanwhile?.();
      script.meanwhile = undefined;
      return batch(script, asked.body);
    },
  };
  return script;
}

export function awsError(status: number, code: string, message: string): Told {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return xml(status, 'ErrorResponse', `${error}<RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId>`);
}

function xml(status: number, name: string, inner: string, namespace = route53): Told {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${namespace}">${inner}</${name}>`;
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

function zones(name: string): Told {
  const zone = (id: string, isPrivate: string) =>
    `<HostedZone><Id>/hostedzone/${id}</Id><Name>example.com.</Name><CallerReference>c</CallerReference><Config><PrivateZone>${isPrivate}</PrivateZone></Config></HostedZone>`;
  const all = name === 'example.com' ? `${zone('ZPRIVATE', 'true')}${zone(zoneId, 'false')}` : '';
  return xml(
    200,
    'ListHostedZonesByNameResponse',
    `<HostedZones>${all}</HostedZones><IsTruncated>false</IsTruncated><MaxItems>10</MaxItems>`,
  );
}

function listed(sets: readonly RecordSet[], name: string): Told {
  const rows = sets.filter((set) => set.name === name).map(setXml);
  const tail = '<IsTruncated>false</IsTruncated><MaxItems>300</MaxItems>';
  const other = setXml({ name: 'zzz.example.com.', ttl: '300', values: ['"not asked for"'] });
  return xml(
    200,
    'ListResourceRecordSetsResponse',
    `<ResourceRecordSets>${rows.join('')}${other}</ResourceRecordSets>${tail}`,
  );
}

function setXml({ name, ttl, values, setIdentifier }: RecordSet): string {
  const multi =
    setIdentifier === undefined
      ? ''
      : `<SetIdentifier>${setIdentifier}</SetIdentifier><MultiValueAnswer>true</MultiValueAnswer>`;
  const rows = values.map((value) => `<ResourceRecord><Value>${value}</Value></ResourceRecord>`).join('');
  return `<ResourceRecordSet><Name>${name}</Name><Type>TXT</Type>${multi}<TTL>${ttl}</TTL><ResourceRecords>${rows}</ResourceRecords></ResourceRecordSet>`;
}

function changed(name: string, status: string): Told {
  const info = `<Id>/change/C2682N5HXP0BZ4</Id><Status>${status}</Status><SubmittedAt>2026-11-21T14:00:00Z</SubmittedAt>`;
  return xml(200, name, `<ChangeInfo>${info}</ChangeInfo>`);
}

/** All changes or none; a DELETE names its set exactly, and a simple set stands alone at its name. */
function batch({ sets, refusal }: AwsScript, body: string): Told {
  const refused = (why: string) => batchError(refusal, `Tried to change resource record set, ${why}`);
  const next = [...sets];
  for (const [, change = ''] of body.matchAll(/<Change>(.*?)<\/Change>/gs)) {
    const set = readSet(change);
    const same = next.findIndex((each) => each.name === set.name && each.setIdentifier === set.setIdentifier);
    const simple = next.some(
      (each) => each.name === set.name && (each.setIdentifier === undefined) !== (set.setIdentifier === undefined),
    );
    switch (one(change, 'Action')) {
      case 'DELETE':
        if (JSON.stringify(next[same]) !== JSON.stringify(set))
          return refused('the values provided do not match the current values');
        next.splice(same, 1);
        break;
      case 'CREATE':
        if (same !== -1 || simple) return refused('but it already exists');
        next.push(set);
        break;
      default:
        if (simple) return refused('a conflicting RRSet exists');
        next.splice(same === -1 ? next.length : same, same === -1 ? 0 : 1, set);
    }
  }
  sets.splice(0, sets.length, ...next);
  return changed('ChangeResourceRecordSetsResponse', 'PENDING');
}

function batchError(form: AwsScript['refusal'], message: string): Told {
  if (form === 'ErrorResponse') return awsError(400, 'InvalidChangeBatch', `[${message}]`);
  return xml(400, form, `<Messages><Message>${message}</Message></Messages><RequestId>b25f48e8</RequestId>`);
}

function readSet(change: string): RecordSet {
  const identifier = one(change, 'SetIdentifier');
  return {
    name: one(change, 'Name') ?? '',
    ttl: one(change, 'TTL') ?? '',
    values: [...change.matchAll(/<Value>(.*?)<\/Value>/g)].map(([, value = '']) => unquoted(value)),
    ...(identifier !== undefined && { setIdentifier: unquoted(identifier) }),
  };
}

function one(text: string, element: string): string | undefined {
  return new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(text)?.[1];
}

function unquoted(text: string): string {
  return text.replaceAll('&quot;', '"');
}

function assumed(body: string): Told {
  const action = new URLSearchParams(body).get('Action') ?? '';
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  const keys = `<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-session</SessionToken><Expiration>${expiration}</Expiration>`;
  const user =
    '<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/dns/certway</Arn><AssumedRoleId>A:certway</AssumedRoleId></AssumedRoleUser>';
  return xml(
    200,
    `${action}Response`,
    `<${action}Result>${user}<Credentials>${keys}</Credentials></${action}Result>`,
    sts,
  );
}
