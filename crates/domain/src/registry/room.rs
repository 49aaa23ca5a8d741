//! Where in a building: building, entrance 单元, floor, room, in one written form and one order, however they were typed.
//!
//! Entry point: [`Room::read`]; [`Room::key`] sorts as text in the order of a walk through the building.

use crate::text::normalise;

/// Characters of one part at most.
const MAX_PART: usize = 20;
/// Floors of the deepest cellar and the highest tower.
const FLOORS: std::ops::RangeInclusive<i16> = -9..=200;

/// Why the parts are no place in a building.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRoom {
    #[error("the building is too long")]
    Building,
    #[error("the entrance is too long")]
    Entrance,
    #[error("the floor is a number from -9 to 200")]
    Floor,
    #[error("the room is too long")]
    Room,
}

/// A place in a building; each part may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Room {
    pub building: Option<String>,
    pub entrance: Option<String>,
    pub floor: Option<i16>,
    pub room: Option<String>,
}

impl Room {
    /// Reads the four parts: `三号楼`, `３幢`, `3` are one building. A floor that was left out is told by a room of three or four digits.
    pub fn read(building: &str, entrance: &str, floor: &str, room: &str) -> Result<Room, BadRoom> {
        let building =
            part(building, &["号楼", "栋楼", "幢", "栋", "座", "楼", "#"]).map_err(|()| BadRoom::Building)?;
        let entrance = part(entrance, &["单元", "门", "梯"]).map_err(|()| BadRoom::Entrance)?;
        let room = part(room, &["号房", "室", "房", "号"]).map_err(|()| BadRoom::Room)?;
        let floor = match read_floor(floor)? {
            Some(floor) => Some(floor),
            None => room.as_deref().and_then(floor_of_room),
        };
        Ok(Room {
            building,
            entrance,
            floor,
            room,
        })
    }

    pub fn is_empty(&self) -> bool {
        *self == Room::default()
    }

    /// As people write it: `3幢2单元5层501室`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut push = |part: Option<&str>, ending: &str| {
            if let Some(part) = part {
                text.push_str(part);
                text.push_str(ending);
            }
        };
        push(self.building.as_deref(), "幢");
        push(self.entrance.as_deref(), "单元");
        push(self.floor.map(|floor| floor.to_string()).as_deref(), "层");
        push(self.room.as_deref(), "室");
        text
    }

    /// Equal for equal places; as text it sorts by building, entrance, floor, room, numbers by their size, what is missing first.
    pub fn key(&self) -> String {
        let part = |part: &Option<String>| part.as_deref().map(sortable).unwrap_or_default();
        let floor = self
            .floor
            .map(|floor| format!("{:03}", floor + 100))
            .unwrap_or_default();
        format!(
            "{}/{}/{floor}/{}",
            part(&self.building),
            part(&self.entrance),
            part(&self.room)
        )
    }
}

/// A part without its ending, Chinese numerals as digits, letters large, no leading zeros.
fn part(text: &str, endings: &[&str]) -> Result<Option<String>, ()> {
    let plain: String = normalise(text).chars().filter(|c| !matches!(c, ' ' | '/')).collect();
    let plain = plain.to_uppercase();
    let ending = endings
        .iter()
        .find(|ending| plain.ends_with(**ending) && plain.len() > ending.len());
    let bare = ending.map_or(plain.as_str(), |ending| &plain[..plain.len() - ending.len()]);
    let bare = bare.strip_prefix('第').unwrap_or(bare);
    let written = match numeral(bare) {
        Some(number) => number.to_string(),
        None => without_zeros(bare),
    };
    if written.chars().count() > MAX_PART {
        return Err(());
    }
    Ok(Some(written).filter(|written| !written.is_empty()))
}

fn without_zeros(text: &str) -> String {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    if digits < 2 {
        return text.to_owned();
    }
    let (number, rest) = text.split_at(digits);
    let short = number.trim_start_matches('0');
    format!("{}{rest}", if short.is_empty() { "0" } else { short })
}

/// A number up to 99 in Chinese numerals.
fn numeral(text: &str) -> Option<u32> {
    let digit = |c: char| {
        "零一二三四五六七八九"
            .chars()
            .position(|one| one == c)
            .map(|at| at as u32)
    };
    let digit = |c: char| if c == '两' { Some(2) } else { digit(c) };
    let chars: Vec<char> = text.chars().collect();
    match chars.as_slice() {
        ['十'] => Some(10),
        [one] => digit(*one),
        ['十', one] => Some(10 + digit(*one)?),
        [ten, '十'] => Some(10 * digit(*ten)?),
        [ten, '十', one] => Some(10 * digit(*ten)? + digit(*one)?),
        _ => None,
    }
}

