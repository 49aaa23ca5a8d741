import { QueryClient } from '@tanstack/vue-query'
import { expect, test } from 'vitest'
import type { CaseDetail } from '@/api/types'
import { showUpdated } from './queries'

const at = (row_version: number) => ({ id: 'c1', row_version }) as CaseDetail

test('a look that began before an action does not put the old state back', async () => {
  const queries = new QueryClient()
  const key = ['case', 'c1', 'handle']
  queries.setQueryData(key, at(1))
  let answer = (_: CaseDetail) => {}
  const late = queries.fetchQuery({ queryKey: key, queryFn: () => new Promise<CaseDetail>((resolve) => (answer = resolve)) }).catch(() => undefined)
  await showUpdated(queries, 'handle', at(2))
  answer(at(1))
  await late
  expect(queries.getQueryData<CaseDetail>(key)?.row_version).toBe(2)
})
