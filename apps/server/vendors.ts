import type { ChipDriver } from '@medley/fleet'
import type { Scope } from '@medley/kernel'
import type { CapacityStore, Sheet as ProductSheet } from '@medley/supply'
import { serverErrors } from './errors.ts'

/** What a vendor's maker says of a product, or the operator instead of him. */
export interface Sheet extends ProductSheet {
  /** Given by the operator instead of ours. */
  readonly overridden: boolean
}

export interface VendorView {
  readonly name: string
  readonly layoutVerified: boolean
  readonly domestic: boolean | null
  readonly pciVendorIds: readonly string[]
  readonly kubernetesResources: readonly string[]
  readonly torchDevice: string | null
  readonly collectiveLibrary: string | null
  readonly sheets: readonly Sheet[]
}

/** What is known of the vendors: from their drivers, and from operators who have the maker's own sheet. */
export interface Vendors {
  list(): Promise<readonly VendorView[]>
  /** @throws AppError `server.vendor.unknown` */
  get(name: string): Promise<VendorView>
  /** @throws AppError `server.vendor.unknown`, `supply.sheet.invalid` */
  override(scope: Scope, vendor: string, sheet: ProductSheet): Promise<Sheet>
  /** Ours again. @throws AppError `server.vendor.unknown`, `supply.sheet.unknown` */
  reset(vendor: string, product: string): Promise<void>
}

export function createVendors(ports: {
  readonly store: Pick<CapacityStore, 'putSheet' | 'deleteSheet' | 'sheets'>
  readonly drivers: readonly ChipDriver[]
}): Vendors {
  const driverOf = (name: string): ChipDriver => {
    const driver = ports.drivers.find((each) => each.name === name)
    if (!driver) throw serverErrors['vendor.unknown']({ name })
    return driver
  }
  async function viewsOf(drivers: readonly ChipDriver[]): Promise<VendorView[]> {
    const given = await ports.store.sheets()
    return drivers.map((driver) => {
      const own = given.filter(({ vendor }) => vendor === driver.name)
      return viewOf(
        driver,
        own.map(({ sheet }) => sheet),
      )
    })
  }
  return {
    list: () => viewsOf(ports.drivers),
    async get(name) {
      const [view] = await viewsOf([driverOf(name)])
      return view as VendorView
    },
    async override(scope, vendor, sheet) {
      const given = await ports.store.putSheet(scope, driverOf(vendor).name, sheet)
      return { ...given.sheet, overridden: true }
    },
    reset: async (vendor, product) => ports.store.deleteSheet(driverOf(vendor).name, product),
  }
}

/** The operator's sheets stand for ours of the same product, and beside them for products we have none of. */
function viewOf(driver: ChipDriver, given: readonly ProductSheet[]): VendorView {
  const ours = driver.sheets.filter(({ product }) => !given.some((sheet) => sheet.product === product))
  const { name, layoutVerified, domestic, pciVendorIds, kubernetesResources, torchDevice, collectiveLibrary } = driver
  return {
    name,
    layoutVerified,
    domestic,
    pciVendorIds,
    kubernetesResources,
    torchDevice,
    collectiveLibrary,
    sheets: [
      ...given.map((sheet) => ({ ...sheet, overridden: true })),
      ...ours.map((sheet) => ({ ...sheet, overridden: false })),
    ].toSorted((left, right) => (left.product < right.product ? -1 : 1)),
  }
}
