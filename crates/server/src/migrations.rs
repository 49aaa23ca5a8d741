//! The schema, step by step: every file of `migrations/`, in order. A test holds the list and the folder together.

use db::Migration;

macro_rules! steps {
    ($($number:literal $name:literal),* $(,)?) => {
        /// All steps of the schema.
        pub const MIGRATIONS: &[Migration] = &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../migrations/", $name, ".sql")),
        }),*];
    };
}

steps! {
    1 "0001_platform",
    2 "0002_ledger",
    3 "0003_territory",
    4 "0004_workforce",
    5 "0005_cases",
    6 "0006_search",
    8 "0008_exchange",
    12 "0012_mediation",
    13 "0013_work_order",
    14 "0014_clock_migration",
    20 "0020_open311",
    30 "0030_counters",
    31 "0031_team",
    32 "0032_order_taken_back",
    40 "0040_webhook",
    41 "0041_messages",
    43 "0043_handover",
    44 "0044_facility",
    45 "0045_backup",
    50 "0050_fewer_indexes",
    56 "0056_rare_cases",
    57 "0057_dwellings_and_plans",
    58 "0058_adoption",
    61 "0061_zone_verdict",
    62 "0062_plan_proof",
    66 "0066_duties",
    67 "0067_registry",
    68 "0068_duty_subjects",
    69 "0069_care_register",
    70 "0070_registry_list",
    75 "0075_campaigns",
    76 "0076_patrol_track",
    77 "0077_sync",
    78 "0078_visit_matter",
    80 "0080_resident_merge",
    81 "0081_care_basis",
    90 "0090_projects",
    91 "0091_pairing",
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_list_has_every_file_of_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .file_name()
                    .into_string()
                    .unwrap()
                    .trim_end_matches(".sql")
                    .to_owned()
            })
            .collect();
        files.sort();
        assert_eq!(
            MIGRATIONS.iter().map(|step| step.name.to_owned()).collect::<Vec<_>>(),
            files
        );
        for step in MIGRATIONS {
            assert_eq!(
                step.name.split('_').next().unwrap().parse::<u32>().unwrap(),
                step.number,
                "{}",
                step.name
            );
        }
    }
}
