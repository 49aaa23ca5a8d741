//! The territory in memory: the tree, boundaries in an R-tree, names. One value per territory version, never changed in place.

use crate::platform::AreaId;
use domain::geo::{LonLat, Region, Side};
use domain::territory::{NameIndex, NamedArea, Nearby, Rule, settle};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use std::collections::HashMap;

/// One area.
#[derive(Debug, Clone)]
pub struct Area {
    pub id: AreaId,
    pub code: String,
    pub name: String,
    pub placeholder: bool,
    pub pinyin: String,
    pub initials: String,
    /// Key of the pack's level.
    pub level: String,
    /// `urban` or `rural`, where known: its own, or that of the nearest area above.
    pub kind: Option<String>,
    pub parent: Option<AreaId>,
    /// 1 at the top.
    pub depth: u8,
    /// Ancestors from the top, itself at its own depth: `a1`..`a5`.
    pub chain: [Option<AreaId>; 5],
    pub center: Option<LonLat>,
    pub child_count: usize,
}

/// The area of a point, and how it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Located {
    pub area: AreaId,
    pub rule: Rule,
}

/// All areas in force under one territory version.
#[derive(Debug, Default)]
pub struct Map {
    /// 0 before anything was imported.
    pub version: i64,
    areas: Vec<Area>,
    by_id: HashMap<AreaId, usize>,
    by_code: HashMap<String, usize>,
    children: HashMap<Option<AreaId>, Vec<usize>>,
    regions: HashMap<usize, Region>,
    boxes: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
    names: NameIndex,
    /// No longer in force: only their names are told, for what was recorded in them.
    ended: HashMap<AreaId, Area>,
    /// Who has the ground of what ended, those with most households first.
    heirs: HashMap<AreaId, Vec<AreaId>>,
}

/// Parents stand before their children in order of code, so one pass hands kinds down.
fn inherit_kinds(areas: &mut [Area], by_id: &HashMap<AreaId, usize>) {
    for at in 0..areas.len() {
        let above = areas[at]
            .parent
            .and_then(|parent| by_id.get(&parent))
            .and_then(|parent| areas[*parent].kind.clone());
        if areas[at].kind.is_none() {
            areas[at].kind = above;
        }
    }
}

/// Divisions in a row that are followed from an area that ended.
const MAX_HEIRS: usize = 64;
/// Metres in a degree of latitude, for boxes only.
const METRES_PER_DEGREE: f64 = 111_000.0;

impl Map {
    /// Areas in order of code, with the boundaries known.
    pub fn new(version: i64, mut areas: Vec<Area>, boundaries: Vec<(AreaId, Region)>) -> Map {
        areas.sort_by(|a, b| a.code.cmp(&b.code));
        let by_id: HashMap<AreaId, usize> = areas.iter().enumerate().map(|(at, area)| (area.id, at)).collect();
        let by_code = areas
            .iter()
            .enumerate()
            .map(|(at, area)| (area.code.clone(), at))
            .collect();
        inherit_kinds(&mut areas, &by_id);
        let mut children: HashMap<Option<AreaId>, Vec<usize>> = HashMap::new();
        for (at, area) in areas.iter().enumerate() {
            children.entry(area.parent).or_default().push(at);
        }
        for area in &mut areas {
            area.child_count = children.get(&Some(area.id)).map_or(0, Vec::len);
        }
        let named = areas.iter().map(|area| NamedArea {
            id: area.id.into(),
            code: area.code.clone(),
            name: area.name.clone(),
            depth: area.depth,
            chain: area.chain.iter().flatten().map(|id| (*id).into()).collect(),
        });
        let names = NameIndex::new(named.collect());
        let regions: HashMap<usize, Region> = boundaries
            .into_iter()
            .filter_map(|(id, region)| Some((*by_id.get(&id)?, region)))
            .collect();
        let boxes = regions.iter().filter_map(|(at, region)| {
            let [west, south, east, north] = region.bounds()?;
            Some(GeomWithData::new(
                Rectangle::from_corners([west, south], [east, north]),
                *at,
            ))
        });
        let boxes = RTree::bulk_load(boxes.collect());
        Map {
            version,
            areas,
            by_id,
            by_code,
            children,
            regions,
            boxes,
            names,
            ended: HashMap::new(),
            heirs: HashMap::new(),
        }
    }

    /// With the areas that are no longer in force, and who follows them.
    pub fn with_ended(mut self, ended: Vec<Area>, heirs: HashMap<AreaId, Vec<AreaId>>) -> Map {
        self.ended = ended.into_iter().map(|area| (area.id, area)).collect();
        self.heirs = heirs;
        self
    }

    /// The area itself while it is in force; else the one that has most of its households now, where one is named.
    pub fn heir(&self, id: AreaId) -> Option<AreaId> {
        let mut at = id;
        for _ in 0..MAX_HEIRS {
            if self.by_id.contains_key(&at) {
                return Some(at);
            }
            at = *self.heirs.get(&at)?.first()?;
        }
        None
    }

    /// An area in force, or one that was.
    pub fn ever(&self, id: AreaId) -> Option<&Area> {
        self.area(id).or_else(|| self.ended.get(&id))
    }

    /// Whether an area of this code was in force and is no more.
    pub fn has_ended(&self, code: &str) -> bool {
        self.ended.values().any(|area| area.code == code)
    }

