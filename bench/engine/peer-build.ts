export async function buildPeers(
  _say: (line: string) => void,
): Promise<{ server: string; batched: string; libraries: string } | null> {
  return null
}
