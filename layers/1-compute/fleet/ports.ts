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

/** A fact as plain data: what a topology, a version file or an error text says. */
export type Fact = string | number | boolean | null | readonly Fact[] | { readonly [name: string]: Fact }

/** What one saved output of a vendor's tool says, read alone: without the bus and without other commands. */
export interface ParsedOutput {
  /** The command that made the text, as it would be typed; `null` where no command of this vendor is known to. */
  readonly command: string | null
  /**
   * Empty for outputs that list no devices. A chip whose output names no uuid has one that starts with
   * `VENDOR-`, made from its address or index.
   */
  readonly chips: readonly ChipFacts[]
  /** Facts that belong to no single chip: versions, topology, links, errors. */
  readonly facts: Readonly<Record<string, Fact>>
  /** The text itself (its first 64 KiB) where nothing could be read of it, for a bug report; else `null`. */
  readonly raw: string | null
}

/** One vendor. Everything that differs between vendors is behind this. */
export interface ChipDriver {
  readonly name: string
  /** Shown as `layout unverified` where no real output of the tool was seen. */
  readonly layoutVerified: boolean
  /** Whether the maker is one of China's own, of which operators there must report the share; `null`: not known. */
  readonly domestic: boolean | null
  /** `*` stands for all: the driver sorts out by itself what it knows. */
  readonly pciVendorIds: readonly string[]
  readonly kubernetesResources: readonly string[]
  readonly torchDevice: string | null
  readonly collectiveLibrary: string | null
  readonly sheets: readonly ProductSheet[]
  /** Prints the links between the vendor's chips. Asked once an hour; what it prints is read by `parseOutput`. */
  readonly topology?: Pick<ToolCommand, 'candidates' | 'args'>
  /**
   * Finds and reads the vendor's chips. `pci` holds the functions of this vendor only; chips that are on the bus
   * but not in the tool's answer are returned as `lost`. Never throws: a failure is a chip that is `unusable`, or
   * an empty list where there is no hardware.
   */
  read(host: DriverHost, pci: readonly PciFunction[]): Promise<readonly ChipFacts[]>
  bind(chips: readonly ChipFacts[]): LaunchBinding
  /** Which of the vendor's commands made this text, by what stands in it; `null` for none of them. */
  recognise(text: string): string | null
  /**
   * Reads one saved output. `command` overrides what {@link ChipDriver.recognise} says; where the text names no
   * columns, the fields asked for in it do. Never throws: text that cannot be read comes back as `raw`.
   */
  parseOutput(text: string, command?: string): ParsedOutput
}
