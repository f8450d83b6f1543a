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

const MASK = '[ticket]';

/** A URL as it may be logged: without the value of `ticket`, however its name is written, and without anything that looks like one. */
export function withoutTicket(url: string): string {
  const [path = '', ...rest] = url.split('?');
  const query = rest.join('?').split('&').map(withoutValue).join('&');
  return `${path}${rest.length === 0 ? '' : `?${query}`}`.replaceAll(/tnt_[\w-]+/g, MASK);
}

function withoutValue(parameter: string): string {
  const at = parameter.indexOf('=');
  return at >= 0 && decoded(parameter.slice(0, at)).toLowerCase() === 'ticket'
    ? `${parameter.slice(0, at)}=${MASK}`
    : parameter;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
