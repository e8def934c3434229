export function ChipsPage() {
  return null
}
