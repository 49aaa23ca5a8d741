//! Setting up and ending an agreement with another platform: introductions, fingerprints, what may be passed on.
//!
//! Nothing is sent or taken before an administrator confirmed that the fingerprint shown here is the one shown there.

use super::sign::{self, Kind};
use super::store::{self, PeerRow};
use crate::exchange::webhooks::target;
use crate::platform::*;
use crate::{policy, territory};
use domain::time::Timestamp;
use serde_json::{Value, json};

/// Agreements of one place.
pub const MOST: i64 = 200;
/// Characters of a name or a contact; of a purpose; of an introduction.
const MAX_NAME: usize = 60;
const MAX_PURPOSE: usize = 300;
const MAX_INTRODUCTION: usize = 4_000;
/// Categories of one agreement.
const MAX_CATEGORIES: usize = 200;
/// What another platform is to this one.
const RELATIONS: [&str; 3] = ["upper", "lower", "side"];

/// Who may look at agreements and at what was refused.
const READERS: [Permission; 2] = [Permission::AccountManage, Permission::AuditRead];

/// Agreements are of the whole place: a grant for a part of it is not enough.
pub fn require(ctx: &Ctx, any: &[Permission]) -> Result<(), Fault> {
    let whole = [None; 5];
    if any.iter().any(|permission| ctx.scope.covers(&whole, *permission)) {
        Ok(())
    } else {
        Err(Fault::forbidden())
    }
}

/// What this platform says of itself, signed, as one text to be handed to the other administrator.
pub fn introduction(ctx: &Ctx) -> Result<(String, String), Fault> {
    require(ctx, &READERS)?;
    let name = policy::current(&ctx.app)?.pack.jurisdiction.name.zh.clone();
    let text = json!({
        "protocol": super::PROTOCOL, "name": name, "url": ctx.app.config().public_url, "key": sign::own_key(&ctx.app),
        "at": ctx.now.to_string(),
    })
    .to_string();
    let signature = sign::sign(&ctx.app, Kind::Introduction, &text);
    Ok((format!("{text}\n{signature}"), sign::own_fingerprint(&ctx.app)))
}

/// An agreement to be made.
#[derive(Debug, Clone)]
pub struct NewPeer {
    pub id: PeerId,
    /// The other administrator's introduction.
    pub introduction: String,
    /// What it is called here; as it introduces itself when empty.
    pub name: String,
    pub relation: String,
    pub purpose: String,
    pub contact: String,
    pub area: Option<AreaId>,
    pub categories: Vec<String>,
    pub may_personal: bool,
    pub takes: bool,
    pub active_from: Option<Timestamp>,
    pub active_to: Option<Timestamp>,
}

struct Introduced {
    name: String,
    url: String,
    key: String,
    fingerprint: String,
}

/// Reads an introduction; one that is not signed with the key it names is none.
fn read(text: &str) -> Result<Introduced, Fault> {
    let bad = || Fault::invalid("introduction", "peer_introduction_unreadable");
    let text = text.trim();
    if text.len() > MAX_INTRODUCTION {
        return Err(bad());
    }
    let (text, signature) = text.rsplit_once('\n').ok_or_else(bad)?;
    let text = text.trim_end_matches('\r');
    let value: Value = serde_json::from_str(text).map_err(|_| bad())?;
    let field = |key: &str| value[key].as_str().map(str::to_owned).ok_or_else(bad);
    let key = field("key")?;
    let fingerprint = sign::fingerprint(&key).ok_or_else(bad)?;
    if value["protocol"] != super::PROTOCOL || !sign::is_signed(&key, Kind::Introduction, text, signature.trim()) {
        return Err(bad());
    }
    Ok(Introduced {
        name: field("name")?,
        url: field("url")?,
        key,
        fingerprint,
    })
}

