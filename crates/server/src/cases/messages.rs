//! What residents are told, and the photos that go with a case.
//!
//! Messages wait in the outbox until a gateway or a person delivers them; nothing here pretends to have sent anything. They carry no
//! personal data, only the number and what happened; who hears by SMS or the public account is told what can be answered (ZS-04).

use super::record::{CaseRow, Loaded};
use super::store;
use crate::platform::contacts::Channel;
use crate::platform::*;

/// Steps a reporter hears of.
const TOLD: [&str; 8] = [
    "accepted", "assigned", "answered", "closed", "declined", "reopened", "merged", "parked",
];

/// The first message: received, with the number.
pub fn opened(
    ctx: &Ctx,
    tx: &mut Tx,
    row: &CaseRow,
    reporter: Option<ReporterId>,
    contact: Option<ContactId>,
) -> Result<(), Fault> {
    let Some(reporter) = reporter else { return Ok(()) };
    // Who wrote from there is answered directly, with the number.
    let answered =
        contact.is_some() && [Channel::Sms.key(), Channel::PublicAccount.key()].contains(&row.channel.as_str());
    if answered {
        return Ok(());
    }
    send(ctx, tx, row, reporter, contact, "received")
}

/// Tells every reporter who can be reached of a step.
pub fn tell_all(ctx: &Ctx, tx: &mut Tx, loaded: &Loaded, row: &CaseRow, kind: &'static str) -> Result<(), Fault> {
    debug_assert!(TOLD.contains(&kind), "{kind}");
    let reporters: Vec<ReporterId> = loaded.live_reports().filter_map(|r| r.reporter_id).collect();
    for reporter in reporters {
        let contact = store::contact_of(tx, reporter)?;
        send(ctx, tx, row, reporter, contact, kind)?;
    }
    Ok(())
}

fn send(
    ctx: &Ctx,
    tx: &mut Tx,
    row: &CaseRow,
    reporter: ReporterId,
    contact: Option<ContactId>,
    kind: &'static str,
) -> Result<(), Fault> {
    // Whoever another platform named is told by that platform.
    if row.channel == super::handover::CHANNEL {
        return Ok(());
    }
    let code = match contact {
        Some(_) => format!("text_{kind}"),
        None => format!("message_{kind}"),
    };
    let text = i18n::sentence(
        Lang::Zh,
        &code,
        &[("number", row.number.clone()), ("title", row.title.clone())],
    );
    let message = outbox::Message {
        case_id: row.id,
        reporter_id: Some(reporter),
        areas: row.areas,
        contact,
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
