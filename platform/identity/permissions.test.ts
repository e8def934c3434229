import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allows, permissionsOf } from './index.ts'

describe('allows', () => {
  it('grants the operator everything that anybody may do', () => {
    for (const role of ['developer', 'auditor']) {
      expect(permissionsOf('operator')).toEqual(expect.arrayContaining([...permissionsOf(role)]))
    }
  })

  it('lets an auditor look and never change', () => {
    expect(permissionsOf('auditor').length).toBeGreaterThan(0)
    expect(permissionsOf('auditor').filter((permission) => !permission.endsWith(':read'))).toEqual([])
    expect(allows('developer', 'keys:write')).toBe(true)
    expect(allows('developer', 'deployments:write')).toBe(false)
    for (const hidden of ['join-tokens:read', 'audit:read'] as const) {
      expect([allows('auditor', hidden), allows('developer', hidden)], hidden).toEqual([true, false])
    }
  })

  it('denies whoever it does not know', () => {
    fc.assert(
      fc.property(
        fc.string().filter((role) => !['operator', 'developer', 'auditor'].includes(role)),
        (role) => !permissionsOf('operator').some((permission) => allows(role, permission)),
      ),
    )
    expect(permissionsOf('constructor')).toEqual([])
  })
})
