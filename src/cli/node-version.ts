/** The oldest major version of Node that still gets security fixes. */
const oldestMaintained = 22;
const recommended = 24;

/** What is said at the start under a Node that gets no security fixes anymore; undefined under a newer one. */
export function nodeAdvice(version: string = process.version): string | undefined {
  const major = Number(/^v(\d+)\./.exec(version)?.[1]);
  return major < oldestMaintained
    ? `Node ${version.slice(1)} gets no security fixes anymore; Tenantry runs, but Node ${recommended} is recommended`
    : undefined;
}
