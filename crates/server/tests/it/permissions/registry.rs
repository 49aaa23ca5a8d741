//! Samples of the registry: a household with somebody in it and an organisation in the first town, and in the second.

use super::{Sample, World};
use crate::cases::new_id;
use crate::kit::{EAST_GRID, WEST};
use serde_json::json;
use server::platform::AreaId;

/// A household, somebody in it, an organisation.
struct Home {
    household: String,
    resident: String,
    organisation: String,
}

async fn home(world: &World<'_>, area: AreaId, name: &str) -> Home {
    let centre = world.app.login_as("dispatcher", Some(area)).await;
    let made = Home {
        household: new_id(world.app),
        resident: new_id(world.app),
        organisation: new_id(world.app),
    };
    let place = json!({ "area_id": area, "room": "101" });
    let household = json!({ "id": made.household, "number": name, "place": place });
    centre.post("/api/v1/registry/households", household).await.ok();
    let resident = json!({ "id": made.resident, "household_id": made.household, "relation": "户主", "name": name });
    centre.post("/api/v1/registry/residents", resident).await.ok();
    let organisation =
        json!({ "id": made.organisation, "name": name, "kind": "shop", "place": place, "contact_name": name });
    centre.post("/api/v1/registry/organisations", organisation).await.ok();
    made
}

