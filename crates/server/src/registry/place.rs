//! Where a household or an organisation is: the area, the dwelling where known, the room in its written form.
//!
//! Entry point: [`find`].

use crate::platform::*;
use crate::territory::{self, dwellings};
use domain::registry::room::{BadRoom, Room};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// As somebody wishes it: the dwelling, or else the area itself; the parts of the room however they are written.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct PlaceWish {
    pub dwelling_id: Option<DwellingId>,
    /// Needed where no dwelling is given.
    pub area_id: Option<AreaId>,
    #[serde(default)]
    pub building: String,
    /// 单元.
    #[serde(default)]
    pub entrance: String,
    #[serde(default)]
    pub floor: String,
    #[serde(default)]
    pub room: String,
}

/// A place as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    pub dwelling: Option<DwellingId>,
    pub area: AreaId,
    pub chain: [Option<AreaId>; 5],
    pub room: Room,
    /// Sorts as a walk: number of the dwelling, then the room.
    pub key: String,
}

/// The room as it is shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RoomView {
    pub building: Option<String>,
    pub entrance: Option<String>,
    pub floor: Option<i16>,
    pub room: Option<String>,
    /// As people write it: `3幢2单元5层501室`.
    pub text: String,
}

impl RoomView {
    pub fn of(room: &Room) -> RoomView {
        RoomView {
            building: room.building.clone(),
            entrance: room.entrance.clone(),
            floor: room.floor,
            room: room.room.clone(),
            text: room.text(),
        }
    }
}

/// The place somebody means, if they may write there.
pub fn find(ctx: &Ctx, tx: &mut Tx, wish: &PlaceWish) -> Result<Spot, Fault> {
    let room = Room::read(&wish.building, &wish.entrance, &wish.floor, &wish.room).map_err(bad_room)?;
    let (dwelling, code, area, field) = match (wish.dwelling_id, wish.area_id) {
        (Some(id), _) => {
            let found = dwellings::find(tx, id)?.ok_or_else(|| Fault::invalid("dwelling_id", "dwelling_unknown"))?;
            (Some(id), found.code, found.area, "dwelling_id")
        }
        (None, Some(area)) => (None, String::new(), area, "area_id"),
        (None, None) => return Err(Fault::invalid("area_id", "missing_field")),
    };
    let map = territory::current(&ctx.app);
    let chain = map.area(area).map(|area| area.chain);
    let chain = chain.filter(|chain| ctx.scope.covers(chain, Permission::RegistryWrite));
    let unknown = if dwelling.is_some() {
        "dwelling_unknown"
    } else {
        "area_unknown"
    };
    Ok(Spot {
        dwelling,
        area,
        chain: chain.ok_or_else(|| Fault::invalid(field, unknown))?,
        key: format!("{code}|{}", room.key()),
        room,
    })
}

/// The sentence for a part of a room that cannot be.
pub fn bad_room(bad: BadRoom) -> Fault {
    match bad {
        BadRoom::Building => Fault::invalid("building", "room_part_too_long"),
        BadRoom::Entrance => Fault::invalid("entrance", "room_part_too_long"),
        BadRoom::Floor => Fault::invalid("floor", "floor_invalid"),
        BadRoom::Room => Fault::invalid("room", "room_part_too_long"),
    }
}
