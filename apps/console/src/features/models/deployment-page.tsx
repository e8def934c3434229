export function DeploymentPage() {
  return null
}
export function RevisionPage() {
  return null
}
