import { loadApiToken, loadApiUrl, loadSignIn, loadStateDirectory } from '../config.ts';
import type { CheckedCommand } from './checked-command.ts';
import type { SetExitCode } from './command-parts.ts';
import { refuseOpenWay } from './credentials.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { interruptible } from './interruption.ts';
import type { Terminal } from './output.ts';
import {
  readSession,
  removeSession,
  sessionFile,
  SessionFileError,
  writeSession,
  type SessionPlace,
} from './session-file.ts';
import { withFileLock } from './session-lock.ts';
import type { SignInPrompt } from './sign-in.ts';

const help = `
Environment:
  TENANTRY_API_URL         address of the API (default http://127.0.0.1:3006): the sign-in is for it alone
  TENANTRY_OIDC_ISSUER     the identity provider, as the API has it
  TENANTRY_OIDC_CLIENT_ID  the public client that it knows the command line by, with device flow
  TENANTRY_OIDC_AUDIENCE   what the token is to be for, as the API has it; unset: the issuer knows by the client
  TENANTRY_OIDC_SCOPE      default "openid offline_access"
Programs set TENANTRY_API_TOKEN to a token or a service key instead; it goes before a sign-in.`;

/** `tenantry login` and `tenantry logout`. */
export function registerLogin(program: CheckedCommand, terminal: Terminal, setExitCode: SetExitCode): void {
  program
    .command('login')
    .description(
      'sign in at the identity provider, in a browser anywhere; the commands are the signed-in caller from then on',
    )
    .addHelpText('after', help)
    .action(async () => setExitCode(await login(terminal)));
  program
    .command('logout')
    .description('end the sign-in for the API at TENANTRY_API_URL, here and at the identity provider')
    .action(async () => setExitCode(await logout(terminal)));
}

async function login(terminal: Terminal): Promise<ExitCode> {
  const { out, err } = terminal;
  const config = loadSignIn();
  const place = placeOf(loadApiUrl());
  refuseOpenWay(place.apiUrl);
  const { signIn } = await import('./sign-in.ts');
  const ask = ({ url, code, validSeconds }: SignInPrompt) => {
    const minutes = Math.max(1, Math.floor(validSeconds / 60));
    err.write(`Open ${url}\nand confirm that it shows the code ${code} (it works for ${minutes} min).\n`);
  };
  const left = () => ({ message: 'the sign-in was left: nothing of it is kept', more: [] });
  const { subject, ...signedIn } = await interruptible(terminal, {}, left, () => signIn(config, ask));
  await withFileLock(sessionFile(place), () => {
    writeSession(place, { apiUrl: place.apiUrl, ...signedIn });
    return Promise.resolve();
  });
  out.write(`signed in${subject === undefined ? '' : ` as ${subject}`} at ${config.issuer}, for ${place.apiUrl}\n`);
  if (loadApiToken() !== undefined) err.write('TENANTRY_API_TOKEN is set and goes before it: unset it\n');
  return exitCodes.done;
}

async function logout({ out, err }: Terminal): Promise<ExitCode> {
  const place = placeOf(loadApiUrl());
  const found = readForRemoval(place);
  if (!found) {
    out.write(`nobody is signed in for ${place.apiUrl}\n`);
    return exitCodes.done;
  }
  const ended = await withFileLock(sessionFile(place), async () => {
    // Another command may have got a new token meanwhile.
    const now = readForRemoval(place);
    removeSession(place);
    return now === 'unreadable' ? 'what is kept of it cannot be read' : now && endAtIssuer(now);
  });
  if (ended !== undefined) {
    err.write(`the sign-in is removed here, but not ended at the identity provider: ${ended}\n`);
    return exitCodes.failed;
  }
  out.write(`signed out of ${place.apiUrl}\n`);
  return exitCodes.done;
}

type Found = NonNullable<ReturnType<typeof readSession>>;

function readForRemoval(place: SessionPlace): Found | 'unreadable' | undefined {
  try {
    return readSession(place);
  } catch (error) {
    if (error instanceof SessionFileError) return 'unreadable';
    throw error;
  }
}

/** @returns why it did not */
async function endAtIssuer(session: Found): Promise<string | undefined> {
  const { revoked } = await import('./sign-in.ts');
  try {
    return (await revoked(session)) ? undefined : `${session.issuer} offers no revocation`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function placeOf(apiUrl: string): SessionPlace {
  const directory = loadStateDirectory();
  if (directory === undefined) throw new SessionFileError('there is no home to keep a sign-in in: set XDG_STATE_HOME');
  return { directory, apiUrl };
}
