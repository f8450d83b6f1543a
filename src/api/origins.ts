const loopback = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Whether a request comes from Temporal's UI; one on this machine has several names, and browsers tell them apart. */
export function isUiOrigin(origin: string | undefined, uiOrigin: string | undefined): origin is string {
  if (origin === undefined || uiOrigin === undefined) return false;
  if (origin === uiOrigin) return true;
  if (!URL.canParse(origin)) return false;
  const [given, ui] = [new URL(origin), new URL(uiOrigin)];
  return (
    given.protocol === ui.protocol &&
    given.port === ui.port &&
    loopback.test(given.hostname) &&
    loopback.test(ui.hostname)
  );
}
