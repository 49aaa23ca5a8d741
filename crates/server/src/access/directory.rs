//! What access asks of the parts above it: which area, which unit is this. Put in place when the program is put together, so that
//! access need not know those parts.

use crate::platform::scope::MAX_DEPTH;
use crate::platform::{App, AreaId, Fault, Lang, Tx, UnitId};

/// An area, as far as a grant needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct AreaFacts {
    /// The areas it lies in, from the top, itself last: `a1`..`a5`.
    pub chain: [Option<AreaId>; MAX_DEPTH],
    /// 1 to 5.
    pub depth: u8,
    /// Its name.
    pub name: String,
    /// Its level's name in the language asked for: 社区, 网格.
    pub level_name: String,
}

/// Answers for an area in force; none when there is no such area.
pub type AreaLookup = fn(&App, &mut Tx, AreaId, Lang) -> Result<Option<AreaFacts>, Fault>;
/// Answers with a unit's name; none when there is no such unit.
pub type UnitLookup = fn(&App, &mut Tx, UnitId) -> Result<Option<String>, Fault>;

/// The lookups of the parts above; until they are set no area and no unit is known.
#[derive(Default)]
pub struct Directory {
    area: Option<AreaLookup>,
    unit: Option<UnitLookup>,
}

impl Directory {
    /// With the lookups of `territory` and `workforce`.
    pub fn with(area: AreaLookup, unit: UnitLookup) -> Directory {
        Directory {
            area: Some(area),
            unit: Some(unit),
        }
    }
}

/// The area, if it exists.
pub fn area(app: &App, tx: &mut Tx, id: AreaId, lang: Lang) -> Result<Option<AreaFacts>, Fault> {
    app.part::<Directory>()
        .area
        .map_or(Ok(None), |lookup| lookup(app, tx, id, lang))
}

/// The unit's name, if it exists.
pub fn unit_name(app: &App, tx: &mut Tx, id: UnitId) -> Result<Option<String>, Fault> {
    app.part::<Directory>()
        .unit
        .map_or(Ok(None), |lookup| lookup(app, tx, id))
}
