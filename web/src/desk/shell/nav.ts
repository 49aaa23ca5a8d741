// The navigation: every page with the permissions that open it. Same names as the routes.
export interface NavItem {
  name: string
  needs: string[]
  icon: string
}

export interface NavGroup {
  key: string
  items: NavItem[]
}

export const NAV: NavGroup[] = [
  {
    key: 'work',
    items: [
      { name: 'cases', needs: ['case.read'], icon: 'map' },
      { name: 'intake', needs: ['case.intake'], icon: 'phone' },
      { name: 'dispatch', needs: ['case.dispatch', 'case.arbitrate'], icon: 'send' },
      { name: 'verify', needs: ['case.verify'], icon: 'check' },
      { name: 'approvals', needs: ['case.approve'], icon: 'stamp' },
      { name: 'disputes', needs: ['board.read', 'case.verify', 'case.handle'], icon: 'scales' },
      { name: 'orders', needs: ['case.handle', 'case.dispatch', 'case.supervise'], icon: 'order' },
      { name: 'handovers', needs: ['case.dispatch', 'case.supervise'], icon: 'swap' },
      { name: 'board', needs: ['board.read'], icon: 'chart' },
      { name: 'duties', needs: ['duty.read'], icon: 'check' },
      { name: 'patrols', needs: ['duty.read'], icon: 'map' },
      { name: 'kept', needs: ['case.supervise'], icon: 'phone' },
      { name: 'campaigns', needs: ['duty.read', 'campaign.manage'], icon: 'send' },
      { name: 'projects', needs: ['project.read', 'project.manage', 'field.use'], icon: 'stamp' },
      { name: 'team-figures', needs: ['board.read'], icon: 'visit' },
      { name: 'exports', needs: ['case.export', 'export.approve'], icon: 'export' },
    ],
  },
  {
    key: 'place',
    items: [
      { name: 'registry', needs: ['registry.read'], icon: 'people' },
      { name: 'registers', needs: ['registry.read'], icon: 'stamp' },
      { name: 'duplicates', needs: ['registry.write'], icon: 'swap' },
      { name: 'people-import', needs: ['registry.import'], icon: 'import' },
      { name: 'register-import', needs: ['registry.import'], icon: 'import' },
      { name: 'areas', needs: ['territory.manage', 'workforce.read'], icon: 'grid' },
      { name: 'plans', needs: ['territory.manage'], icon: 'grid' },
      { name: 'zonings', needs: ['territory.manage'], icon: 'map' },
      { name: 'adoptions', needs: ['territory.manage'], icon: 'stamp' },
      { name: 'units', needs: ['workforce.read', 'workforce.manage'], icon: 'unit' },
      { name: 'workers', needs: ['workforce.read', 'workforce.manage'], icon: 'people' },
      { name: 'teams', needs: ['workforce.read', 'workforce.manage'], icon: 'visit' },
      { name: 'pack', needs: ['pack.manage', 'board.read'], icon: 'book' },
      { name: 'calendar', needs: ['pack.manage', 'case.read'], icon: 'calendar' },
    ],
  },
  {
    key: 'system',
    items: [
      { name: 'import', needs: ['case.import'], icon: 'import' },
      { name: 'outbox', needs: ['outbox.manage'], icon: 'mail' },
      { name: 'dialogue', needs: ['job.manage'], icon: 'phone' },
      { name: 'accounts', needs: ['account.manage'], icon: 'key' },
      { name: 'partners', needs: ['account.manage', 'audit.read'], icon: 'send' },
      { name: 'peers', needs: ['account.manage', 'audit.read'], icon: 'swap' },
      { name: 'erase', needs: ['registry.erase'], icon: 'key' },
      { name: 'access-log', needs: ['audit.read'], icon: 'eye' },
      { name: 'ledger', needs: ['ledger.read'], icon: 'chain' },
      { name: 'migrations', needs: ['pack.manage', 'case.approve'], icon: 'clock' },
      { name: 'jobs', needs: ['job.manage'], icon: 'clock' },
      { name: 'doctor', needs: ['job.manage'], icon: 'pulse' },
    ],
  },
]
