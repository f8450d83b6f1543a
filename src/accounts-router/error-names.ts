/** Whether it is one of these errors of the SDK. By its name: a service may have another copy of the SDK than this package. */
export function isNamed(error: unknown, ...names: readonly string[]): error is Error {
  return error instanceof Error && names.includes(error.name);
}