pub async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let (own, foreign) = (home(world, EAST_GRID, "东户").await, home(world, WEST, "西户").await);
    let of_household = |route: &'static str| Sample::new(route).objects(&own.household, &foreign.household);
    let of_resident = |route: &'static str| Sample::new(route).objects(&own.resident, &foreign.resident);
    let of_organisation = |route: &'static str| Sample::new(route).objects(&own.organisation, &foreign.organisation);
    let nowhere = json!({ "id": new_id(world.app), "place": {} });
    let mut split = nowhere.clone();
    split["residents"] = json!([]);
    let samples = vec![
        Sample::new("GET /api/v1/registry/counts").query("?area=01900000-0000-7000-8000-0000000000e1"),
        Sample::new("GET /api/v1/registry/counts").query("?area=01900000-0000-7000-8000-0000000000f1"),
        Sample::new("GET /api/v1/registry/households")
            .query("?purpose=visit&area=01900000-0000-7000-8000-0000000000e3"),
        Sample::new("GET /api/v1/registry/households")
            .query("?purpose=visit&area=01900000-0000-7000-8000-0000000000f1"),
        Sample::new("POST /api/v1/registry/households").body(nowhere.clone()),
        of_household("GET /api/v1/registry/households/{id}").query("?purpose=visit"),
        of_household("PATCH /api/v1/registry/households/{id}").body(json!({})),
        of_household("POST /api/v1/registry/households/{id}/move").body(nowhere.clone()),
        of_household("POST /api/v1/registry/households/{id}/split").body(split),
        of_household("POST /api/v1/registry/households/{id}/end")
            .body(json!({ "on": "2026-02-14", "how": "dissolved" })),
        Sample::new("POST /api/v1/registry/residents").body(json!({
            "id": new_id(world.app), "household_id": foreign.household, "relation": "配偶", "name": "某人",
        })),
        of_resident("PATCH /api/v1/registry/residents/{id}").body(json!({})),
        of_resident("POST /api/v1/registry/residents/{id}/move").body(json!({
            "household_id": new_id(world.app), "kind": "actual", "relation": "户主",
        })),
        of_resident("POST /api/v1/registry/residents/{id}/end").body(json!({ "on": "2020-01-01", "how": "died" })),
        of_resident("POST /api/v1/registry/residents/{id}/reveal").body(json!({ "field": "name", "purpose": "visit" })),
        of_resident("GET /api/v1/registry/residents/{id}/looks").query("?purpose=registry"),
        Sample::new("POST /api/v1/registry/residents/search").body(json!({ "text": "西户", "purpose": "visit" })),
        of_resident("GET /api/v1/registry/residents/{id}/alike").query("?purpose=registry"),
        of_resident("GET /api/v1/registry/residents/{id}/merges"),
        Sample::new("POST /api/v1/registry/merges/compare").body(json!({
            "kept_id": own.resident, "other_id": foreign.resident, "purpose": "registry",
        })),
        Sample::new("POST /api/v1/registry/merges").body(json!({
            "id": new_id(world.app), "kept_id": own.resident, "other_id": foreign.resident, "kept_version": 1, "other_version": 1,
        })),
        Sample::new("POST /api/v1/registry/merges/{id}/undo").objects(new_id(world.app), new_id(world.app)),
        of_resident("POST /api/v1/registry/residents/{id}/erase").body(json!({ "reason": "" })),
        Sample::new("GET /api/v1/registry/organisations").query("?area=01900000-0000-7000-8000-0000000000e3"),
        Sample::new("GET /api/v1/registry/organisations").query("?area=01900000-0000-7000-8000-0000000000f1"),
        Sample::new("POST /api/v1/registry/organisations").body(json!({ "id": new_id(world.app), "name": "某店" })),
        of_organisation("GET /api/v1/registry/organisations/{id}").query("?purpose=visit"),
        of_organisation("PATCH /api/v1/registry/organisations/{id}").body(json!({})),
        of_organisation("POST /api/v1/registry/organisations/{id}/end").body(json!({ "on": "2020-01-01" })),
        of_organisation("POST /api/v1/registry/organisations/{id}/reveal").body(json!({ "purpose": "visit" })),
        Sample::new("GET /api/v1/registry/registers").query("?area=01900000-0000-7000-8000-0000000000e1"),
        Sample::new("GET /api/v1/registry/registers").query("?area=01900000-0000-7000-8000-0000000000f1"),
        Sample::new("GET /api/v1/registry/registers/counts").query("?area=01900000-0000-7000-8000-0000000000e1"),
        Sample::new("GET /api/v1/registry/registers/counts").query("?area=01900000-0000-7000-8000-0000000000f1"),
        Sample::new("PUT /api/v1/registry/registers/{key}")
            .objects("hardship", "none")
            .body(json!({
                "unit_id": new_id(world.app), "review": "2026-05-01", "ends": "2026-08-01",
            })),
        Sample::new("POST /api/v1/registry/registers/{key}/close").objects("hardship", "none"),
        Sample::new("GET /api/v1/registry/registers/{key}/people")
            .objects("hardship", "none")
            .query("?purpose=visit&area=01900000-0000-7000-8000-0000000000e3"),
        Sample::new("POST /api/v1/registry/registers/{key}/people")
            .objects("hardship", "none")
            .body(json!({ "resident_id": own.resident, "source": "visit" })),
        Sample::new("POST /api/v1/registry/registers/{key}/people")
            .objects("hardship", "none")
            .body(json!({ "resident_id": foreign.resident, "source": "visit" })),
        Sample::new("POST /api/v1/registry/registers/{key}/off")
            .objects("hardship", "none")
            .body(json!({ "resident_id": own.resident, "how": "no_need" })),
        Sample::new("GET /api/v1/registry/registers/{key}/unpaired")
            .objects("hardship", "none")
            .query("?purpose=visit&area=01900000-0000-7000-8000-0000000000e3"),
        Sample::new("POST /api/v1/registry/registers/{key}/pairings")
            .objects("hardship", "none")
            .body(json!({ "resident_id": own.resident, "worker_id": new_id(world.app) })),
        Sample::new("POST /api/v1/registry/pairings/{id}/end")
            .objects(new_id(world.app), new_id(world.app))
            .body(json!({ "how": "mistake" })),
        of_resident("GET /api/v1/registry/residents/{id}/pairings").query("?purpose=visit"),
        Sample::new("GET /api/v1/pairings/mine").query("?purpose=visit"),
        Sample::new("GET /api/v1/pairings/{id}/visits")
            .objects(new_id(world.app), new_id(world.app))
            .query("?purpose=visit"),
        Sample::new("POST /api/v1/imports/people").query("?dry_run=true"),
        Sample::new("GET /api/v1/imports/people/template"),
        Sample::new("POST /api/v1/imports/registers").query("?dry_run=true"),
        Sample::new("GET /api/v1/imports/registers/template"),
        Sample::new("GET /api/v1/registry/duplicates")
            .query("?purpose=registry&area=01900000-0000-7000-8000-0000000000e3"),
        Sample::new("GET /api/v1/registry/duplicates")
            .query("?purpose=registry&area=01900000-0000-7000-8000-0000000000f1"),
        Sample::new("POST /api/v1/registry/duplicates/{id}/decide")
            .objects(new_id(world.app), new_id(world.app))
            .body(json!({ "moved": false })),
    ];
    world.foreign.extend([
        foreign.household,
        foreign.resident,
        foreign.organisation,
        "西户".to_owned(),
    ]);
    samples
}
