// Households and people on these screens: an address in words, what is sent of a form, and an empty line.
import { api } from '@/api/client'
import { newId } from '@/api/ids'
import type { Household } from '@/api/types'
import type { PersonForm } from './PersonFields.vue'

export const emptyPerson = (relation = 'householder'): PersonForm => ({ id: newId(), relation, name: '', id_number: '', phones: '', registered: false })

/** Registered twice with the same id it is once. */
export const registerPerson = (household: string, p: PersonForm) =>
  api.post('/registry/residents', {
    id: p.id, household_id: household, relation: p.relation, name: p.name, id_number: p.id_number.trim() || undefined,
    phones: p.phones.split(/[,，、;；\s]+/).filter(Boolean), kinds: p.registered ? ['actual', 'registered'] : ['actual'],
  })

/** House and room; with the area before it where that is not clear from the page. */
export const addressOf = (h: Household, area = false) => [area ? h.area?.name : '', h.house, h.room.text].filter(Boolean).join(' ')
