export function ChipPage() {
  return null
}
