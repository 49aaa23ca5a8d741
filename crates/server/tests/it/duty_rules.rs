//! What places say about visits and patrols, written as a pack's text, read as the server reads it, and counted as the oracle of duties
//! counts it day by day. The sentence the numbers come from stands above each rule.

#[path = "../../../domain/tests/duties/oracle.rs"]
#[allow(dead_code)]
mod oracle;

use crate::bare;
use domain::duties::{Act, Every, Outcome, Quantity, Rule, Standing, Turn, Visit, Who, owed};
use domain::duties::{Before, Days};
use domain::time::{MINUTE_MS, Timestamp, date_of, day_number};
use domain::workforce::Term;
use jiff::civil::{Date, date};
use oracle::{simulate, told, visit};
use server::policy::{self, Current};
use std::sync::Arc;

/// Luohe street (济宁高新区洸河街道): “推行‘一巡、两访、三必’工作模式，每日巡查不少于4小时，每季度入户走访不少于两次，发生突发事件和邻里纠纷必到，
/// 困难家庭和空巢老人每月必访，安全信访隐患、外来人员流入等情况必报”. Of the three musts the visit is owed by rule; coming and reporting are
/// flags of categories (`must_come`, `must_report`).
const LUOHE: &str = r#"
default_source = "assumption"
[[rule]]
key = "patrol"
name = "一巡：每日巡查"
act = "patrol"
who = "grids"
minutes = 240
every = "day"
least_minutes = 10
evidence = ["position"]
partial = "full"
missed = "lapses"
source = "LH-06"
[[rule]]
key = "household"
name = "两访：入户走访"
act = "visit"
who = "households"
times = 2
every = "quarter"
spacing = 14
grace = 20
evidence = ["talk"]
partial = "share"
missed = "owed"
source = "LH-07"
[[rule]]
key = "hardship"
name = "必访：困难家庭"
act = "visit"
who = "register"
of = "hardship"
times = 1
every = "month"
spacing = 7
evidence = ["talk"]
partial = "full"
missed = "owed"
source = "LH-09"
[[rule]]
key = "elder_alone"
name = "必访：空巢老人"
act = "visit"
who = "register"
of = "elder_alone"
times = 1
every = "month"
spacing = 7
evidence = ["talk"]
partial = "full"
missed = "owed"
source = "LH-09"
[[rule]]
key = "stairwell"
name = "逐楼栋单元排查"
act = "check"
who = "checkpoints"
of = "楼栋单元"
times = 1
every = "week"
evidence = ["photo", "position"]
partial = "next"
missed = "lapses"
source = "LH-12"
"#;

/// Maogang town: “片区管理员每天在所属片区巡逻2-3次”.
const MAOGANG: &str = r#"
default_source = "MG-10"
[[rule]]
key = "patrol"
name = "片区巡逻"
act = "patrol"
who = "grids"
times = 2
most = 3
every = "day"
spacing = 0
least_minutes = 20
partial = "full"
missed = "lapses"
"#;

/// The registers these rules speak of.
const REGISTERS: &str = r#"
default_source = "assumption"
[[register]]
key = "hardship"
name = "困难家庭"
service = "每月走访，帮助申请救助"
legal_basis = "《社会救助暂行办法》第九条"
entries = "民政登记"
serves = ["grid"]
[[register]]
key = "elder_alone"
name = "空巢老人"
service = "每月走访"
legal_basis = "《中华人民共和国老年人权益保障法》第三十七条"
entries = "民政登记"
serves = ["grid"]
"#;

/// Panjin: “网格员每天走访在辖区中，与居民打交道”, “巡查时把发现的问题随时记录，随时拍照，随时上传”.
const PANJIN: &str = r#"
default_source = "assumption"
[[rule]]
key = "patrol"
name = "每天走访巡查"
act = "patrol"
who = "grids"
times = 1
most = 5
every = "day"
spacing = 0
evidence = ["photo"]
partial = "full"
missed = "lapses"
source = "PJ-05"
"#;

