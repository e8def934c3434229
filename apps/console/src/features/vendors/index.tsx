import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'
import { vendorsSearch } from './search.ts'

const vendorsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/vendors',
  validateSearch: vendorsSearch,
  component: lazyRouteComponent(() => import('./vendors-page.tsx'), 'VendorsPage'),
})
const vendorRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/vendors/$vendorName',
  component: lazyRouteComponent(() => import('./vendor-page.tsx'), 'VendorPage'),
})

function VendorIcon() {
  return (
    <svg
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.3"
      aria-hidden="true"
    >
      <path d="M1.8 14.2V6.6l4 2.4V6.6l4 2.4V2h4.4v12.2zM4.6 11.6h1.6M8.4 11.6H10M11.4 5h1.4" />
    </svg>
  )
}

export const vendorRoutes = [vendorsRoute, vendorRoute] as const
export const vendorNav: NavEntry = {
  to: '/vendors',
  group: 'compute',
  label: { en: 'Vendors', 'zh-CN': '厂商' },
  icon: <VendorIcon />,
  needs: 'chips:read',
}
