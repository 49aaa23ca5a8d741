// The addresses of the portal. Every page is its own file, so that a resident loads only what is used.
import { createRouter, createWebHistory, type Router, type RouteRecordRaw } from 'vue-router'
import HomePage from './HomePage.vue'

const routes: RouteRecordRaw[] = [
  { path: '/', component: HomePage, meta: { title: 'portal.title' } },
  { path: '/report', component: () => import('./report/ReportPage.vue'), meta: { title: 'report.title' } },
  { path: '/done', component: () => import('./report/DonePage.vue'), meta: { title: 'done.title' } },
  { path: '/follow/:number?', component: () => import('./follow/FollowPage.vue'), props: true, meta: { title: 'follow.title' } },
  { path: '/receipt', component: () => import('./receipt/ReceiptPage.vue'), meta: { title: 'check.title' } },
  { path: '/worker', component: () => import('./people/WorkerPage.vue'), meta: { title: 'worker.title' } },
  { path: '/badge/:no?', component: () => import('./people/BadgePage.vue'), props: true, meta: { title: 'badge.title' } },
  { path: '/mailbox/:area?', component: () => import('./report/MailboxPage.vue'), props: true, meta: { title: 'mailbox.title' } },
  { path: '/outcomes', component: () => import('./open/OutcomesPage.vue'), meta: { title: 'outcomes.title' } },
  { path: '/map', component: () => import('./open/MapPage.vue'), meta: { title: 'around.title' } },
  { path: '/transparency', component: () => import('./open/TransparencyPage.vue'), meta: { title: 'open.title' } },
  { path: '/account', component: () => import('./open/AccountPage.vue'), meta: { title: 'account.title' } },
  { path: '/:rest(.*)', component: () => import('./open/LostPage.vue'), meta: { title: 'lost.title' } },
]

export function makeRouter(): Router {
  const router = createRouter({
    history: createWebHistory('/'),
    routes,
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  })
  // Printed codes may carry the address behind a #.
  router.beforeEach((to) => (to.hash.startsWith('#/') ? to.hash.slice(1) : true))
  return router
}