fn read_floor(text: &str) -> Result<Option<i16>, BadRoom> {
    let plain: String = normalise(text).chars().filter(|c| *c != ' ').collect();
    let bare = plain.trim_end_matches(['层', '楼', 'f']);
    let (bare, below) = match bare
        .strip_prefix("地下")
        .or_else(|| bare.strip_prefix("负"))
        .or_else(|| bare.strip_prefix('b'))
    {
        Some(rest) => (rest, true),
        None => (bare, false),
    };
    let bare = bare.strip_prefix('第').unwrap_or(bare);
    if bare.is_empty() && !below {
        return Ok(None);
    }
    let number = numeral(bare)
        .and_then(|number| i16::try_from(number).ok())
        .or_else(|| bare.parse::<i16>().ok());
    let number = number.filter(|number| !below || *number > 0).ok_or(BadRoom::Floor)?;
    let floor = if below { -number } else { number };
    if floor == 0 || !FLOORS.contains(&floor) {
        return Err(BadRoom::Floor);
    }
    Ok(Some(floor))
}

/// 501 is on the fifth floor, 1203 on the twelfth.
fn floor_of_room(room: &str) -> Option<i16> {
    let number: i16 = room.parse().ok().filter(|_| (3..=4).contains(&room.len()))?;
    Some(number / 100).filter(|floor| *floor > 0)
}

/// Runs of digits led by zeros, so that 2 stands before 10; other characters as they are.
fn sortable(part: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for c in part.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        flush(&mut out, &mut digits);
        out.push(c);
    }
    flush(&mut out, &mut digits);
    out
}

fn flush(out: &mut String, digits: &mut String) {
    if !digits.is_empty() {
        out.push_str(&format!("{digits:0>MAX_PART$}"));
        digits.clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn read(parts: [&str; 4]) -> Room {
        Room::read(parts[0], parts[1], parts[2], parts[3]).unwrap()
    }

    #[test]
    fn one_place_has_one_form() {
        let one = read(["3", "2", "5", "501"]);
        for same in [
            ["三号楼", "二单元", "五层", "501室"],
            ["第3幢", "０２单元", "5F", "0501"],
            ["3#", "2门", "", "501号房"],
            [" 3 栋 ", "2 单元", "5楼", "501 房"],
        ] {
            assert_eq!(read(same), one, "{same:?}");
        }
        assert_eq!(one.text(), "3幢2单元5层501室");
        assert_eq!(read(["b座", "", "-1", "附1"]).text(), "B幢-1层附1室");
        assert_eq!(read(["", "", "地下二层", ""]).floor, Some(-2));
        assert_eq!(read(["二十一", "", "", ""]).building.as_deref(), Some("21"));
        assert!(read(["", " ", "", ""]).is_empty());
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(Room::read("", "", "高", ""), Err(BadRoom::Floor));
        assert_eq!(Room::read("", "", "0", ""), Err(BadRoom::Floor));
        assert_eq!(Room::read("", "", "999", ""), Err(BadRoom::Floor));
        assert_eq!(Room::read(&"长".repeat(21), "", "", ""), Err(BadRoom::Building));
    }

    proptest! {
        #[test]
        fn what_was_read_reads_the_same_again(building in "\\PC{0,8}", entrance in "\\PC{0,6}", room in "\\PC{0,8}") {
            let Ok(once) = Room::read(&building, &entrance, "", &room) else { return Ok(()) };
            let again = once.room.as_deref().map(floor_of_room);
            prop_assert!(once.floor.is_none() || again == Some(once.floor));
            prop_assert_eq!(once.key().matches('/').count(), 3);
        }

        #[test]
        fn keys_sort_as_a_walk(a in (1u32..40, 1u32..9, 1i16..40, 1u32..9999), b in (1u32..40, 1u32..9, 1i16..40, 1u32..9999)) {
            let room = |(building, entrance, floor, room): (u32, u32, i16, u32)| {
                Room::read(&building.to_string(), &entrance.to_string(), &floor.to_string(), &room.to_string()).unwrap()
            };
            prop_assert_eq!(room(a).key().cmp(&room(b).key()), a.cmp(&b));
        }
    }
}
