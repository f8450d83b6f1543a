import { createHash, randomBytes } from 'node:crypto';

/** What all tickets begin with, so that scanners for secrets and masks of logs find them. */
const PREFIX = 'tnt_';
const whole = /^tnt_[\w-]{43}$/;

/** A new ticket of 256 random bits. */
export function newTicketText(): string {
  return `${PREFIX}${randomBytes(32).toString('base64url')}`;
}

export function isWholeTicket(text: string): boolean {
  return whole.test(text);
}

export function hashOfTicket(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
