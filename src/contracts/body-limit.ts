/** Bytes of JSON that the API takes as the body of a request. */
export const LARGEST_BODY_BYTES = 64 * 1024;
