//! What the columns of a list of cases mean, and each row made into a [`PastCase`] or into problems with their place.
//!
//! Entry points: [`Columns::of`], [`read_all`]. Columns nobody asked for are left out and named: an import cannot bring in labels of
//! persons. Must not: write anything.

use super::table::{self, Table};
use crate::cases::intake::{MAX_ADDRESS, MAX_BODY, MAX_NAME, MAX_TITLE};
use crate::cases::past::{MAX_ANSWER, PastCase, past_id};
use crate::platform::*;
use crate::policy::Current;
use crate::territory::Map;
use domain::time::{DAY_MS, Timestamp};
use jiff::civil::DateTime;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// A column that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Key,
    Body,
    Title,
    Category,
    Address,
    Area,
    Name,
    Phone,
    ReceivedAt,
    Answer,
    AnsweredAt,
}

/// Names of each column as lists have them, in lower case without blanks; the first is the template's.
pub const NAMES: &[(Field, &[&str])] = &[
    (
        Field::Key,
        &[
            "编号",
            "序号",
            "工单编号",
            "诉求编号",
            "留言编号",
            "来信编号",
            "id",
            "no",
            "number",
            "key",
        ],
    ),
    (
        Field::Title,
        &["标题", "主题", "留言主题", "诉求标题", "title", "subject"],
    ),
    (
        Field::Body,
        &[
            "诉求内容",
            "内容",
            "留言详情",
            "诉求",
            "来信内容",
            "事件描述",
            "描述",
            "问题描述",
            "text",
            "body",
            "content",
            "description",
        ],
    ),
    (
        Field::Category,
        &[
            "分类",
            "类别",
            "事件类型",
            "诉求分类",
            "一级标签",
            "问题类型",
            "category",
            "type",
            "label",
        ],
    ),
    (
        Field::Area,
        &[
            "区域",
            "所属区域",
            "网格",
            "社区",
            "村社区",
            "街道",
            "区域编码",
            "网格编码",
            "area",
            "areacode",
            "grid",
        ],
    ),
    (
        Field::Address,
        &["地址", "地点", "位置", "事发地址", "address", "location"],
    ),
    (
        Field::Name,
        &[
            "来电人",
            "姓名",
            "诉求人",
            "反映人",
            "来信人",
            "联系人",
            "留言用户",
            "name",
            "reporter",
            "user",
        ],
    ),
    (
        Field::Phone,
        &[
            "电话",
            "手机",
            "手机号",
            "联系电话",
            "来电号码",
            "phone",
            "tel",
            "mobile",
        ],
    ),
    (
        Field::ReceivedAt,
        &[
            "时间",
            "收到时间",
            "来电时间",
            "受理时间",
            "登记时间",
            "诉求时间",
            "留言时间",
            "上报时间",
            "received_at",
            "receivedat",
            "time",
            "date",
            "created_at",
        ],
    ),
    (
        Field::Answer,
        &[
            "答复",
            "答复内容",
            "答复意见",
            "回复",
            "回复内容",
            "办理结果",
            "answer",
            "reply",
        ],
    ),
    (
        Field::AnsweredAt,
        &[
            "答复时间",
            "回复时间",
            "办结时间",
            "answered_at",
            "answeredat",
            "replied_at",
            "closed_at",
        ],
    ),
];

/// Which column is what.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    at: HashMap<Field, usize>,
    header: Vec<String>,
    /// Columns that are not taken over.
    pub ignored: Vec<String>,
}

fn field_of(name: &str) -> Option<Field> {
    let plain: String = name
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '*' | '＊' | ':' | '：' | '\u{feff}'))
        .collect();
    let plain = plain.split(['(', '（']).next().unwrap_or_default().to_lowercase();
    NAMES
        .iter()
        .find(|(_, names)| names.contains(&plain.as_str()))
        .map(|(field, _)| *field)
}

/// Whether a row is the header: the column with what is said is among them.
pub fn is_header(cells: &[String]) -> bool {
    cells.iter().any(|cell| field_of(cell) == Some(Field::Body))
}

