import type { Command } from 'commander'
import { span } from '../arguments.ts'
import { CliError } from '../cli-error.ts'
import { isJson } from '../output.ts'
import { DEFAULT_PORT, dataDirectory, programVersion } from '../settings.ts'
import { up } from '../up/up.ts'

interface UpFlags {
  readonly port?: string
  readonly listen?: string
  readonly insecure?: true
  readonly model?: string
  readonly starter?: string | false
  readonly proving?: false
  readonly drain: string
  readonly sampleEvery: string
}

export function addUp(program: Command): void {
  program
    .command('up')
    .description('Start the factory on this machine and keep it running')
    .option('--data <dir>', 'data directory (default: $MEDLEY_DATA or ~/.medley)')
    .option(
      '--port <number>',
      `console and API; the gateway takes the next one (default: $MEDLEY_PORT or ${DEFAULT_PORT})`,
    )
    .option('--listen <address>', 'address to listen on; anything but loopback needs --insecure', '127.0.0.1')
    .option('--insecure', 'allow a plain-text listener beyond loopback')
    .option('--model <file>', 'GGUF file of the starter model (default: $MEDLEY_STARTER_MODEL)')
    .option('--no-starter', 'fetch and deploy no starter model')
    .option('--no-proving', 'do not measure this machine at start (`medley prove` does it later)')
    .option('--drain <seconds>', 'how long a stop waits for answers under way', '30')
    .option('--sample-every <span>', 'how often the chips are read, from 1s to 10m', '15s')
    .option('--json', 'print each step as a line of JSON, and at the end one object with addresses and key')
    .addHelpText('after', '\nExample:\n  medley up --data ./factory --port 7170')
    .action(async (_flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<UpFlags & { data?: string }>()
      const port = portNumber(flags.port ?? process.env.MEDLEY_PORT ?? String(DEFAULT_PORT))
      const host = flags.listen ?? '127.0.0.1'
      if (!isLoopback(host) && !flags.insecure) {
        throw new CliError(
          2,
          `--listen ${host} would serve keys and answers in plain text beyond this machine. ` +
            'Put a TLS proxy in front of loopback, or add --insecure if the network is trusted.',
        )
      }
      await up(dataDirectory(flags.data, process.env), {
        host,
        port,
        gatewayPort: port + 1,
        version: programVersion(),
        starterModel: flags.starter === false ? null : 'smollm2-135m-instruct',
        starterFile: flags.model ?? process.env.MEDLEY_STARTER_MODEL ?? null,
        prove: flags.proving !== false,
        drainSeconds: seconds(flags.drain),
        sampleIntervalMs: sampleInterval(flags.sampleEvery),
        json: isJson(command),
      })
    })
}

function portNumber(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_535) return port
  throw new CliError(2, `--port ${text} is not a port: give a number from 1 to 65534 (the gateway takes the next one)`)
}

function seconds(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new CliError(2, `--drain ${text} is not a number of seconds`)
}

function sampleInterval(text: string): number {
  const ms = span('--sample-every', text)
  if (ms >= 1_000 && ms <= 600_000) return ms
  throw new CliError(2, `--sample-every ${text} is not from 1s to 10m`)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}
