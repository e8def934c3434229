import type { ChipFacts } from './protocol.ts'

/** One query command of a vendor's tool. Run without a shell, in an empty directory, with a deadline. */
export interface ToolCommand {
  /** Tried in order; the first that exists is run. Bare names are looked up on PATH. */
  readonly candidates: readonly string[]
  readonly args: readonly string[]
  readonly timeoutMs: number
}

export type ToolOutcome =
  | { readonly kind: 'output'; readonly stdout: string; readonly stderr: string; readonly exitCode: number | null }
  | { readonly kind: 'missing' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'too-large' }

/** What the agent lends a driver: the only ways by which a driver touches the machine. */
export interface DriverHost {
  run(command: ToolCommand): Promise<ToolOutcome>
  /** `null` when the file is absent or unreadable. */
  readFile(path: string): Promise<string | null>
  readDirectory(path: string): Promise<readonly string[]>
  readonly platform: NodeJS.Platform
  readonly architecture: string
}

export interface PciFunction {
  readonly address: string
  readonly vendorId: string
  readonly deviceId: string
  readonly classCode: string
  readonly numaNode: number | null
}

export interface ProductSheet {
  readonly product: string
  readonly peaks: readonly { readonly dtype: string; readonly teraops: number; readonly sparse: boolean }[]
  readonly bandwidthBytesPerSecond: number | null
  readonly source: string
  readonly confidence: 'high' | 'medium' | 'low'
}

/** How a process is told which chips it may use. */
export interface LaunchBinding {
  readonly env: Readonly<Record<string, string>>
  readonly devices: readonly string[]
  readonly mounts: readonly string[]
}

/** One vendor. Everything that differs between vendors is behind this. */
export interface ChipDriver {
  readonly name: string
  /** Shown as `layout unverified` where no real output of the tool was seen. */
  readonly layoutVerified: boolean
  readonly pciVendorIds: readonly string[]
  readonly kubernetesResources: readonly string[]
  readonly torchDevice: string | null
  readonly collectiveLibrary: string | null
  readonly sheets: readonly ProductSheet[]
  /**
   * Finds and reads the vendor's chips. `pci` holds the functions of this vendor only; chips that are on the bus
   * but not in the tool's answer are returned as `lost`. Never throws: a failure is a chip that is `unusable`, or
   * an empty list where there is no hardware.
   */
  read(host: DriverHost, pci: readonly PciFunction[]): Promise<readonly ChipFacts[]>
  bind(chips: readonly ChipFacts[]): LaunchBinding
}