impl Columns {
    /// From a header. What is said must be there, and no column twice.
    pub fn of(header: &[String]) -> Result<Columns, Fault> {
        let mut columns = Columns {
            header: header.to_vec(),
            ..Columns::default()
        };
        for (at, name) in header.iter().enumerate() {
            match field_of(name) {
                Some(field) if columns.at.contains_key(&field) => {
                    return Err(Fault::refused("import_column_twice").with("column", name));
                }
                Some(field) => {
                    columns.at.insert(field, at);
                }
                None if name.is_empty() => {}
                None => columns.ignored.push(name.clone()),
            }
        }
        if !columns.at.contains_key(&Field::Body) {
            let found = header.iter().take(20).cloned().collect::<Vec<_>>().join("、");
            return Err(Fault::refused("import_no_body_column").with("found", found));
        }
        Ok(columns)
    }

    fn cell<'r>(&self, row: &'r table::Row, field: Field) -> Option<&'r str> {
        let at = self.at.get(&field)?;
        row.cells
            .get(*at)
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty())
    }

    fn name(&self, field: Field) -> String {
        let named = self.at.get(&field).and_then(|at| self.header.get(*at)).cloned();
        named.unwrap_or_else(|| {
            NAMES
                .iter()
                .find(|(f, _)| *f == field)
                .map(|(_, names)| names[0].to_owned())
                .unwrap_or_default()
        })
    }
}

/// Something wrong in a row.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct RowProblem {
    /// As the spreadsheet program numbers it.
    pub row: usize,
    /// Name of the column in the file.
    pub column: String,
    /// Stable.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What rows are read against.
pub struct Reader<'a> {
    pub ctx: &'a Ctx,
    pub current: &'a Current,
    pub map: &'a Map,
    /// Of [`area_names`].
    pub areas: HashMap<String, Option<AreaId>>,
    pub columns: Columns,
    /// Name of the list.
    pub source: &'a str,
    /// Where a row lies that says nothing of it.
    pub area: Option<AreaId>,
}

/// A row that can be taken over, with its number.
pub type Numbered = (usize, PastCase);

/// All rows: those that can be taken over, and what is wrong with the others.
pub fn read_all(reader: &Reader<'_>, table: &Table) -> (Vec<Numbered>, Vec<RowProblem>) {
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    let mut seen: HashMap<String, usize> = HashMap::new();
    for row in &table.rows {
        let mut wrong = Problems {
            reader,
            row: row.number,
            found: Vec::new(),
        };
        let case = wrong.case(row);
        if let Some(case) = &case
            && let Some(first) = seen.insert(case.key.clone(), row.number)
        {
            wrong.add(Field::Key, "import_row_twice", &[("first", first.to_string())]);
        }
        match case {
            Some(case) if wrong.found.is_empty() => good.push((row.number, case)),
            _ => problems.append(&mut wrong.found),
        }
    }
    (good, problems)
}

struct Problems<'a> {
    reader: &'a Reader<'a>,
    row: usize,
    found: Vec<RowProblem>,
}

