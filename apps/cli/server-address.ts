import { CliError } from './cli-error.ts'

/**
 * The address of a server as given, checked: keys and readings leave this machine only over TLS.
 *
 * @throws CliError with exit code 2
 */
export function serverAddress(text: string, insecure: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new CliError(2, `${text} is not the address of a server: write it as https://medley.example.com`)
  const loopback = ['localhost', '[::1]'].includes(url.hostname) || /^127\./.test(url.hostname)
  if (url.protocol === 'http:' && !loopback && !insecure) {
    throw new CliError(
      2,
      `${text} would be spoken to in plain text beyond this machine. ` +
        'Use its https address, or add --insecure if the network is trusted.',
    )
  }
  return url.href
}
