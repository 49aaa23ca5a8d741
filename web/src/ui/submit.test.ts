import { describe, expect, it } from 'vitest'
import { ApiError } from '@/api/client'
import { useSubmit } from './submit'

describe('sending a form', () => {
  it('puts a refusal at the field that is shown, and says nothing twice', async () => {
    const form = useSubmit(['phone'])
    await form.run(() => Promise.reject(new ApiError(422, 'bad_phone', '电话不对', 'phone')))
    expect(form.fields.phone).toBe('电话不对')
    expect(form.message).toBe('')
    expect(form.busy).toBe(false)
  })
  it('shows a refusal of a field that is not on the form', async () => {
    const form = useSubmit(['phone'])
    await form.run(() => Promise.reject(new ApiError(422, 'too_long', '太长', 'title')))
    expect(form.message).toBe('太长')
  })
  it('gives back the answer and clears the last refusal', async () => {
    const form = useSubmit()
    await form.run(() => Promise.reject(new Error('x')))
    expect(form.message).toBe('x')
    expect(await form.run(() => Promise.resolve(7))).toBe(7)
    expect(form.message).toBe('')
  })
})
