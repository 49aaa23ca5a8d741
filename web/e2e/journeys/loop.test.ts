// The product's main job, done in the browser by everybody who takes part: from a resident's words and photo to an answer
// given in person, verified, closed, provable by its receipt, and taken up again when the resident objects.
import { text } from 'node:stream/consumers'
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { act, choose, field, offers, openCase } from '../kit/desk'
import { leave, PHONE, shoot, staff, visitor } from '../kit/people'
import { photo } from '../kit/photo'
import { pointOf, report } from '../kit/portal'

const morning = inject('morning')
const MATTER = '映月路路口的路灯不亮三天了，晚上黑漆漆的，老人差点摔跤'

/** Clause ZS-08, YC-09 */
test('a report goes round the loop to a verified answer, and comes back when the resident objects', async () => {
  const resident = await visitor(morning, { size: PHONE, at: await pointOf(morning, '海晏第一网格') })
  const made = await report(resident.page, { body: MATTER, here: true, photo: photo('dark-street'), phone: '13900001234', name: '林女士' })
  await accessible(resident.page, 'after reporting')
  await shoot(resident.page, 'portal-done')
  const [download] = await Promise.all([resident.page.waitForEvent('download'), resident.page.getByRole('button', { name: '保存回执文件' }).click()])
  const receipt = await text(await download.createReadStream())

  // Classified by content, with the words that decided; sure enough by the pack to go on at once, to the body whose matter it is.
  const dispatcher = await staff(morning, 'dispatcher')
  await openCase(dispatcher.page, made.number)
  await see(dispatcher.page.locator('.suggestions .tag', { hasText: '路灯不亮' }))
  await see(dispatcher.page.getByText('等字词自动分类为“路灯与景观照明”'))
  await accessible(dispatcher.page, 'case page')
  await shoot(dispatcher.page, 'desk-case')
  await see(dispatcher.page.getByText('望海门街道综合行政执法').first())

  // The first unit returns it, with a reason; the dispatcher sends it on to another.
  const handler = await staff(morning, 'handler')
  await openCase(handler.page, made.number)
  await act(handler.page, /^退回/, async (form) => {
    await choose(handler.page, form.getByRole('combobox', { name: '退回原因' }), '不属于本单位职责')
    await field(form, '理由').fill('该路灯属住建部门管养，不在街道执法职责内')
  })
  await leave(handler)
  await dispatcher.page.reload()
  await see(dispatcher.page.getByText('退回 1 次'))
  await act(dispatcher.page, /^派遣/, async (form) => {
    await choose(dispatcher.page, form.getByRole('combobox', { name: '单位' }), '住房和城乡建设局')
    await field(form, '理由').fill('路灯由住建局管养')
  })
  await see(dispatcher.page.getByText('望海市住房和城乡建设局').first())
  await leave(dispatcher)

  // Taken, done, with photos before and after.
  const housing = await staff(morning, 'housing')
  await openCase(housing.page, made.number)
  await act(housing.page, /^签收/)
  await act(housing.page, /^办结/, async (form) => {
    await field(form, '办理结果').fill('更换灯泡和镇流器，已恢复照明')
    const files = form.locator('input[type=file]')
    await files.first().setInputFiles(photo('before'))
    await files.nth(1).setInputFiles(photo('after'))
    await gone(form.locator('progress'))
  })
  await shoot(housing.page, 'desk-handled')
  await leave(housing)

  // Answered in person by the grid's own worker.
  const worker = await staff(morning, 'grid')
  await openCase(worker.page, made.number)
  await act(worker.page, /^反馈/, async (form) => {
    await form.getByRole('radio', { name: '上门当面' }).check({ force: true })
    await field(form, '内容').fill('路灯已经修好，今晚就亮。')
    await field(form, '居民怎么说').fill('看到亮了，谢谢')
  })
  await leave(worker)

  // Verified by somebody who neither handled nor answered.
  const verifier = await staff(morning, 'verifier')
  await verifier.page.goto('/desk/verify')
  await see(verifier.page.getByRole('heading', { name: '核查' }))
  await accessible(verifier.page, 'verification')
  await shoot(verifier.page, 'desk-verify')
  await openCase(verifier.page, made.number)
  await act(verifier.page, /^核查/, async (form) => {
    await form.getByRole('radio', { name: '核查通过' }).check({ force: true })
    await field(form, '说明').fill('夜间到场，路灯正常')
  })
  if (await offers(verifier.page, /^结案/)) await act(verifier.page, /^结案/, async () => undefined)
  await see(verifier.page.getByText('已结案').first())
  await leave(verifier)

  // The resident sees the answer, checks the receipt in the browser and by the server, and objects.
  const { page } = resident
  await page.getByRole('link', { name: '查进度' }).first().click()
  await see(page.getByText('已结案').first())
  await see(page.getByText('路灯已经修好，今晚就亮。'))
  await see(page.getByText('当面答复'))
  await accessible(page, 'follow')
  await shoot(page, 'portal-follow')
  await page.goto('/receipt')
  await page.getByLabel('或者把回执内容粘贴在这里').fill(receipt)
  await page.getByLabel(/您当时说的话/).fill(MATTER)
  await page.getByRole('button', { name: '核验' }).click()
  await see(page.getByRole('heading', { name: '核验通过' }))
  await see(page.getByText('您贴的原话和当时收到的一字不差'))
  await see(page.getByRole('heading', { name: '服务器的核对' }))
  expect(await page.locator('.checks li.bad').count()).toBe(0)
  await accessible(page, 'receipt')
  await shoot(page, 'portal-receipt')
  // One word altered, and it shows.
  await page.getByLabel(/您当时说的话/).fill(MATTER.replace('三天', '两天'))
  await page.getByRole('button', { name: '核验' }).click()
  await see(page.getByText('您贴的原话和当时收到的不一样'))

  await page.goto(`/follow/${made.number}`)
  await page.getByRole('button', { name: '没有解决' }).click()
  await page.getByRole('button', { name: '要求重新办理' }).click()
  await see(page.getByText('请说说哪里没有解决'))
  await field(page, '哪里没有解决').fill('昨晚又不亮了')
  await page.getByRole('button', { name: '要求重新办理' }).click()
  await see(page.getByText('已经转回去重新办理。'))
  await gone(page.locator('.now', { hasText: '已结案' }))
  expect(await textOf(page.locator('.now'))).not.toContain('已结案')

  const again = await staff(morning, 'dispatcher')
  await openCase(again.page, made.number)
  await see(again.page.getByText('昨晚又不亮了').first())
  await leave(again, resident)
})
