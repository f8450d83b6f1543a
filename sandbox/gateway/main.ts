// The gateway without the rest: tsx sandbox/gateway/main.ts --upstream http://127.0.0.1:4566 [--port N] ...
import { gatewayCommand } from './command.ts';

await gatewayCommand().parseAsync();
