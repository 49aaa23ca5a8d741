// Registering people from a form: what is sent, and an empty line.
import { api } from '@/api/client'
import { newId } from '@/api/ids'
import type { PersonForm } from './PersonFields.vue'

export const emptyPerson = (relation = 'householder'): PersonForm => ({ id: newId(), relation, name: '', id_number: '', phones: '', registered: false })

/** Registered twice with the same id it is once. */
export const registerPerson = (household: string, p: PersonForm) =>
  api.post('/registry/residents', {
    id: p.id, household_id: household, relation: p.relation, name: p.name, id_number: p.id_number.trim() || undefined,
    phones: p.phones.split(/[,，、;；\s]+/).filter(Boolean), kinds: p.registered ? ['actual', 'registered'] : ['actual'],
  })
