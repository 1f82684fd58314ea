// Renewal information (RFC 9773) at a real Pebble, which also serves whatever a test tells it to.

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseRenewalInfo, renewalInfo } from '../../src/acme/renewal-info.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { type OwnCa, startOwnCa } from './own-ca.ts';
import { startScriptedCa } from './scripted-ca.ts';
import { got, issue, newSession, problemOf } from './steps.ts';

const hour = 3_600_000;
const day = 24 * hour;
let ca: OwnCa;
let issued: { readonly chainPem: string; readonly certId: string };
beforeAll(async () => {
  ca = await startOwnCa();
  await using endpoint = ca.open();
  const { chainPem } = await issue(await newSession(endpoint), ['ari.example.com'], ca.answers);
  issued = { chainPem, certId: certIdOf(chainPem) };
}, 120_000);
afterAll(() => ca[Symbol.asyncDispose]());

/** RFC 9773 §4.1, by the certificate's own fields. */
function certIdOf(pem: string): string {
  const facts = readCertificate(pem);
  if (!facts.ok) throw new Error(facts.problem.message);
  const { serial, authorityKeyId = Buffer.alloc(0) } = facts.value;
  const number = Buffer.from(serial.padStart(serial.length + (serial.length % 2), '0'), 'hex');
  const der = (number[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), number]) : number;
  return `${authorityKeyId.toString('base64url')}.${der.toString('base64url')}`;
}

async function suggest(answer: string): Promise<void> {
  const certificate = new X509Certificate(issued.chainPem).toString();
  await ca.manage('/set-renewal-info/', { Certificate: certificate, ARIResponse: answer });
}

describe('renewal information', () => {
  test('names a window inside the certificate’s life, and when to ask again', async () => {
    const asked: string[] = [];
    await using endpoint = ca.open({ onRequest: ({ action }) => void asked.push(action) });
    const now = Date.now();
    const info = got(await renewalInfo(endpoint, issued.certId, now));
    const { validToDate } = new X509Certificate(issued.chainPem);
    expect(info?.window.start).toBeGreaterThan(now);
    expect(info?.window.end).toBeLessThan(validToDate.getTime());
    expect(Math.abs((info?.askAgainAt ?? 0) - (now + 6 * hour))).toBeLessThan(hour);
    // No account and no nonce: anybody may ask.
    expect(asked).toEqual(['directory', 'renewalInfo']);
  });

  test('carries the page that explains it', async () => {
    const window = { start: '2026-01-02T04:00:00Z', end: '2026-01-03T04:00:00Z' };
    await suggest(JSON.stringify({ suggestedWindow: window, explanationURL: 'https://ca.example.com/incident' }));
    await using endpoint = ca.open();
    expect(got(await renewalInfo(endpoint, issued.certId, Date.now()))).toMatchObject({
      window: { start: Date.parse(window.start), end: Date.parse(window.end) },
      explanationUrl: 'https://ca.example.com/incident',
    });
  });

  test.each([
    ['no JSON', '<html>'],
    ['no window', '{"suggestedWindow":null}'],
    ['half a window', '{"suggestedWindow":{"start":"2026-01-02T04:00:00Z"}}'],
    ['a window that ends first', '{"suggestedWindow":{"start":"2026-01-02T04:00:00Z","end":"2026-01-02T03:00:00Z"}}'],
    ['words for times', '{"suggestedWindow":{"start":"soon","end":"later"}}'],
  ])('that is %s is none', async (_, answer) => {
    await suggest(answer);
    await using endpoint = ca.open();
    expect(problemOf(await renewalInfo(endpoint, issued.certId, Date.now()))).toMatchObject({ kind: 'malformed' });
  });

  test('of a certificate that the CA does not know is refused', async () => {
    await using endpoint = ca.open();
    const stranger = `${issued.certId.split('.')[0]}.AAAA`;
    expect(problemOf(await renewalInfo(endpoint, stranger, Date.now()))).toMatchObject({
      kind: 'refused',
      status: 404,
    });
  });

  test('is not asked for at a CA that has none', async () => {
    await using scripted = await startScriptedCa();
    expect(got(await renewalInfo(scripted.open(), issued.certId, 0))).toBeUndefined();
    expect(scripted.asked.map(({ path }) => path)).toEqual(['/dir']);
  });

  test.each([
    ['1', 60_000],
    ['7200', 2 * hour],
    ['9999999', day],
    [undefined, 6 * hour],
  ])('is asked for again after %s s as after %i ms', async (seconds, wait) => {
    const window = { suggestedWindow: { start: '2026-01-02T04:00:00Z', end: '2026-01-03T04:00:00Z' } };
    await using scripted = await startScriptedCa(({ path }) => {
      const urls = ['newNonce', 'newAccount', 'newOrder', 'renewalInfo'].map((name) => [
        name,
        `${scripted.origin}/${name}`,
      ]);
      if (path === '/dir') return { kind: 'reply', body: JSON.stringify(Object.fromEntries(urls)) };
      return { kind: 'reply', headers: { 'retry-after': seconds }, body: JSON.stringify(window) };
    });
    const now = Date.parse('2026-11-21T12:00:00Z');
    const info = got(await renewalInfo(scripted.open({ now: () => now }), issued.certId, now));
    expect((info?.askAgainAt ?? 0) - now).toBe(wait);
    expect(scripted.asked.at(-1)).toMatchObject({ method: 'GET', path: `/renewalInfo/${issued.certId}` });
  });
});

test('an explanation that is no https URL is left out', () => {
  const suggestedWindow = { start: '2026-01-02T04:00:00Z', end: '2026-01-03T04:00:00Z' };
  for (const explanationURL of ['javascript:alert(1)', 'http://ca.example.com/', 7, '']) {
    const parsed = parseRenewalInfo({ suggestedWindow, explanationURL });
    expect(parsed).toMatchObject({ ok: true, value: { window: {} } });
    expect(parsed.ok && parsed.value.explanationUrl).toBeUndefined();
  }
});