impl Problems<'_> {
    fn add(&mut self, field: Field, code: &'static str, params: &[(&'static str, String)]) {
        self.found.push(RowProblem {
            row: self.row,
            column: self.reader.columns.name(field),
            code: code.to_owned(),
            message: i18n::sentence(self.reader.ctx.lang, code, params),
        });
    }

    fn text(&mut self, row: &table::Row, field: Field, most: usize) -> Option<String> {
        let text = self.reader.columns.cell(row, field)?;
        if text.chars().count() > most {
            self.add(field, "import_too_long", &[("most", most.to_string())]);
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.add(field, "import_control_characters", &[]);
        }
        Some(text.to_owned())
    }

    fn case(&mut self, row: &table::Row) -> Option<PastCase> {
        let body = self.text(row, Field::Body, MAX_BODY);
        if body.is_none() {
            self.add(Field::Body, "import_no_body", &[]);
        }
        let title = self.text(row, Field::Title, MAX_TITLE);
        let address = self.text(row, Field::Address, MAX_ADDRESS);
        let name = self.text(row, Field::Name, MAX_NAME);
        let phone = self.phone(row);
        let category_code = self.category(row);
        let area = self.area(row, address.as_deref());
        let received = self.time(row, Field::ReceivedAt, false);
        let received_at = received.unwrap_or(self.reader.ctx.now);
        let answer = self.answer(row, received_at);
        let (body, area) = (body?, area?);
        let key = match self.reader.columns.cell(row, Field::Key) {
            Some(key) => key.to_owned(),
            None => digest(&[
                &body,
                title.as_deref().unwrap_or_default(),
                phone.as_deref().unwrap_or_default(),
                &received.map_or(String::new(), |t| t.to_string()),
            ]),
        };
        // A row without a time gets its time when it comes in, but the same id each time it comes.
        let id = past_id(self.reader.source, &key, received.unwrap_or(Timestamp(0)));
        let source = self.reader.source.to_owned();
        Some(PastCase {
            id,
            source,
            key,
            title,
            body,
            category_code,
            area,
            address,
            name,
            phone,
            received_at,
            answer,
            at: None,
            unit: None,
            channel: None,
        })
    }

    fn phone(&mut self, row: &table::Row) -> Option<String> {
        let phone = self.reader.columns.cell(row, Field::Phone)?.to_owned();
        let digits = sealed::plain_phone(&phone).len();
        if !(5..=20).contains(&digits) || phone.chars().count() > 40 {
            self.add(Field::Phone, "import_phone", &[]);
        }
        Some(phone)
    }

    fn category(&mut self, row: &table::Row) -> Option<String> {
        let label = self.reader.columns.cell(row, Field::Category)?.to_owned();
        let pack = &self.reader.current.pack;
        // `一级/二级/三级`: the last name that is known counts.
        let parts = label.rsplit(['/', '>', '＞', '／']).map(str::trim);
        let found = pack.category(&label).map(|c| c.code.clone()).or_else(|| {
            parts
                .filter(|part| !part.is_empty())
                .find_map(|part| pack.category_for_label(part))
                .map(|c| c.code.clone())
        });
        if found.is_none() {
            self.add(Field::Category, "import_category_unknown", &[("found", shown(&label))]);
        }
        found
    }

    fn area(&mut self, row: &table::Row, address: Option<&str>) -> Option<AreaId> {
        let map = self.reader.map;
        let named = self.reader.columns.cell(row, Field::Area);
        let found = match named {
            Some(text) => match self.reader.areas.get(text).copied().flatten() {
                Some(area) => Some(area),
                None => {
                    self.add(Field::Area, "import_area_unknown", &[("found", shown(text))]);
                    return None;
                }
            },
            None => address.and_then(|words| map.by_text(words)).or(self.reader.area),
        };
        let Some(area) = found else {
            self.add(Field::Area, "import_area_missing", &[]);
            return None;
        };
        let chain = map.area(area).map(|a| a.chain).unwrap_or_default();
        if !self.reader.ctx.scope.covers(&chain, Permission::CaseImport) {
            // As for an area that does not exist: what lies outside the scope is not told.
            let found = named.map(shown).unwrap_or_default();
            self.add(Field::Area, "import_area_unknown", &[("found", found)]);
            return None;
        }
        Some(area)
    }

    fn time(&mut self, row: &table::Row, field: Field, end_of_day: bool) -> Option<Timestamp> {
        let text = self.reader.columns.cell(row, field)?;
        let Some((at, date_only)) = moment(text) else {
            self.add(field, "import_time_unreadable", &[("found", shown(text))]);
            return None;
        };
        let now = self.reader.ctx.now;
        if at > now {
            self.add(field, "import_time_future", &[("found", shown(text))]);
            return None;
        }
        // A day without an hour: until its end, for what was done on it.
        Some(if date_only && end_of_day {
            Timestamp((at.0 + DAY_MS - 1_000).min(now.0))
        } else {
            at
        })
    }

    fn answer(&mut self, row: &table::Row, received: Timestamp) -> Option<(String, Timestamp)> {
        let answer = self.text(row, Field::Answer, MAX_ANSWER);
        let at = self.time(row, Field::AnsweredAt, true);
        match (answer, at) {
            (None, None) => None,
            (Some(_), None) => {
                if self.reader.columns.cell(row, Field::AnsweredAt).is_none() {
                    self.add(Field::AnsweredAt, "import_answer_without_time", &[]);
                }
                None
            }
            (None, Some(_)) => {
                self.add(Field::Answer, "import_time_without_answer", &[]);
                None
            }
            (Some(_), Some(at)) if at < received => {
                self.add(Field::AnsweredAt, "import_answered_before", &[]);
                None
            }
            (Some(answer), Some(at)) => Some((answer, at)),
        }
    }
}

