// A street lamp that is out, mended and told of: the way of a plain matter from the handler to the answer.
import { gone } from './check'
import { act, field, openCase } from './desk'
import { leave, staff } from './people'
import type { Site } from './setup'
import { photo } from './photo'

/** The answer the resident gets. */
export const LAMP_ANSWER = '灯换好了，今晚就亮。'

/** The handler accepts and finishes the case, the grid worker answers in person. */
export async function mendLamp(site: Site, number: string) {
  const handler = await staff(site, 'handler')
  await openCase(handler.page, number)
  await act(handler.page, /^签收/)
  await act(handler.page, /^办结/, async (form) => {
    await field(form, '办理结果').fill('已换灯泡，恢复照明')
    await form.locator('input[type=file]').nth(0).setInputFiles(photo('lamp-before'))
    await form.locator('input[type=file]').nth(1).setInputFiles(photo('lamp-after'))
    await gone(form.locator('progress'))
  })
  await leave(handler)
  const worker = await staff(site, 'grid')
  await openCase(worker.page, number)
  await act(worker.page, /^反馈/, async (form) => {
    await form.getByRole('radio', { name: '上门当面' }).check({ force: true })
    await field(form, '内容').fill(LAMP_ANSWER)
  })
  await leave(worker)
}
