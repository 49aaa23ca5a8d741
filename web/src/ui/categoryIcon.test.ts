import { expect, test } from 'vitest'
import { categoryIcon } from './categoryIcon'

test('kinds of matters have their own pictures; an unknown one has the plain sheet', () => {
  const groups = ['城乡建设', '市容市政与园林绿化', '环境保护', '交通运输', '教育文体', '劳动和社会保障', '商贸旅游', '卫生健康', '矛盾纠纷', '公共安全', '渔农村事务', '社区服务与咨询']
  const plain = categoryIcon('没有这样的词')
  const pictures = groups.map(categoryIcon)
  expect(pictures).not.toContain(plain)
  expect(new Set(pictures).size).toBe(groups.length)
  expect(categoryIcon('井盖破损缺失')).not.toBe(categoryIcon('市容市政与园林绿化'))
})
