//! What waits for the people whose accounts can be tried, so that each finds work on the first screen: matters in the first grid and its
//! community, one at each step of the loop, an emergency just come in, and a work order. Made through the loop, like all cases.

use super::cases::{self, Heard, Plan, Until};
use super::lot::Lot;
use super::matters::{MATTERS, Matter};
use super::people::{acting, unit_code};
use super::teams;
use crate::cases::orders::{self, NewOrder};
use crate::platform::{App, AreaId, Ctx, Fault};
use crate::territory::{self, Address};
use crate::workforce;
use domain::time::{DAY_MS, MINUTE_MS, Timestamp};

/// A matter by its title, how long ago it came in, how far it got.
const SCENES: [(&str, i64, Until); 9] = [
    ("占道经营影响通行", 3 * DAY_MS, Until::Handled),
    ("垃圾桶满溢未清运", 2 * DAY_MS, Until::Handled),
    ("屋顶漏水多年未修", 2 * DAY_MS, Until::Asking),
    ("行道树枝条挡窗", 2 * DAY_MS, Until::Answered),
    ("楼上漏水邻里起争执", DAY_MS, Until::Assigned),
    ("饭店油烟直排", DAY_MS, Until::Handling),
    ("人行道地砖破碎", DAY_MS, Until::Assigned),
    ("路灯连续三盏不亮", 100 * MINUTE_MS, Until::Assigned),
    ("燃气管道有煤气味", 3 * MINUTE_MS, Until::Assigned),
];

/// The one the visiting team of the first grid heard.
const HEARD: &str = "垃圾桶满溢未清运";

/// Said so that no rule can tell what it is: it waits for a person.
const UNCLEAR: Matter = Matter {
    title: "想问一下",
    body: "你好，上次说的那件事现在怎么样了，什么时候能有个说法？我住在{place}。",
    result: "",
    photos: false,
};
const UNCLEAR_AGE_MS: i64 = 40 * MINUTE_MS;

/// The order's department, where and what.
const ORDER_BODY: &str = "housing";
const ORDER_KIND: &str = "井盖破损缺失";
const ORDER_AREAS: usize = 3;
const ORDER_DAYS: i64 = 5;

/// Makes them.
pub async fn make(app: &App, seed: u64) -> Result<(), Fault> {
    let (grid, town) = first_grid(app);
    let addresses: Vec<Address> = territory::every_address(app).await?;
    let near: Vec<Address> = addresses.into_iter().filter(|one| Some(one.area) == grid).collect();
    if near.is_empty() {
        return Ok(());
    }
    let sent = app.read(&Ctx::system(app, "demo"), teams::all).await?;
    let team = sent
        .into_iter()
        .find(|sent| grid.is_some_and(|grid| sent.team.areas.contains(&grid)));
    let known = |title: &str| MATTERS.iter().find(|matter| matter.title == title).cloned();
    let scenes = SCENES
        .iter()
        .filter_map(|(title, age, until)| Some((known(title)?, *age, *until)));
    let unclear = std::iter::once((UNCLEAR, UNCLEAR_AGE_MS, Until::Received));
    for (which, (matter, age, until)) in scenes.chain(unclear).enumerate() {
        let mut lot = Lot::of(seed, &format!("scene {which}"));
        let visiting = team.clone().filter(|_| matter.title == HEARD);
        let heard = visiting.map(|team| Heard {
            team,
            at_the_door: None,
        });
        let plan = Plan {
            matter,
            place: lot.pick(&near).clone(),
            received: app.now().plus_ms(-age),
            until,
            returned: false,
            heard,
        };
        cases::one(app, &mut lot, plan).await?;
    }
    order(app, town).await
}

/// The grid of the accounts to try, and its town.
fn first_grid(app: &App) -> (Option<AreaId>, Option<AreaId>) {
    let map = territory::current(app);
    let under = |parent| map.children(parent).next().map(|area| area.id);
    let town = under(under(None));
    (under(under(town)), town)
}

/// An order to the first communities of the town, waiting for their liaisons.
async fn order(app: &App, town: Option<AreaId>) -> Result<(), Fault> {
    let ctx = Ctx::system(app, "demo");
    app.write(&ctx, move |ctx, tx| {
        let map = territory::current(&ctx.app);
        let rules = crate::policy::current(&ctx.app)?;
        let kind = rules
            .pack
            .categories
            .iter()
            .find(|kind| kind.leaf && kind.name.zh == ORDER_KIND);
        let city = map
            .children(None)
            .next()
            .map(|area| area.code.clone())
            .unwrap_or_default();
        let (Some(kind), Some(unit)) = (kind, workforce::unit_by_code(tx, &unit_code(ORDER_BODY, &city))?) else {
            return Ok(());
        };
        let held = workforce::responsible(&ctx.app, tx, unit.id, "handle", None, workforce::Ask::Own, ctx.now)?;
        let Some(worker) = held.and_then(|held| held.worker) else {
            return Ok(());
        };
        let Some(actor) = acting(tx, worker, Some(unit.id))? else {
            return Ok(());
        };
        let by = Ctx { actor, ..ctx.clone() };
        let due = Timestamp(by.now.0 + ORDER_DAYS * DAY_MS).date().to_string();
        let new = NewOrder {
            id: ctx.app.new_id(),
            unit_id: unit.id,
            title: "汛前井盖和排水口排查".to_owned(),
            body: "逐一查看辖区内的井盖和排水口：松动的当场固定，缺失的先设警示再上报，填报查看数量和问题数量。"
                .to_owned(),
            category_code: kind.code.clone(),
            area_ids: map.children(town).take(ORDER_AREAS).map(|area| area.id).collect(),
            due_on: Some(due),
        };
        orders::give(&by, tx, &new).map(|_| ())
    })
    .await
}
