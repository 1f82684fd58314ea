// Reads `cert-manager.io/secret-template`: labels and annotations for the Secret, as JSON. Called by annotation-table.ts.
// What the API server would refuse on the Secret is refused here, where the event can name the annotation.

import type { SecretTemplate } from '../api/certmanager.ts';

const qualifiedName = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const reserved = 'cert-manager.io/';

/** Undefined where it is no such object; an object without entries is an empty template. */
export function readSecretTemplate(value: string): SecretTemplate | undefined {
  const parsed = parseJson(value);
  if (!isObject(parsed)) return undefined;
  if (Object.keys(parsed).some((key) => key !== 'annotations' && key !== 'labels')) return undefined;
  const annotations = readTexts(parsed.annotations, () => true);
  const labels = readTexts(parsed.labels, (text) => labelValue.test(text));
  if (annotations === undefined || labels === undefined) return undefined;
  if (Object.keys(annotations).some((key) => key.startsWith(reserved))) return undefined;
  return {
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(Object.keys(labels).length > 0 && { labels }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readTexts(value: unknown, allowed: (text: string) => boolean): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) return undefined;
  const texts: [string, string][] = [];
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string' || !qualifiedName.test(key) || !allowed(text)) return undefined;
    texts.push([key, text]);
  }
  return Object.fromEntries(texts);
}
