// The administrators: an account with a one-time password, posts with stand-ins, leave, and an import with a dry run.
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { choose, dialog, field, fillTime } from '../kit/desk'
import { leave, PHONE, shoot, signIn, staff, visitor } from '../kit/people'

const morning = inject('morning')

test('a new account gets a one-time password that must be changed', async () => {
  const security = await staff(morning, 'security')
  await security.page.goto('/desk/admin/accounts')
  await see(security.page.getByRole('cell', { name: 'dispatcher' }))
  await accessible(security.page, 'accounts')
  await shoot(security.page, 'desk-accounts')
  await security.page.getByRole('button', { name: '新增账号' }).click()
  const form = dialog(security.page)
  await field(form, '账号').fill('new.clerk')
  await field(form, '姓名').fill('试用 <b>新人</b>')
  await choose(security.page, form.getByRole('combobox', { name: '角色' }), '受理员')
  await form.getByRole('button', { name: '保存' }).click()
  const password = await textOf(dialog(security.page).locator('code'))
  await shoot(security.page, 'desk-one-time-password')
  await security.page.getByRole('button', { name: '已转告' }).click()
  await gone(security.page.getByText(password))

  const fresh = await visitor(morning, { size: PHONE })
  await signIn(fresh.page, 'new.clerk', password)
  await fresh.page.waitForURL('**/desk/password')
  await see(fresh.page.getByText('您使用的是一次性密码'))
  await accessible(fresh.page, 'forced change of password')
  // No other page before the change.
  await fresh.page.goto('/desk/intake')
  await fresh.page.waitForURL('**/desk/password')
  await field(fresh.page, '当前密码').fill(password)
  await field(fresh.page, '新密码').fill('short')
  await field(fresh.page, '再输入一次新密码').fill('other')
  await see(fresh.page.getByText('两次输入的新密码不一致'))
  await field(fresh.page, '再输入一次新密码').fill('short')
  await fresh.page.getByRole('button', { name: '保存新密码' }).click()
  await see(fresh.page.getByRole('alert'))
  for (const label of ['新密码', '再输入一次新密码']) await field(fresh.page, label).fill('海边的灯塔 2026 亮着')
  await fresh.page.getByRole('button', { name: '保存新密码' }).click()
  await fresh.page.waitForURL((url) => !url.pathname.endsWith('/password'))
  expect(fresh.page.url()).toContain('/desk/')
  await leave(security, fresh)
})

/** Clause PJ-08 */
test('work of a grid worker on leave falls to the stand-in and returns, and a gap shows', async () => {
  const officer = await staff(morning, 'personnel')
  const { page } = officer
  const post = page.locator('tr', { hasText: '网格员' })
  const onDuty = post.locator('td').last()
  const openTeam = async () => {
    await page.goto('/desk/admin/units')
    await page.getByRole('textbox', { name: '名称或代码' }).fill('海晏第三网格网格服务团队')
    await page.getByRole('button', { name: /海晏第三网格网格服务团队/ }).click()
    await see(post)
  }
  const takeLeave = async (seat: number) => {
    await post.locator('td').nth(seat).getByRole('link').click()
    await page.getByRole('button', { name: '登记请假' }).click()
    const form = dialog(page)
    await fillTime(field(form, '起'), '2026-03-11 00:00')
    await fillTime(field(form, '止'), '2026-03-12 18:00')
    await field(form, '理由').fill('培训')
    await form.getByRole('button', { name: '保存' }).click()
    await gone(page.locator('.el-dialog:visible'))
    await see(page.getByText('培训'))
  }
  await openTeam()
  const nameIn = async (seat: number) => textOf(post.locator('td').nth(seat).getByRole('link'))
  const [first, second] = [await nameIn(3), await nameIn(4)]
  expect(await textOf(onDuty)).toContain(`${first} (A)`)
  await accessible(page, 'units and posts')
  await shoot(page, 'desk-units')

  await takeLeave(3)
  await accessible(page, 'workers')
  await shoot(page, 'desk-workers')
  await openTeam()
  await see(onDuty.getByText(`${second} (B)`))
  await takeLeave(4)
  await openTeam()
  await see(onDuty.getByText('无人'))
  await page.locator('details.gaps summary').click()
  await see(page.locator('details.gaps').getByRole('button', { name: /海晏第三网格/ }))

  await post.locator('td').nth(3).getByRole('link').click()
  await page.locator('li', { hasText: '培训' }).getByRole('button', { name: '移除' }).click()
  await see(page.getByText('没有请假'))
  await openTeam()
  await see(onDuty.getByText(`${first} (A)`))
  await leave(officer)
})

test('what was typed in a dialog is there again after it was closed by accident or the page was loaded anew, and goes on request', async () => {
  const officer = await staff(morning, 'personnel')
  const { page } = officer
  const open = async () => {
    await page.getByRole('button', { name: '新增人员' }).click()
    await see(dialog(page))
    return dialog(page)
  }
  await page.goto('/desk/admin/workers')
  let form = await open()
  expect(await form.getByText('已恢复上次没有提交的内容').count()).toBe(0)
  await field(form, '人员').fill('欧阳海燕')
  await field(form, '工号').fill('WH09999')
  await page.keyboard.press('Escape')
  await gone(page.locator('.el-dialog:visible'))
  form = await open()
  expect(await field(form, '人员').inputValue()).toBe('欧阳海燕')
  await page.reload()
  form = await open()
  expect(await field(form, '工号').inputValue()).toBe('WH09999')
  await see(form.getByText('已恢复上次没有提交的内容'))
  await accessible(page, 'restored dialog')
  await shoot(page, 'desk-restored')
  await form.getByRole('button', { name: '不要了，重新填' }).click()
  expect(await field(form, '人员').inputValue()).toBe('')
  await field(form, '人员').fill('欧阳海燕')
  await field(form, '工号').fill('WH09999')
  await form.getByRole('button', { name: '保存' }).click()
  await gone(page.locator('.el-dialog:visible'))
  form = await open()
  expect(await field(form, '人员').inputValue()).toBe('')
  await leave(officer)
})

test('an import is checked first and changes nothing on error', async () => {
  const dispatcher = await staff(morning, 'dispatcher')
  const { page } = dispatcher
  const list = (rows: string[]) => ({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(['诉求内容,区域,电话,政治面貌', ...rows].join('\n')) })
  const GOOD = '广场舞音响太吵希望管一管,海晏第一网格,13900009999,群众'
  await page.goto('/desk/import')
  const file = page.locator('input[type=file]')
  const take = page.getByRole('button', { name: '导入', exact: true })
  await file.setInputFiles(list([GOOD, ',海晏第一网格,13900009999,群众']))
  await page.getByRole('button', { name: '检查（不导入）' }).click()
  await see(page.getByText(/共 2 行，可用 1 行，问题 1 处。\s*没有改动任何数据。/))
  await see(page.getByText(/不会导入：政治面貌/))
  expect(await take.isDisabled()).toBe(true)
  await accessible(page, 'import')
  await shoot(page, 'desk-import')

  await file.setInputFiles(list([GOOD]))
  await page.getByRole('button', { name: '检查（不导入）' }).click()
  await see(page.getByText('没有改动任何数据。'))
  await take.click()
  await see(page.getByText('已全部导入。'))
  await page.goto('/desk/cases?queue=all&q=' + encodeURIComponent('广场舞音响太吵'))
  await see(page.locator('tr[data-case]'))
  expect(await page.locator('tr[data-case]').count()).toBe(1)
  await leave(dispatcher)
})
