// The pages of the desk, and which permission opens each in the navigation. The server checks every request itself;
// hiding a page is only courtesy.
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { can, currentSession, me } from './session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Any one of these permissions. */
    needs?: string[]
    public?: boolean
  }
}

const children: RouteRecordRaw[] = [
  // Where it leads is decided once the session is known (below).
  { path: '', name: 'home', component: () => import('./shell/AccountPage.vue') },
  { path: 'cases', name: 'cases', component: () => import('./cases/QueuePage.vue'), meta: { needs: ['case.read'] } },
  { path: 'cases/:id', name: 'case', component: () => import('./cases/CasePage.vue'), props: true, meta: { needs: ['case.read'] } },
  { path: 'intake', name: 'intake', component: () => import('./cases/IntakePage.vue'), meta: { needs: ['case.intake'] } },
  { path: 'dispatch', name: 'dispatch', component: () => import('./cases/DispatchPage.vue'), meta: { needs: ['case.dispatch', 'case.arbitrate'] } },
  { path: 'approvals', name: 'approvals', component: () => import('./cases/ApprovalsPage.vue'), meta: { needs: ['case.approve'] } },
  { path: 'verify', name: 'verify', component: () => import('./cases/VerifyPage.vue'), meta: { needs: ['case.verify'] } },
  { path: 'disputes', name: 'disputes', component: () => import('./disputes/DisputesPage.vue'), meta: { needs: ['case.read'] } },
  { path: 'orders', name: 'orders', component: () => import('./orders/OrdersPage.vue'), meta: { needs: ['case.read'] } },
  { path: 'orders/:id', name: 'order', component: () => import('./orders/OrderPage.vue'), props: true, meta: { needs: ['case.read'] } },
  { path: 'handovers', name: 'handovers', component: () => import('./handovers/HandoversPage.vue'), meta: { needs: ['case.read'] } },
  { path: 'board', name: 'board', component: () => import('./insight/BoardPage.vue'), meta: { needs: ['board.read'] } },
  { path: 'duties', name: 'duties', component: () => import('./insight/DutiesPage.vue'), meta: { needs: ['duty.read'] } },
  { path: 'registry', name: 'registry', component: () => import('./registry/RegistryPage.vue'), meta: { needs: ['registry.read'] } },
  { path: 'registry/households/:id', name: 'household', component: () => import('./registry/HouseholdPage.vue'), props: true, meta: { needs: ['registry.read'] } },
  { path: 'registry/registers', name: 'registers', component: () => import('./registry/RegistersPage.vue'), meta: { needs: ['registry.read'] } },
  { path: 'registry/duplicates', name: 'duplicates', component: () => import('./registry/DuplicatesPage.vue'), meta: { needs: ['registry.write'] } },
  { path: 'registry/erase', name: 'erase', component: () => import('./registry/ErasePage.vue'), meta: { needs: ['registry.erase'] } },
  { path: 'registry/import', name: 'people-import', component: () => import('./registry/ImportPage.vue'), meta: { needs: ['registry.import'] } },
  { path: 'kept', name: 'kept', component: () => import('./phones/KeptPage.vue'), meta: { needs: ['case.supervise'] } },
  { path: 'registry/registers/import', name: 'register-import', component: () => import('./registry/RegisterImportPage.vue'), meta: { needs: ['registry.import'] } },
  { path: 'patrols', name: 'patrols', component: () => import('./patrols/PatrolsPage.vue'), meta: { needs: ['duty.read'] } },
  { path: 'campaigns', name: 'campaigns', component: () => import('./campaigns/CampaignsPage.vue'), meta: { needs: ['duty.read', 'campaign.manage'] } },
  { path: 'campaigns/new', name: 'campaign-new', component: () => import('./campaigns/DraftPage.vue'), meta: { needs: ['campaign.manage'] } },
  { path: 'campaigns/:id', name: 'campaign', component: () => import('./campaigns/CampaignPage.vue'), props: true, meta: { needs: ['duty.read'] } },
  { path: 'campaigns/:id/draft', name: 'campaign-draft', component: () => import('./campaigns/DraftPage.vue'), props: true, meta: { needs: ['campaign.manage'] } },
  // Who leads a project, or sits in one of its units, reads it without any permission of its own.
  { path: 'projects', name: 'projects', component: () => import('./projects/ProjectsPage.vue') },
  { path: 'projects/new', name: 'project-new', component: () => import('./projects/NewProjectPage.vue'), meta: { needs: ['project.manage'] } },
  { path: 'projects/:id', name: 'project', component: () => import('./projects/ProjectPage.vue'), props: true },
  { path: 'board/teams', name: 'team-figures', component: () => import('./insight/TeamsPage.vue'), meta: { needs: ['board.read'] } },
  { path: 'exports', name: 'exports', component: () => import('./cases/ExportsPage.vue'), meta: { needs: ['case.export', 'export.approve'] } },
  { path: 'import', name: 'import', component: () => import('./cases/ImportPage.vue'), meta: { needs: ['case.import'] } },
  { path: 'admin/areas', name: 'areas', component: () => import('./admin/AreasPage.vue'), meta: { needs: ['territory.manage', 'workforce.read'] } },
  { path: 'admin/areas/:id/maps', name: 'area-maps', component: () => import('./admin/MapsPage.vue'), props: true, meta: { needs: ['territory.manage', 'workforce.read'] } },
  { path: 'plans', name: 'plans', component: () => import('./plans/PlansPage.vue'), meta: { needs: ['territory.manage'] } },
  { path: 'plans/compare', name: 'plans-compare', component: () => import('./plans/ComparePage.vue'), meta: { needs: ['territory.manage'] } },
  { path: 'plans/:id', name: 'plan', component: () => import('./plans/PlanPage.vue'), props: true, meta: { needs: ['territory.manage'] } },
  { path: 'plans/:id/adopt', name: 'plan-adopt', component: () => import('./plans/AdoptPage.vue'), props: true, meta: { needs: ['territory.manage'] } },
  { path: 'plans/:id/sheet', name: 'plan-sheet', component: () => import('./plans/SheetPage.vue'), props: true, meta: { needs: ['territory.manage'] } },
  { path: 'zonings', name: 'zonings', component: () => import('./plans/ZoningsPage.vue'), meta: { needs: ['territory.manage'] } },
  { path: 'adoptions', name: 'adoptions', component: () => import('./plans/AdoptionsPage.vue'), meta: { needs: ['territory.manage'] } },
  { path: 'admin/units', name: 'units', component: () => import('./admin/UnitsPage.vue'), meta: { needs: ['workforce.read', 'workforce.manage'] } },
  { path: 'admin/workers', name: 'workers', component: () => import('./admin/WorkersPage.vue'), meta: { needs: ['workforce.read', 'workforce.manage'] } },
  { path: 'admin/teams', name: 'teams', component: () => import('./admin/TeamsPage.vue'), meta: { needs: ['workforce.read', 'workforce.manage'] } },
  { path: 'admin/accounts', name: 'accounts', component: () => import('./admin/AccountsPage.vue'), meta: { needs: ['account.manage'] } },
  { path: 'admin/partners', name: 'partners', component: () => import('./admin/PartnersPage.vue'), meta: { needs: ['account.manage', 'audit.read'] } },
  { path: 'admin/peers', name: 'peers', component: () => import('./admin/PeersPage.vue'), meta: { needs: ['account.manage', 'audit.read'] } },
  { path: 'admin/access-log', name: 'access-log', component: () => import('./admin/AccessLogPage.vue'), meta: { needs: ['audit.read'] } },
  { path: 'admin/pack', name: 'pack', component: () => import('./admin/PackPage.vue'), meta: { needs: ['pack.manage', 'board.read'] } },
  { path: 'admin/calendar', name: 'calendar', component: () => import('./admin/CalendarPage.vue'), meta: { needs: ['pack.manage', 'case.read'] } },
  { path: 'admin/migrations', name: 'migrations', component: () => import('./admin/MigrationsPage.vue'), meta: { needs: ['pack.manage', 'case.approve'] } },
  { path: 'admin/jobs', name: 'jobs', component: () => import('./admin/JobsPage.vue'), meta: { needs: ['job.manage'] } },
  { path: 'admin/doctor', name: 'doctor', component: () => import('./admin/DoctorPage.vue'), meta: { needs: ['job.manage'] } },
  { path: 'admin/outbox', name: 'outbox', component: () => import('./admin/OutboxPage.vue'), meta: { needs: ['outbox.manage'] } },
  { path: 'admin/dialogue', name: 'dialogue', component: () => import('./admin/DialoguePage.vue'), meta: { needs: ['job.manage'] } },
  { path: 'admin/ledger', name: 'ledger', component: () => import('./admin/LedgerPage.vue'), meta: { needs: ['ledger.read'] } },
  { path: 'me', name: 'me', component: () => import('./shell/AccountPage.vue') },
]

