import { z } from 'zod';

/** An image's repository: the reference without tag and digest. */
export function imageRepository(image: string): string {
  const [reference = ''] = image.split('@');
  const colon = reference.lastIndexOf(':');
  // A colon before the last slash belongs to a registry's port.
  return colon > reference.lastIndexOf('/') ? reference.slice(0, colon) : reference;
}

/** An image that no later push can change. */
export const imageByDigest = z
  .string()
  .max(500, { abort: true })
  .regex(
    /^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$/,
    'must name an image by its digest: <repository>@sha256:<64 hexadecimal digits>',
  );
