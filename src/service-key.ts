import { createHash, randomBytes } from 'node:crypto';

/** What all keys begin with, so that scanners for secrets find them. */
const PREFIX = 'tnk_';
/** Of 256 bits in base64url. */
const SECRET_LENGTH = 43;
/** How much of a key tells it from others: 48 of its 256 bits. */
const SHOWN_LENGTH = PREFIX.length + 8;

/** A new key: the text that is shown once, and what of it is kept. */
export interface NewKeyText {
  readonly text: string;
  readonly hash: Buffer;
  readonly prefix: string;
}

export function newKeyText(): NewKeyText {
  const text = `${PREFIX}${randomBytes(32).toString('base64url')}`;
  return { text, hash: hashOfKey(text), prefix: text.slice(0, SHOWN_LENGTH) };
}

/** Whether a token is meant as a key. */
export function isKey(token: string): boolean {
  return token.startsWith(PREFIX);
}

/** Whether a token has the form of a key. */
export function isWholeKey(token: string): boolean {
  return token.length === PREFIX.length + SECRET_LENGTH && /^tnk_[\w-]+$/.test(token);
}

/** By it a key is looked up: how far it differs from that of another key says nothing about either. */
export function hashOfKey(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
