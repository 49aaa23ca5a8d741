// The addresses of the field face. Nobody goes past the sign-in without a session.
import { createRouter, createWebHistory, type Router, type RouteRecordRaw } from 'vue-router'
import TodayPage from './cases/TodayPage.vue'
import { currentSession } from './session'

const routes: RouteRecordRaw[] = [
  { path: '/', component: TodayPage, meta: { title: 'today.title' } },
  { path: '/login', name: 'login', component: () => import('./me/LoginPage.vue'), meta: { open: true, title: 'login.title' } },
  { path: '/case/:id', component: () => import('./cases/CasePage.vue'), props: true, meta: { title: 'case.title' } },
  { path: '/duty/:subject/:act', component: () => import('./duties/VisitPage.vue'), props: true, meta: { title: 'duty.visit' } },
  { path: '/homes', component: () => import('./homes/HomesPage.vue'), meta: { title: 'homes.title' } },
  { path: '/home/:id', component: () => import('./homes/HomePage.vue'), props: true, meta: { title: 'homes.one' } },
  { path: '/map', component: () => import('./homes/MapPage.vue'), meta: { title: 'homes.map' } },
  { path: '/route', component: () => import('./route/RoutePage.vue'), meta: { title: 'route.title' } },
  { path: '/patrol', component: () => import('./patrol/PatrolPage.vue'), meta: { title: 'patrol.title' } },
  { path: '/new', component: () => import('./report/NewPage.vue'), props: { spot: false }, meta: { title: 'new.title' } },
  { path: '/spot', component: () => import('./report/NewPage.vue'), props: { spot: true }, meta: { title: 'new.spot' } },
  { path: '/notices', component: () => import('./me/NoticesPage.vue'), meta: { title: 'notices.title' } },
  { path: '/password', name: 'password', component: () => import('./me/PasswordPage.vue'), meta: { title: 'me.password' } },
  { path: '/me', component: () => import('./me/MePage.vue'), meta: { title: 'me.title' } },
  { path: '/:rest(.*)', redirect: '/' },
]

export function makeRouter(): Router {
  const router = createRouter({
    history: createWebHistory('/field/'),
    routes,
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  })
  router.beforeEach(async (to) => {
    if (to.meta.open) return true
    const session = await currentSession()
    if (!session) return { name: 'login', query: { next: to.fullPath } }
    return session.must_change_password && to.name !== 'password' ? { name: 'password' } : true
  })
  return router
}
