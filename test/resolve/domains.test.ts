import { describe, expect, it } from 'vitest';
import type { ClaimedName } from '../../src/pki/csr-claims.ts';
import { foreignName, readDomains } from '../../src/resolve/domains.ts';

const domains = ['alice.example', 'shop.test'];

function refusal(type: ClaimedName['type'], value: string): string | undefined {
  return foreignName('team', domains, [
    { type: 'dns', value: 'alice.example' },
    { type, value },
  ]);
}

describe('the domains of a namespace', () => {
  it.each([
    ['', []],
    ['alice.example', ['alice.example']],
    [' Alice.Example. , shop.test,', ['alice.example', 'shop.test']],
  ])('%j reads as %j', (annotation, expected) => {
    expect(readDomains(annotation)).toEqual(expected);
  });

  it.each<[ClaimedName['type'], string]>([
    ['dns', 'alice.example'],
    ['dns', 'WWW.Alice.Example'],
    ['dns', '*.shop.test'],
    ['commonName', 'a.shop.test'],
    ['email', 'me@mail.shop.test'],
    ['uri', 'spiffe://alice.example/ns/team'],
  ])('a %s %s is theirs', (type, value) => {
    expect(refusal(type, value)).toBeUndefined();
  });

  it.each<[ClaimedName['type'], string]>([
    ['dns', 'malice.example'],
    ['dns', 'example'],
    ['dns', '*.example'],
    ['dns', 'alice.example.evil.test'],
    ['commonName', 'Not a host at all'],
    ['email', 'alice.example'.concat('@evil.test')],
    ['uri', 'https://evil.test/alice.example'],
    ['uri', 'urn:alice.example'],
    ['ip', '10.0.0.1'],
    ['otherName', '1.3.6.1.4.1.311.20.2.3:me@alice.example'],
  ])('a %s %s is not', (type, value) => {
    expect(refusal(type, value)).toContain(`"${value}"`);
  });

  it('says nothing where there is no rule, and refuses all names where the rule is empty', () => {
    const names = [{ type: 'dns' as const, value: 'anything.test' }];
    expect(foreignName('team', undefined, names)).toBeUndefined();
    expect(foreignName('team', [], names)).toContain('it may use none');
  });

  it.each<[string, 'theirs' | 'foreign']>([
    ['alice.example', 'theirs'],
    ['www.alice.example', 'theirs'],
    ['bob.alice.example', 'foreign'],
    ['www.bob.alice.example', 'foreign'],
    ['own.bob.alice.example', 'theirs'],
    ['notbob.alice.example', 'theirs'],
    ['*.www.alice.example', 'theirs'],
    ['*.alice.example', 'foreign'],
    ['*.bob.alice.example', 'foreign'],
  ])('that hold a domain of others: %s is %s', (value, whose) => {
    const entries = readDomains('alice.example, !Bob.alice.example, own.bob.alice.example, !');
    const said = foreignName('team', entries, [{ type: 'dns', value }]);
    if (whose === 'theirs') expect(said).toBeUndefined();
    else expect(said).toContain('it may use alice.example, own.bob.alice.example and names beneath');
  });
});
