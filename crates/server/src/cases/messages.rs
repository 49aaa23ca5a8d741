//! What residents are told, and the photos that go with a case.
//!
//! Messages wait in the outbox until a gateway or a person delivers them; nothing here pretends to have sent anything. They carry no
//! personal data, only the number and what happened.

use super::record::{CaseRow, Loaded};
use super::store;
use crate::platform::*;

/// Steps a reporter hears of.
const TOLD: [&str; 8] = [
    "accepted", "assigned", "answered", "closed", "declined", "reopened", "merged", "parked",
];

/// The first message: received, with the number.
pub fn opened(ctx: &Ctx, tx: &mut Tx, row: &CaseRow, reporter: Option<ReporterId>) -> Result<(), Fault> {
    send(ctx, tx, row, reporter, "received")
}

/// Tells every reporter who can be reached of a step.
pub fn tell_all(ctx: &Ctx, tx: &mut Tx, loaded: &Loaded, row: &CaseRow, kind: &'static str) -> Result<(), Fault> {
    debug_assert!(TOLD.contains(&kind), "{kind}");
    let reporters: Vec<ReporterId> = loaded.live_reports().filter_map(|r| r.reporter_id).collect();
    for reporter in reporters {
        send(ctx, tx, row, Some(reporter), kind)?;
    }
    Ok(())
}

fn send(ctx: &Ctx, tx: &mut Tx, row: &CaseRow, reporter: Option<ReporterId>, kind: &'static str) -> Result<(), Fault> {
    let Some(reporter) = reporter else { return Ok(()) };
    let code = format!("message_{kind}");
    let text = i18n::sentence(
        Lang::Zh,
        &code,
        &[("number", row.number.clone()), ("title", row.title.clone())],
    );
    let message = outbox::Message {
        case_id: row.id,
        reporter_id: Some(reporter),
        areas: row.areas,
        channel: "sms".to_owned(),
        template_key: code,
        body: text,
    };
    outbox::queue(ctx, tx, message).map(drop)
}

/// Attaches finished uploads to a case.
pub fn attach_all(
    ctx: &Ctx,
    tx: &mut Tx,
    case: CaseId,
    uploads: &[String],
    stage: &'static str,
    report: Option<ReportId>,
) -> Result<(), Fault> {
    for upload in uploads {
        let id: UploadId = upload
            .parse()
            .map_err(|_| Fault::invalid("attachments", "upload_unknown"))?;
        let photo = blobs::take(ctx, tx, id).map_err(|fault| match fault.code() {
            "not_found" => Fault::invalid("attachments", "upload_unknown"),
            _ => fault.field("attachments"),
        })?;
        store::attach(tx, case, &photo.hash, stage, report, ctx.now)?;
    }
    Ok(())
}
