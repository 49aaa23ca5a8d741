//! Samples of exchange: lists in and out, the public pages.

use super::{Sample, World};
use crate::kit::EAST;
use serde_json::json;

pub async fn samples(_: &mut World<'_>) -> Vec<Sample> {
    vec![
        Sample::new("POST /api/v1/imports/cases").query("?dry_run=true"),
        Sample::new("GET /api/v1/imports/cases/template"),
        Sample::new("GET /api/v1/cases/export").query("?reason=abc"),
        Sample::new("POST /api/v1/exports").body(json!({ "id": "none", "reason": "月度汇总", "format": "csv" })),
        Sample::new("GET /api/v1/exports"),
        Sample::new("POST /api/v1/exports/{id}/approve")
            .objects("no-such-export", "neither")
            .body(json!({ "approve": true })),
        Sample::new("GET /api/v1/exports/{id}/file").objects("no-such-export", "neither"),
        Sample::new("GET /api/v1/portal/outcomes").query(concat!("?area=", "01900000-0000-7000-8000-0000000000e1")),
        Sample::new("GET /api/v1/portal/transparency"),
    ]
}

const _: () = assert!(EAST.0.as_u128() == 0x0190_0000_0000_7000_8000_0000_0000_00e1);
