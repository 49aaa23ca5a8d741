import { expect, test } from 'vitest'
import { deviceOf } from './records'

test('a browser is named as its owner knows it', () => {
  expect(deviceOf('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36 Edg/130.0')).toEqual({ browser: 'Edge', system: 'Windows' })
  expect(deviceOf('Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile Safari/604.1')).toEqual({ browser: 'Safari', system: 'iOS' })
  expect(deviceOf('curl/8')).toEqual({ browser: undefined, system: undefined })
})
