/** What somebody is to the householder, as lists write it; their words are `relation.*`. */
export const RELATIONS = ['householder', 'spouse', 'son', 'daughter', 'grandchild', 'parent', 'grandparent', 'sibling', 'other_relative', 'not_related'] as const
