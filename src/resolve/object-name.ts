// Whether a text can be the name of an object at all (RFC 1123 subdomain), as the API server will ask. Called where annotations and refs name one.

const pattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export function isObjectName(text: string): boolean {
  return text.length <= 253 && pattern.test(text);
}