/// At most so many characters of what stood there are said back.
fn shown(text: &str) -> String {
    const MOST: usize = 30;
    text.chars().take(MOST).collect()
}

/// Areas by what lists call them: code, full name, and a name that only one has.
pub fn area_names(map: &Map) -> HashMap<String, Option<AreaId>> {
    let mut names: HashMap<String, Option<AreaId>> = HashMap::new();
    for area in map.areas() {
        names
            .entry(area.name.clone())
            .and_modify(|found| *found = None)
            .or_insert(Some(area.id));
    }
    for area in map.areas() {
        names.insert(map.full_name(area.id), Some(area.id));
        names.insert(area.code.clone(), Some(area.id));
    }
    names
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// A moment as lists write it, in Beijing time: `2019/4/25 9:32:09`, `2019-04-25 09:32`, `2019年4月25日`, RFC 3339, or a spreadsheet's
/// number of days; with whether it is a day only.
pub fn moment(text: &str) -> Option<(Timestamp, bool)> {
    const EARLIEST: i16 = 1990;
    if let Ok(at) = Timestamp::parse(text) {
        return Some((at, false));
    }
    if let Ok(serial) = text.parse::<f64>() {
        return moment(&table::date_of_serial(serial)?);
    }
    let plain: String = text
        .chars()
        .map(|c| {
            if matches!(c, '年' | '月' | '/' | '.') {
                '-'
            } else if matches!(c, '日' | 'T') {
                ' '
            } else {
                c
            }
        })
        .collect();
    let plain = plain.replace(['时', '点', '：'], ":").replace(['分', '秒'], " ");
    let mut words = plain.split_whitespace();
    let mut date = words.next()?.split('-').map(|part| part.parse::<i16>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    if date.next().is_some() || year < EARLIEST {
        return None;
    }
    let rest: String = words.collect();
    let mut time = rest
        .split(':')
        .filter(|part| !part.is_empty())
        .map(|part| part.parse::<f64>().ok());
    let mut next = || -> Option<Option<i8>> {
        match time.next() {
            None => Some(None),
            Some(Some(number)) if (0.0..60.0).contains(&number) => Some(Some(number as i8)),
            Some(_) => None,
        }
    };
    let (hour, minute, second) = (next()?, next()?, next()?);
    let date_only = hour.is_none();
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let civil = DateTime::new(
        year,
        month,
        day,
        hour.unwrap_or(0),
        minute.unwrap_or(0),
        second.unwrap_or(0),
        0,
    )
    .ok()?;
    Some((Timestamp::from_civil(civil), date_only))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Option<(String, bool)> {
        moment(text).map(|(at, day)| (at.to_string(), day))
    }

    #[test]
    fn moments_as_lists_write_them() {
        let at = |text: &str| Some((text.to_owned(), false));
        assert_eq!(read("2019/4/25 9:32:09"), at("2019-04-25T09:32:09+08:00"));
        assert_eq!(read("2019-04-08 08:37"), at("2019-04-08T08:37:00+08:00"));
        assert_eq!(read("2019-04-08T08:37:20+08:00"), at("2019-04-08T08:37:20+08:00"));
        assert_eq!(read("2019年4月8日 8时37分"), at("2019-04-08T08:37:00+08:00"));
        assert_eq!(read("46067.5"), at("2026-02-14T12:00:00+08:00"));
        assert_eq!(read("2019/5/9"), Some(("2019-05-09T00:00:00+08:00".into(), true)));
        for wrong in [
            "",
            "昨天",
            "2019/13/1",
            "2019/2/30",
            "1066/1/1",
            "2019/4/25 25:00",
            "2019/4/25 9:61",
            "-",
            "1e300",
            "NaN",
            "2019-4",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn columns_in_either_language() {
        let header = |names: &[&str]| Columns::of(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        let columns = header(&["编号*", "诉求内容（必填）", " Received_At ", "政治面貌"]).unwrap();
        assert_eq!(columns.at[&Field::ReceivedAt], 2);
        assert_eq!(columns.ignored, ["政治面貌"]);
        assert!(
            header(&["标题", "时间"])
                .unwrap_err()
                .to_string()
                .starts_with("import_no_body_column")
        );
        assert!(
            header(&["内容", "诉求内容"])
                .unwrap_err()
                .to_string()
                .starts_with("import_column_twice")
        );
    }
}
