// One question to one server: what counts as its answer, over UDP, TCP and HTTPS.

import * as packet from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { ask, lookUp } from '../../src/dns/ask.ts';
import { decodeAnswer, encodeQuestion } from '../../src/dns/message.ts';
import { type Nameserver, readNameserver, spellNameserver } from '../../src/dns/nameserver.ts';
import { listenDns, type Respond } from '../rig/dns/listen.ts';
import { startLoopbackApi } from './loopback-api.ts';
import { got, https, never, problemIn, viewOf } from './stage.ts';

const question = { name: 'www.example.test.', type: 'TXT', recursion: 'desired' } as const;

function txt(message: Buffer, value: string, change: Partial<packet.Packet> = {}): Buffer {
  const { id, questions = [] } = packet.decode(message);
  const answers = [{ type: 'TXT' as const, name: 'www.example.test', ttl: 1, data: value }];
  return packet.encode({ type: 'response', ...(id !== undefined && { id }), questions, answers, ...change });
}

async function asked(respond: Respond) {
  await using server = await listenDns('127.0.0.1', undefined, respond);
  return await ask({ kind: 'dns', host: '127.0.0.1', port: server.port }, question, https, never);
}

describe('an answer', () => {
  it('is taken over UDP when it is whole', async () => {
    const transports: string[] = [];
    const answer = await asked(async (message, over) => {
      transports.push(over);
      return txt(message, 'proof');
    });
    expect(got(answer)).toMatchObject({ code: 'NOERROR', answers: [{ type: 'TXT', data: [Buffer.from('proof')] }] });
    expect(transports).toEqual(['udp']);
  });

  it('is fetched over TCP when it is cut', async () => {
    const answer = await asked(async (message, over) =>
      over === 'udp' ? txt(message, 'pro', { flags: packet.TRUNCATED_RESPONSE, answers: [] }) : txt(message, 'proof'),
    );
    expect(got(answer).answers).toMatchObject([{ data: [Buffer.from('proof')] }]);
  });

  it('is fetched over TCP when UDP is dropped on the way', async () => {
    const answer = await asked(async (message, over) => (over === 'udp' ? undefined : txt(message, 'proof')));
    expect(got(answer).code).toBe('NOERROR');
  });

  it.each([
    ['has another id', { id: 1 }],
    ['is to another name', { questions: [{ type: 'TXT', name: 'other.example.test' }] }],
    ['is to another type', { questions: [{ type: 'A', name: 'www.example.test' }] }],
    ['repeats no question', { questions: [] }],
    ['is a question itself', { type: 'query' }],
  ] as const)('that %s is none', (_, change) => {
    const sent = encodeQuestion(question, 4711);
    const bytes = txt(sent, 'proof', change as Partial<packet.Packet>);
    expect(decodeAnswer(txt(sent, 'proof'), question, 4711)?.code).toBe('NOERROR');
    expect(decodeAnswer(bytes, question, 4711)).toBeUndefined();
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['noise', Buffer.from('noise noise noise')],
    ['half a message', txt(encodeQuestion(question, 4711), 'proof').subarray(0, 40)],
  ])('that is %s is none', (_, bytes) => {
    expect(decodeAnswer(bytes, question, 4711)).toBeUndefined();
  });

  it('may say that the question was not understood without repeating it', () => {
    const formerr = Buffer.concat([encodeQuestion(question, 4711).subarray(0, 2), Buffer.of(0x80, 1), Buffer.alloc(8)]);
    expect(decodeAnswer(formerr, question, 4711)).toMatchObject({ code: 'FORMERR' });
  });
});

describe('a question', () => {
  it('says how large an answer may be, and whether the server should ask others', () => {
    const sent = packet.decode(encodeQuestion(question, 4711));
    expect(sent).toMatchObject({ id: 4711, flag_rd: true, additionals: [{ type: 'OPT', udpPayloadSize: 1232 }] });
    expect(packet.decode(encodeQuestion({ ...question, recursion: 'none' }, 1)).flag_rd).toBe(false);
  });

  it('goes over HTTPS where the nameserver is a URL', async () => {
    const { id: _, ...rest } = packet.decode(encodeQuestion(question, 0));
    const reply = packet.encode({
      ...rest,
      id: 0,
      type: 'response',
      additionals: [],
      answers: [{ type: 'TXT', name: 'www.example.test', data: 'proof' }],
    });
    await using api = await startLoopbackApi(() => ({ status: 200, body: reply }));
    const answer = await ask({ kind: 'https', url: `${api.url}/dns-query` }, question, https, never);
    expect(got(answer).answers).toMatchObject([{ data: [Buffer.from('proof')] }]);
    expect(api.asked[0]).toMatchObject({
      method: 'POST',
      path: '/dns-query',
      headers: { 'content-type': 'application/dns-message', accept: 'application/dns-message' },
    });
  });

  it('is not answered by a web page', async () => {
    await using api = await startLoopbackApi(() => ({ status: 404, body: 'no such page' }));
    const answer = await ask({ kind: 'https', url: api.url }, question, https, never);
    expect(problemIn(answer)).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('status 404') });
  });

  it('needs somebody to be asked', async () => {
    expect(problemIn(await lookUp(viewOf(), 'example.test.', 'SOA', never))).toMatchObject({ kind: 'misconfigured' });
  });
});

describe('a nameserver', () => {
  const dns = (host: string, port: number): Nameserver => ({ kind: 'dns', host, port });
  it.each([
    ['9.9.9.9', dns('9.9.9.9', 53), '9.9.9.9'],
    ['9.9.9.9:5353', dns('9.9.9.9', 5353), '9.9.9.9:5353'],
    ['9.9.9.9:', dns('9.9.9.9', 53), '9.9.9.9'],
    ['ns1.example.com:53', dns('ns1.example.com', 53), 'ns1.example.com'],
    ['dns.kube-system.svc', dns('dns.kube-system.svc', 53), 'dns.kube-system.svc'],
    ['2001:db8::1', dns('2001:db8::1', 53), '2001:db8::1'],
    ['[2001:db8::1]:5353', dns('2001:db8::1', 5353), '[2001:db8::1]:5353'],
    [' [2001:db8::1] ', dns('2001:db8::1', 53), '2001:db8::1'],
    [
      'https://dns.example/dns-query',
      { kind: 'https', url: 'https://dns.example/dns-query' },
      'https://dns.example/dns-query',
    ],
  ] as const)('%j is understood', (text, server, spelled) => {
    expect(readNameserver(text)).toEqual(server);
    expect(spellNameserver(server)).toBe(spelled);
  });

  it.each([
    '',
    ':53',
    'http://dns.example',
    '9.9.9.9:0',
    '9.9.9.9:70000',
    'two words',
    '[nonsense]:53',
    'https://user:secret@dns.example',
  ])('%j is not', (text) => {
    expect(readNameserver(text)).toBeUndefined();
  });
});