    /// Codes below an area that are taken for good: those in force, and those that ended.
    pub fn codes_below(&self, area: AreaId) -> std::collections::BTreeSet<String> {
        let ended = self
            .ended
            .values()
            .filter(|one| one.parent == Some(area))
            .map(|one| one.code.clone());
        self.children(Some(area))
            .map(|one| one.code.clone())
            .chain(ended)
            .collect()
    }

    pub fn is_empty(&self) -> bool {
        self.areas.is_empty()
    }

    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    pub fn area(&self, id: AreaId) -> Option<&Area> {
        self.by_id.get(&id).map(|at| &self.areas[*at])
    }

    pub fn by_code(&self, code: &str) -> Option<&Area> {
        self.by_code.get(code).map(|at| &self.areas[*at])
    }

    /// Children in order of code; of `None`, the top.
    pub fn children(&self, parent: Option<AreaId>) -> impl Iterator<Item = &Area> {
        self.children
            .get(&parent)
            .into_iter()
            .flatten()
            .map(|at| &self.areas[*at])
    }

    /// The area's ancestors from the top, itself last.
    pub fn chain(&self, id: AreaId) -> Vec<&Area> {
        let chain = self.area(id).map(|area| area.chain).unwrap_or_default();
        chain.into_iter().flatten().filter_map(|one| self.area(one)).collect()
    }

    /// `东港街道新民社区第三网格`: the names from the second level down; the top's own name for the top. Also of what has ended.
    pub fn full_name(&self, id: AreaId) -> String {
        let chain = self.ever(id).map(|area| area.chain).unwrap_or_default();
        let chain: Vec<&Area> = chain.into_iter().flatten().filter_map(|one| self.ever(one)).collect();
        let from = usize::from(chain.len() > 1);
        chain[from..].iter().map(|area| area.name.as_str()).collect()
    }

    pub fn region(&self, id: AreaId) -> Option<&Region> {
        self.regions.get(self.by_id.get(&id)?)
    }

    /// Whether the area is `top` or lies below it.
    pub fn is_under(&self, id: AreaId, top: AreaId) -> bool {
        self.area(id).is_some_and(|area| area.chain.contains(&Some(top)))
    }

    /// West, south, east, north of everything.
    pub fn bounds(&self) -> Option<[f64; 4]> {
        let all = self.regions.values().filter_map(Region::bounds);
        all.reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])])
    }

    /// The one area of a point (WGS-84), by the rule of [`settle`].
    pub fn locate(&self, at: LonLat, nearest_metres: f64) -> Option<Located> {
        self.locate_among(at, nearest_metres, |_| true)
    }

    /// As [`Map::locate`], among an area and those below it: what overlaps from elsewhere does not count.
    pub fn locate_under(&self, top: AreaId, at: LonLat, nearest_metres: f64) -> Option<Located> {
        self.locate_among(at, nearest_metres, |area| self.is_under(area.id, top))
    }

    fn locate_among(&self, at: LonLat, nearest_metres: f64, counts: impl Fn(&Area) -> bool) -> Option<Located> {
        let lat = nearest_metres / METRES_PER_DEGREE;
        let lon = lat / at.lat.to_radians().cos().max(0.01);
        let around = AABB::from_corners([at.lon - lon, at.lat - lat], [at.lon + lon, at.lat + lat]);
        let near: Vec<Nearby> = self
            .boxes
            .locate_in_envelope_intersecting(around)
            .filter_map(|hit| {
                let (area, region) = (&self.areas[hit.data], self.regions.get(&hit.data)?);
                if !counts(area) {
                    return None;
                }
                let side = region.side(at);
                let metres = if side == Side::Outside {
                    region.metres_to_edge(at)
                } else {
                    0.0
                };
                Some(Nearby {
                    area: area.id.into(),
                    code: area.code.clone(),
                    depth: area.depth,
                    side,
                    metres,
                })
            })
            .collect();
        settle(&near, nearest_metres).map(|(area, rule)| Located {
            area: area.into(),
            rule,
        })
    }

    /// The area whose names a text speaks of.
    pub fn by_text(&self, text: &str) -> Option<AreaId> {
        self.names.find(text).map(|(id, _)| id.into())
    }

    /// Areas whose name, pinyin, initials or code begins with or contains the text; exact beginnings first, at most `limit`.
    pub fn search(&self, text: &str, limit: usize) -> Vec<&Area> {
        let wanted = domain::text::normalise(text).replace(' ', "");
        if wanted.is_empty() {
            return Vec::new();
        }
        let rank = |area: &Area| {
            if area.name.starts_with(&wanted) || area.code.starts_with(&wanted) {
                Some(0)
            } else if area.initials.starts_with(&wanted) || area.pinyin.starts_with(&wanted) {
                Some(1)
            } else {
                area.name.contains(&wanted).then_some(2)
            }
        };
        let mut found: Vec<(u8, &Area)> = self.areas.iter().filter_map(|area| Some((rank(area)?, area))).collect();
        found.sort_by(|a, b| (a.0, a.1.depth, &a.1.code).cmp(&(b.0, b.1.depth, &b.1.code)));
        found.into_iter().take(limit).map(|(_, area)| area).collect()
    }
}
