//! Two visiting teams 走访队 of the demo: departments of the city in two communities, each with a grid worker as liaison.
//!
//! Entry points: [`make`], and [`all`], for the cases they heard. Must not write a row: teams are made as an administrator makes them.

use super::matters::Matter;
use super::people::unit_code;
use crate::platform::{AreaId, Ctx, Fault, Tx, WorkerId};
use crate::territory::Map;
use crate::workforce::{
    self, Ask,
    teams::{self, NewTeam, Team},
};

/// Bodies whose city bureaus send a team, and which grid of which community of the first town it visits.
const SENT: [(&str, usize, usize); 2] = [("housing", 0, 0), ("health", 1, 0)];

/// Matters that can be settled at the door, with the pack's name of their kind.
pub const AT_THE_DOOR: [(Matter, &str); 3] = [
    (
        Matter {
            title: "楼道感应灯不亮",
            body: "{place}二楼的感应灯坏了，晚上上下楼看不清。",
            result: "当场联系物业，换了灯头，已经亮了。",
            photos: false,
        },
        "路灯与景观照明",
    ),
    (
        Matter {
            title: "不会做养老待遇资格认证",
            body: "我住{place}，手机上做不来养老待遇资格认证，怕养老金停发。",
            result: "当场用手机帮老人做完认证，讲清了每年什么时候做。",
            photos: false,
        },
        "社会保险",
    ),
    (
        Matter {
            title: "门口堆了装修垃圾",
            body: "{place}一楼装修，袋装垃圾堆在单元门口，推车出不去。",
            result: "当场找到业主，已全部清走。",
            photos: false,
        },
        "暴露垃圾与环境卫生",
    ),
];

/// Makes them; a pack without such a bureau has none.
pub fn make(ctx: &Ctx, tx: &mut Tx, map: &Map) -> Result<(), Fault> {
    let Some(city) = map.children(None).next() else {
        return Ok(());
    };
    for (body, community, grid) in SENT {
        let Some(unit) = workforce::unit_by_code(tx, &unit_code(body, &city.code))? else {
            continue;
        };
        let Some(area) = grid_of(map, community, grid) else {
            continue;
        };
        let found = workforce::grid_worker_of(&ctx.app, tx, area, Ask::Own, ctx.now)?;
        let Some(liaison) = found.and_then(|found| found.holder) else {
            continue;
        };
        let members: Vec<WorkerId> = workforce::workers_of_unit(tx, unit.id, ctx.now)?;
        let new = NewTeam {
            id: ctx.app.new_id(),
            name: format!("{}走访队", unit.name),
            unit: unit.id,
            liaison,
            areas: vec![area],
            members,
            from: ctx.now.date(),
            to: None,
        };
        teams::make(ctx, tx, &new)?;
    }
    Ok(())
}

fn grid_of(map: &Map, community: usize, grid: usize) -> Option<AreaId> {
    let city = map.children(None).next()?;
    let town = map.children(Some(city.id)).next()?;
    let community = map.children(Some(town.id)).nth(community)?;
    map.children(Some(community.id)).nth(grid).map(|area| area.id)
}

/// A team of the demo, and who goes.
#[derive(Debug, Clone)]
pub struct Sent {
    pub team: Team,
    pub member: WorkerId,
}

/// The teams with a member each.
pub fn all(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<Sent>, Fault> {
    let sent = |team: Team| {
        let member = team.members.last()?.worker;
        Some(Sent { team, member })
    };
    Ok(teams::teams(tx, ctx.now)?.into_iter().filter_map(sent).collect())
}
