//! From an address text to an area: every area name in the text speaks for its areas, the longest and most consistent wins.

use std::collections::HashMap;

use crate::ids::AreaId;
use crate::text::normalise;

/// What an index needs to know of an area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedArea {
    pub id: AreaId,
    pub code: String,
    pub name: String,
    pub depth: u8,
    /// Ancestors from the top, itself last.
    pub chain: Vec<AreaId>,
}

/// Names and their short forms, to areas.
#[derive(Debug, Default)]
pub struct NameIndex {
    areas: Vec<NamedArea>,
    by_name: HashMap<String, Vec<usize>>,
    longest: usize,
}

/// Endings that people leave out; taken off once, longest first, when two characters remain.
const ENDINGS: [&str; 14] = [
    "社区居民委员会",
    "村民委员会",
    "社区居委会",
    "居民委员会",
    "社区村委会",
    "村委会",
    "居委会",
    "街道办事处",
    "街道",
    "社区",
    "办事处",
    "镇",
    "乡",
    "村",
];

/// Longest text that is looked at, in characters.
const MAX_TEXT: usize = 400;

impl NameIndex {
    pub fn new(areas: Vec<NamedArea>) -> NameIndex {
        let mut index = NameIndex {
            areas,
            ..NameIndex::default()
        };
        for at in 0..index.areas.len() {
            for name in forms(&index.areas[at].name) {
                index.longest = index.longest.max(name.chars().count());
                index.by_name.entry(name).or_default().push(at);
            }
        }
        index
    }

    /// The area a text speaks of, with the name that decided. Candidates are all areas whose name or short form occurs; each scores the
    /// length of its own name plus the lengths of its ancestors' names that occur too; the best wins, then the deeper. `None` when
    /// no name occurs or when two different areas are equally good: then a person must say.
    pub fn find(&self, text: &str) -> Option<(AreaId, String)> {
        let mut spoken: HashMap<usize, usize> = HashMap::new();
        let chars: Vec<char> = normalise(text).chars().filter(|c| *c != ' ').take(MAX_TEXT).collect();
        for from in 0..chars.len() {
            let most = self.longest.min(chars.len() - from);
            for len in 2..=most {
                let part: String = chars[from..from + len].iter().collect();
                for at in self.by_name.get(&part).into_iter().flatten() {
                    let best = spoken.entry(*at).or_default();
                    *best = (*best).max(len);
                }
            }
        }
        let lengths: HashMap<AreaId, usize> = spoken.iter().map(|(at, len)| (self.areas[*at].id, *len)).collect();
        let score = |at: usize| -> (usize, u8) {
            let area = &self.areas[at];
            (area.chain.iter().filter_map(|id| lengths.get(id)).sum(), area.depth)
        };
        let mut ranked: Vec<(usize, u8, usize)> = spoken.keys().map(|at| (score(*at).0, score(*at).1, *at)).collect();
        ranked.sort_unstable_by(|a, b| b.cmp(a));
        let (best, rest) = ranked.split_first()?;
        let tied = rest.first().is_some_and(|next| (next.0, next.1) == (best.0, best.1));
        let winner = &self.areas[best.2];
        (!tied).then(|| (winner.id, winner.name.clone()))
    }
}

fn forms(name: &str) -> Vec<String> {
    let whole = normalise(name).replace(' ', "");
    let mut forms = vec![whole.clone()];
    for ending in ENDINGS {
        if let Some(short) = whole.strip_suffix(ending).filter(|short| short.chars().count() >= 2) {
            forms.push(short.to_string());
            if ending.starts_with("社区") {
                forms.push(format!("{short}社区"));
            } else if ending.starts_with("村民") || ending == "村委会" {
                forms.push(format!("{short}村"));
            }
            break;
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms.retain(|form| form.chars().count() >= 2);
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> NameIndex {
        let area = |id: u128, code: &str, name: &str, chain: &[u128]| NamedArea {
            id: AreaId(id),
            code: code.into(),
            name: name.into(),
            depth: chain.len() as u8,
            chain: chain.iter().copied().map(AreaId).collect(),
        };
        NameIndex::new(vec![
            area(1, "9", "望海市", &[1]),
            area(2, "91", "东港街道", &[1, 2]),
            area(3, "911", "新民社区居委会", &[1, 2, 3]),
            area(4, "92", "西山镇", &[1, 4]),
            area(5, "921", "新民村村民委员会", &[1, 4, 5]),
        ])
    }

    #[test]
    fn short_forms_and_ancestors_decide() {
        let find = |text: &str| index().find(text).map(|(id, _)| id.0);
        assert_eq!(find("望海市东港街道新民社区3号楼"), Some(3));
        assert_eq!(find("西山镇新民村的路灯坏了"), Some(5));
        assert_eq!(find("东港 新民那边"), Some(3));
        assert_eq!(find("西山镇政府门口"), Some(4));
        assert_eq!(find("不知道在哪"), None);
    }

    #[test]
    fn two_equal_answers_are_none() {
        let area = |id: u128, code: &str| NamedArea {
            id: AreaId(id),
            code: code.into(),
            name: "新民村".into(),
            depth: 1,
            chain: vec![AreaId(id)],
        };
        assert_eq!(NameIndex::new(vec![area(1, "1"), area(2, "2")]).find("新民村口"), None);
    }
}