const routes: RouteRecordRaw[] = [
  { path: '/login', name: 'login', component: () => import('./shell/LoginPage.vue'), meta: { public: true } },
  { path: '/password', name: 'password', component: () => import('./shell/PasswordPage.vue') },
  { path: '/', component: () => import('./shell/Shell.vue'), children },
  { path: '/:rest(.*)*', redirect: { name: 'home' } },
]

/** The first page of an account: where its day's work is. */
export function homePage(): string {
  const pages: [string, string][] = [
    ['cases', 'case.read'],
    ['intake', 'case.intake'],
    ['board', 'board.read'],
    ['accounts', 'account.manage'],
    ['units', 'workforce.read'],
    ['access-log', 'audit.read'],
    ['ledger', 'ledger.read'],
    ['jobs', 'job.manage'],
    ['areas', 'territory.manage'],
  ]
  return pages.find(([, permission]) => can(permission))?.[0] ?? 'me'
}

export function makeRouter() {
  const router = createRouter({
    history: createWebHistory('/desk/'),
    routes,
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  })
  router.beforeEach(async (to) => {
    if (to.meta.public) return true
    const session = await currentSession()
    if (!session) return { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
    if (session.must_change_password && to.name !== 'password') return { name: 'password' }
    if (to.name === 'home') return { name: homePage(), replace: true }
    if (to.meta.needs && !can(...to.meta.needs)) return me.value && to.name !== homePage() ? { name: homePage() } : { name: 'me' }
    return true
  })
  return router
}