/// The rules of a shipped pack with this `duties.toml`, or with its own.
async fn read(key: &str, text: Option<&str>, check: impl Fn(Arc<Current>) + Clone + Send + Sync + 'static) {
    let mut files = policy::shipped(key).unwrap();
    if let Some(text) = text {
        files.insert("duties.toml".into(), text.into());
        files.insert("registers.toml".into(), REGISTERS.into());
    }
    bare::each(move |bare| {
        let (files, check) = (files.clone(), check.clone());
        async move {
            if let Err(error) = policy::adopt(&bare.app, files, None).await {
                panic!("{error:?}");
            }
            check(policy::current(&bare.app).unwrap());
            bare.remove().await;
        }
    })
    .await;
}

fn rule(current: &Current, key: &str) -> Rule {
    let found = current.pack.duty_rules.iter().find(|one| one.rule.key == key);
    found.unwrap_or_else(|| panic!("no rule {key}")).rule.clone()
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Each rule of the pack, on 300 subjects who come and go and are called on at random: the same as the oracle says. The number of
/// obligations compared.
fn agrees(current: &Current) -> usize {
    let calendar = current.now_calendar();
    let mut compared = 0;
    for one in &current.pack.duty_rules {
        let rule = &one.rule;
        for seed in 0..300u64 {
            let mut dice = Dice(seed * 77 + rule.key.len() as u64);
            let months = if rule.every == Every::Year { 1 } else { 5 };
            let start = date_of(day_number(date(2026, 1, 1)) + dice.roll(30 * months) as i64);
            let periods = match rule.every {
                Every::Year => 1,
                Every::Day => 8,
                _ => 2,
            };
            let from = rule.every.period_of(start).first;
            let span = if rule.every == Every::Day { 8 } else { 200 };
            let joined = date_of(from - 20 + dice.roll(60) as i64);
            let left = (dice.roll(3) == 0).then(|| date_of(day_number(joined) + dice.roll(120) as i64));
            let member = [Term { from: joined, to: left }];
            let many = dice.roll(9);
            let visits: Vec<Visit> = (0..many)
                .map(|_| {
                    let day = from + dice.roll(span) as i64;
                    let mut one = visit(
                        Timestamp::from_day(day, dice.roll(1_440) as i64 * MINUTE_MS),
                        rule.act,
                        "grid",
                    );
                    one.minutes = [5, 25, 70, 130][dice.roll(4) as usize];
                    if dice.roll(5) == 0 {
                        one.outcome = Outcome::NobodyHome;
                    }
                    (one.talk, one.photo) = (dice.roll(6) > 0, dice.roll(6) > 0);
                    one
                })
                .filter(|one| one.at.date().year() == 2026)
                .collect();
            let turn = Turn::of(u128::from(dice.0));
            let fast = told(rule, calendar, &member, turn, &visits, start, periods);
            assert_eq!(
                fast,
                simulate(rule, calendar, &member, turn, &visits, start, periods),
                "{} seed {seed}",
                rule.key
            );
            compared += fast.iter().map(|one| one.owed.len()).sum::<usize>();
        }
    }
    compared
}

const ALWAYS: [Term; 1] = [Term {
    from: date(2020, 1, 1),
    to: None,
}];

/// What a day looks like at its end, for somebody who was out at these hours for so many minutes.
fn day_of(rule: &Rule, current: &Current, on: Date, out: &[(i8, u32)]) -> (Vec<Standing>, Vec<String>) {
    let days = Days::of(rule.every.period_of(on), current.now_calendar()).unwrap();
    let visits: Vec<Visit> = out
        .iter()
        .map(|(hour, minutes)| Visit {
            minutes: *minutes,
            ..visit(Timestamp::from_civil(on.at(*hour, 0, 0, 0)), rule.act, "grid")
        })
        .collect();
    let found = owed(rule, &days, &ALWAYS, Turn(0), &visits, Before::default());
    let standing = found
        .obligations
        .iter()
        .map(|one| one.standing(day_number(on) + 1))
        .collect();
    (
        standing,
        found.verdicts.iter().map(|verdict| format!("{verdict:?}")).collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn one_patrol_two_visits_three_musts() {
    read("zhoushan", Some(LUOHE), |current| {
        assert!(agrees(&current) > 1_000);
        let patrol = rule(&current, "patrol");
        assert_eq!((patrol.quantity, patrol.every), (Quantity::Minutes(240), Every::Day));
        let day = date(2026, 5, 13);
        let (standing, _) = day_of(&patrol, &current, day, &[(8, 130), (14, 100), (16, 5)]);
        assert_eq!(
            standing,
            [Standing::Missed],
            "230 minutes, and five that are too short to count"
        );
        let (standing, _) = day_of(&patrol, &current, day, &[(8, 130), (14, 110)]);
        assert_eq!(standing, [Standing::Done], "four hours");
        let visit = rule(&current, "household");
        assert_eq!(
            (visit.quantity, visit.every),
            (Quantity::Times { least: 2, most: 2 }, Every::Quarter)
        );
        // A family that moves in for the last third of the quarter is owed no half visit, one for the last half is owed one.
        let days = Days::of(Every::Quarter.period_of(day), current.now_calendar()).unwrap();
        let from = |month, day| {
            [Term {
                from: date(2026, month, day),
                to: None,
            }]
        };
        let owed_from = |month, day| {
            owed(&visit, &days, &from(month, day), Turn(0), &[], Before::default())
                .obligations
                .len()
        };
        assert_eq!([owed_from(4, 1), owed_from(5, 10), owed_from(6, 1)], [2, 1, 0]);
        for must in ["hardship", "elder_alone"] {
            let must = rule(&current, must);
            assert_eq!(
                (must.quantity, must.every),
                (Quantity::Times { least: 1, most: 1 }, Every::Month)
            );
        }
        assert!(current.pack.categories.iter().any(|one| one.must_come), "必到");
        assert!(current.pack.categories.iter().any(|one| one.must_report), "必报");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_to_three_rounds_a_day() {
    read("zhoushan", Some(MAOGANG), |current| {
        assert!(agrees(&current) > 1_000);
        let rounds = rule(&current, "patrol");
        let day = date(2026, 5, 16); // a Saturday: every day means every day
        let out = [(7, 30), (12, 10), (15, 30), (19, 30), (21, 30)];
        let (standing, verdicts) = day_of(&rounds, &current, day, &out);
        assert_eq!(standing, [Standing::Done, Standing::Done]);
        assert_eq!(
            verdicts,
            ["Settles(1)", "Not(TooShort)", "Settles(2)", "Extra", "Not(Enough)"]
        );
        let (standing, _) = day_of(&rounds, &current, day, &out[..2]);
        assert_eq!(standing, [Standing::Done, Standing::Missed]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_day_in_the_grid_with_a_photo() {
    read("zhoushan", Some(PANJIN), |current| {
        assert!(agrees(&current) > 500);
    })
    .await;
}

/// The numbers of the shipped packs are those their documents give; see the comments in `packs/*/duties.toml`.
#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_packs_owe_what_their_documents_say() {
    read("yichang", None, |current| {
        assert!(agrees(&current) > 1_500);
        let daily = rule(&current, "daily_visits");
        assert_eq!(
            (daily.act, &daily.who, daily.every),
            (Act::Visit, &Who::Grids, Every::Day)
        );
        let out = [(9, 10), (9, 10), (10, 10), (10, 10), (11, 10), (15, 10)];
        let (standing, verdicts) = day_of(&daily, &current, date(2026, 5, 13), &out);
        assert_eq!(standing, [Standing::Done; 5]);
        assert_eq!(verdicts.last().unwrap(), "Extra");
        let (standing, _) = day_of(&daily, &current, date(2026, 5, 16), &out);
        assert!(
            standing.iter().all(|one| *one == Standing::Done) && standing.is_empty(),
            "nothing is owed on a Saturday"
        );
        let (standing, _) = day_of(&daily, &current, date(2026, 5, 9), &out[..1]);
        assert_eq!(standing.len(), 5, "a made-up working Saturday");
    })
    .await;
    read("zhoushan", None, |current| {
        assert!(agrees(&current) > 1_500);
        let visit = rule(&current, "household_visit");
        assert_eq!(
            (visit.quantity, visit.every),
            (Quantity::Times { least: 1, most: 1 }, Every::Year)
        );
    })
    .await;
}

/// A register is for a service, labels nobody, and is served by posts that exist; rules speak of registers there are.
#[test]
fn a_register_that_may_not_be_is_told_with_its_line() {
    let mut all = Vec::new();
    for (from, to) in [
        ("name = \"困难家庭\"", "name = \"信访困难户\""),
        ("entries = \"民政登记\"", "entries = \"宗教活动登记\""),
        ("service = \"每月走访\"", "service = \" \""),
        ("legal_basis = \"《社会救助暂行办法》第九条\"\n", ""),
        ("key = \"elder_alone\"", "key = \"hardship\""),
        ("key = \"elder_alone\"", "key = \"elders\""),
        ("serves = [\"grid\"]", "serves = []"),
        ("serves = [\"grid\"]", "serves = [\"nobody\"]"),
        ("serves = [\"grid\"]", "serves = [\"lead\"]\nsensitive = true"),
        ("serves = [\"grid\"]", "serves = [\"grid\"]\nlevel = 3"),
    ] {
        let mut files = policy::shipped("zhoushan").unwrap();
        assert!(REGISTERS.contains(from), "{from}");
        files.insert("duties.toml".into(), LUOHE.into());
        files.insert("registers.toml".into(), REGISTERS.replacen(from, to, 1));
        let problems = policy::read::read_pack(&files).err().unwrap_or_default();
        assert!(!problems.is_empty(), "{to} went unnoticed");
        let lines: Vec<String> = problems
            .iter()
            .map(|one| format!("{}:{} {}", one.file, one.line, one.code))
            .collect();
        all.push(format!("{} -> {}", to.replace('\n', " "), lines.join(", ")));
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_rule_that_cannot_be_meant_is_told_with_its_line() {
    let mut all = Vec::new();
    for (from, to) in [
        (
            "act = \"patrol\"\nwho = \"grids\"",
            "act = \"patrol\"\nwho = \"households\"",
        ),
        ("minutes = 240", "minutes = 240\ntimes = 2"),
        ("minutes = 240", "minutes = 2000"),
        ("missed = \"lapses\"", "missed = \"owed\""),
        (
            "times = 2\nevery = \"quarter\"\nspacing = 14",
            "times = 8\nevery = \"quarter\"\nspacing = 14",
        ),
        ("of = \"hardship\"", "of = \"\""),
        ("of = \"hardship\"\n", ""),
        ("every = \"quarter\"", "every = \"season\""),
        ("partial = \"share\"\n", ""),
        ("key = \"hardship\"", "key = \"household\""),
        ("evidence = [\"talk\"]", "evidence = [\"words\"]"),
        ("grace = 20", "grace = 20\nweekdays = [\"sonday\"]"),
        ("grace = 20", "grace = 20\nby = \"nobody\""),
        ("grace = 20", "grace = 20\nhours = [\"8-10\"]"),
        ("grace = 20", "grase = 20"),
        ("source = \"LH-07\"", "source = \"somewhere\""),
    ] {
        let mut files = policy::shipped("zhoushan").unwrap();
        assert!(LUOHE.contains(from), "{from}");
        files.insert("duties.toml".into(), LUOHE.replacen(from, to, 1));
        files.insert("registers.toml".into(), REGISTERS.into());
        let problems = policy::read::read_pack(&files).err().unwrap_or_default();
        assert!(!problems.is_empty(), "{to} went unnoticed");
        let lines: Vec<String> = problems
            .iter()
            .map(|one| {
                format!(
                    "  {}:{}: {} [{}]",
                    one.file,
                    one.line,
                    one.message(server::platform::Lang::En),
                    one.code
                )
            })
            .collect();
        all.push(format!("{from:?} -> {to:?}\n{}", lines.join("\n")));
    }
    insta::assert_snapshot!(all.join("\n"));
}
