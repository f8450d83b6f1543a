import { expect, it } from 'vitest';
import { otherPortsLine } from '../../../sandbox/parts/ports.ts';

it('parts whose usual ports are taken are named in one line, with the ports that they have', () => {
  const usual = { of: 'Temporal', usual: 7233, port: 7233 };
  const api = { of: 'the API', usual: 3006, port: 41001 };
  expect(otherPortsLine([usual])).toBeUndefined();
  expect(otherPortsLine([api, usual])).toBe('taken by others: port 3006, so the API is at 41001');
  expect(otherPortsLine([api, { ...usual, port: 41002 }])).toBe(
    'taken by others: port 3006, so the API is at 41001; port 7233, so Temporal is at 41002',
  );
});
