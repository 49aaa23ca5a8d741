//! Families of the fictional place: those of its first community, brought in with the product's own import. None is a real person: their
//! numbers are of a county that does not exist, their phones of a prefix nobody has.

use super::lot::Lot;
use super::{CITY, words};
use crate::exchange::people::{self, Options};
use crate::platform::{App, Ctx, Fault, Purpose};
use crate::territory::{self, dwellings};
use domain::registry::identity::IdNumber;
use jiff::ToSpan;
use jiff::civil::Date;

/// Households of a house at most, and floors of one in town.
const HOUSEHOLDS: usize = 2;
const FLOORS: usize = 6;
/// Houses of the community that are read.
const HOUSES: u32 = 400;
/// Of a county that does not exist.
const REGION: &str = "330999";

/// Makes them once the houses stand.
pub async fn make(app: &App, seed: u64) -> Result<(), Fault> {
    let ctx = Ctx::system(app, "demo").for_purpose(Purpose::Registry);
    let community = territory::current(app)
        .by_code(&format!("{CITY}01{}001", words::TOWNS[0].0))
        .cloned();
    let Some(community) = community else {
        return Ok(());
    };
    let houses = app
        .read(&ctx, move |_, tx| dwellings::page(tx, &community, None, HOUSES))
        .await?;
    let mut lot = Lot::of(seed, "homes");
    let mut list = String::from("房屋编号,单元,房号,户号,姓名,身份证号,电话,与户主关系\n");
    let mut order = 0;
    for house in houses {
        for nth in 0..=lot.below(HOUSEHOLDS) {
            let room = format!("{}0{}", 1 + lot.below(FLOORS), nth + 1);
            for (relation, born) in family(&mut lot, ctx.now.date()) {
                order += 1;
                let phone = match relation {
                    "户主" => format!("1990000{:04}", lot.below(10_000)),
                    _ => String::new(),
                };
                let (name, number) = (words::person(&mut lot), id_number(born, order, ctx.now.date()));
                list += &format!(
                    "{},1,{room},{}-{room},{name},{number},{phone},{relation}\n",
                    house.code, house.code
                );
            }
        }
    }
    let options = Options {
        source: "演示名册".to_owned(),
        area: None,
        columns: None,
        dry_run: false,
        skip_bad: false,
    };
    let report = people::import(&ctx, list.into_bytes(), options).await?;
    match report.problems.first() {
        Some(problem) => Err(Fault::internal(format!("a family of the demo: {}", problem.message))),
        None => Ok(()),
    }
}

/// Who lives together, with their days of birth: a couple with a small child or a grown one, an elder alone, an old couple.
fn family(lot: &mut Lot, today: Date) -> Vec<(&'static str, Date)> {
    let mut born = |least: usize, more: usize| {
        let days = (least + lot.below(more)) * 365 + lot.below(365);
        today.saturating_sub((days as i64).days())
    };
    let kinds: [Vec<(&'static str, Date)>; 4] = [
        vec![("户主", born(28, 8)), ("配偶", born(27, 8)), ("子", born(0, 4))],
        vec![
            ("户主", born(42, 12)),
            ("配偶", born(41, 12)),
            ("女", born(12, 9)),
            ("母亲", born(68, 14)),
        ],
        vec![("户主", born(76, 14))],
        vec![("户主", born(66, 12)), ("配偶", born(65, 12))],
    ];
    kinds[lot.below(kinds.len())].clone()
}

/// A number with its check character: the one of eleven that fits.
fn id_number(born: Date, order: usize, today: Date) -> String {
    let first = format!("{REGION}{}{:03}", born.strftime("%Y%m%d"), order % 1_000);
    let fits = |check: &char| IdNumber::read(&format!("{first}{check}"), today).is_ok();
    let check = "0123456789X".chars().find(fits).unwrap_or_default();
    format!("{first}{check}")
}