/// Makes an agreement; it waits for the fingerprint to be confirmed.
pub fn make(ctx: &Ctx, tx: &mut Tx, new: &NewPeer) -> Result<PeerRow, Fault> {
    require(ctx, &[Permission::AccountManage])?;
    let introduced = read(&new.introduction)?;
    if let Some(there) = store::peer(tx, new.id)? {
        let same = there.key == introduced.key;
        return if same {
            Ok(there)
        } else {
            Err(Fault::conflict("id_used"))
        };
    }
    if introduced.fingerprint == sign::own_fingerprint(&ctx.app) {
        return Err(Fault::invalid("introduction", "peer_is_us"));
    }
    if store::peer_of(tx, &introduced.fingerprint)?.is_some() {
        return Err(Fault::conflict("peer_known"));
    }
    let url = target::allowed(&introduced.url, &ctx.app.config().webhook_targets)
        .map_err(|fault| fault.field("introduction"))?;
    if store::peers(tx, MOST)?.len() as i64 >= MOST {
        return Err(Fault::refused("peers_too_many").with("most", MOST));
    }
    let name = match new.name.trim() {
        "" => introduced.name.trim(),
        name => name,
    };
    for (field, text, most) in [
        ("name", name, MAX_NAME),
        ("purpose", new.purpose.trim(), MAX_PURPOSE),
        ("contact", new.contact.trim(), MAX_NAME),
    ] {
        if text.is_empty() {
            return Err(Fault::invalid(field, "partner_field_missing"));
        }
        if text.chars().count() > most {
            return Err(Fault::invalid(field, "text_too_long").with("most", most));
        }
    }
    if !RELATIONS.contains(&new.relation.as_str()) {
        return Err(Fault::invalid("relation", "peer_relation_unknown"));
    }
    let map = territory::current(&ctx.app);
    if new.area.is_some_and(|area| map.area(area).is_none()) {
        return Err(Fault::invalid("area_id", "area_unknown"));
    }
    let pack = policy::current(&ctx.app)?;
    if new.categories.len() > MAX_CATEGORIES || new.categories.iter().any(|code| pack.pack.category(code).is_none()) {
        return Err(Fault::invalid("categories", "category_unknown"));
    }
    let from = new.active_from.unwrap_or(ctx.now);
    if new.active_to.is_some_and(|to| to <= from) {
        return Err(Fault::invalid("active_to", "peer_ends_before_it_begins"));
    }
    let row = PeerRow {
        id: new.id,
        name: name.to_owned(),
        relation: new.relation.clone(),
        url: url.as_str().trim_end_matches('/').to_owned(),
        key: introduced.key,
        fingerprint: introduced.fingerprint,
        purpose: new.purpose.trim().to_owned(),
        contact: new.contact.trim().to_owned(),
        area: new.area,
        categories: new.categories.clone(),
        may_personal: new.may_personal,
        takes: new.takes,
        active_from: from,
        active_to: new.active_to,
        created_at: ctx.now,
        created_by: ctx.account()?,
        created_name: ctx.actor.name().to_owned(),
        confirmed_at: None,
        confirmed_name: None,
        ended_at: None,
        ended_name: None,
        compared_at: None,
        compared: None,
    };
    store::insert_peer(tx, &row)?;
    let mark = json!({
        "relation": row.relation, "fingerprint": row.fingerprint, "area": row.area.map(|a| a.to_string()), "categories": row.categories,
        "personal": row.may_personal, "takes": row.takes,
    });
    tx.record(ctx, Mark::new("peer.made", Subject::Peer(row.id), mark))?;
    Ok(row)
}

/// The administrator compared the fingerprint with the one the other administrator reads out, and types its beginning.
pub fn confirm(ctx: &Ctx, tx: &mut Tx, id: PeerId, fingerprint: &str) -> Result<PeerRow, Fault> {
    let row = one(ctx, tx, id, &[Permission::AccountManage])?;
    let typed: String = fingerprint.chars().filter(|c| c.is_ascii_hexdigit()).collect();
    if typed.to_ascii_lowercase() != row.fingerprint {
        return Err(Fault::invalid("fingerprint", "peer_fingerprint_differs"));
    }
    if row.confirmed_at.is_none() {
        store::confirm_peer(tx, id, ctx.actor.name(), ctx.now)?;
        let mark = json!({ "fingerprint": row.fingerprint });
        tx.record(ctx, Mark::new("peer.confirmed", Subject::Peer(id), mark))?;
    }
    store::peer(tx, id)?.ok_or_else(Fault::not_found)
}

/// Ends an agreement at once: nothing is sent or taken any more.
pub fn end(ctx: &Ctx, tx: &mut Tx, id: PeerId) -> Result<PeerRow, Fault> {
    let row = one(ctx, tx, id, &[Permission::AccountManage])?;
    if row.ended_at.is_none() {
        store::end_peer(tx, id, ctx.actor.name(), ctx.now)?;
        tx.record(ctx, Mark::new("peer.ended", Subject::Peer(id), json!({})))?;
    }
    store::peer(tx, id)?.ok_or_else(Fault::not_found)
}

/// An agreement, for those who may manage or read them.
pub fn one(ctx: &Ctx, tx: &mut Tx, id: PeerId, any: &[Permission]) -> Result<PeerRow, Fault> {
    require(ctx, any)?;
    store::peer(tx, id)?.ok_or_else(Fault::not_found)
}

/// All agreements, the newest first.
pub fn list(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<PeerRow>, Fault> {
    require(ctx, &READERS)?;
    store::peers(tx, MOST)
}

/// What was refused of theirs, the newest first.
pub fn refusals(
    ctx: &Ctx,
    tx: &mut Tx,
    id: PeerId,
    after: Option<(i64, String)>,
    limit: u32,
) -> Result<Vec<store::RefusalRow>, Fault> {
    one(ctx, tx, id, &READERS)?;
    store::refusals(tx, id, after, limit)
}

/// Why a case of this place and kind may not be passed to a platform; none when it may.
pub fn refusal(
    row: &PeerRow,
    now: Timestamp,
    areas: &[Option<AreaId>; 5],
    category: Option<&str>,
) -> Option<&'static str> {
    if !row.is_active(now) {
        return Some("peer_not_active");
    }
    if row.area.is_some_and(|area| !areas.contains(&Some(area))) {
        return Some("peer_not_this_area");
    }
    let named = |code: &str| row.categories.iter().any(|named| code.starts_with(named.as_str()));
    if !row.categories.is_empty() && !category.is_some_and(named) {
        return Some("peer_not_this_category");
    }
    None
}
