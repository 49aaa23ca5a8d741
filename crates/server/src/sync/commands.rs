//! What a phone may ask by its log: the addresses it would post to with a signal, and nothing else.

use crate::platform::*;
use crate::{campaigns, cases, duties, registry};
use domain::sync::corrected;
use domain::time::Timestamp;
use serde_json::Value;

/// An address, read.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Report,
    CaseAction(CaseId, String),
    Visit,
    CampaignResult(CampaignId),
    RegisterResident,
    ChangeResident(ResidentId),
    EndResident(ResidentId),
}

impl Command {
    /// Reads an address below `/api/v1`.
    pub fn parse(path: &str) -> Option<Command> {
        let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        match parts.as_slice() {
            ["cases"] => Some(Command::Report),
            ["cases", id, "actions", action] => Some(Command::CaseAction(id.parse().ok()?, (*action).to_owned())),
            ["visits"] => Some(Command::Visit),
            ["campaigns", id, "results"] => Some(Command::CampaignResult(id.parse().ok()?)),
            ["registry", "residents"] => Some(Command::RegisterResident),
            ["registry", "residents", id] => Some(Command::ChangeResident(id.parse().ok()?)),
            ["registry", "residents", id, "end"] => Some(Command::EndResident(id.parse().ok()?)),
            _ => None,
        }
    }

    /// Stable key, without ids.
    pub fn key(&self) -> String {
        match self {
            Command::Report => "report".to_owned(),
            Command::CaseAction(_, action) => format!("case.{action}"),
            Command::Visit => "visit".to_owned(),
            Command::CampaignResult(_) => "campaign.result".to_owned(),
            Command::RegisterResident => "resident.register".to_owned(),
            Command::ChangeResident(_) => "resident.change".to_owned(),
            Command::EndResident(_) => "resident.end".to_owned(),
        }
    }

    /// What whoever did it held: with it, and no more, somebody else takes it in for them.
    pub fn permissions(&self) -> Permissions {
        let all: &[Permission] = match self {
            Command::Report => &[Permission::CaseIntake],
            Command::CaseAction(..) => &[Permission::CaseRead, Permission::CaseHandle, Permission::CaseAnswer],
            Command::Visit | Command::CampaignResult(_) => &[Permission::DutyRead, Permission::DutyRecord],
            Command::RegisterResident | Command::ChangeResident(_) | Command::EndResident(_) => {
                &[Permission::RegistryRead, Permission::RegistryWrite]
            }
        };
        all.iter().copied().collect()
    }

    /// Does it as the address itself would. `behind`: how far the phone's clock was behind when it noted `body`.
    pub fn run(self, ctx: &Ctx, tx: &mut Tx, mut body: Value, behind: i64) -> Result<Value, Fault> {
        match self {
            Command::Report => cases::posted(&purpose(ctx, Purpose::Intake), tx, &body),
            Command::CaseAction(id, action) => {
                let ctx = purpose(ctx, Purpose::HandleCase(id));
                cases::posted_action(&ctx, tx, id, &action, body)
            }
            Command::Visit => {
                put_right(ctx, &mut body, behind);
                duties::posted(&purpose(ctx, Purpose::Visit), tx, &body)
            }
            Command::CampaignResult(id) => campaigns::posted(&purpose(ctx, Purpose::Visit), tx, id, &body),
            Command::RegisterResident => registry::posted_register(&purpose(ctx, Purpose::Registry), tx, &body),
            Command::ChangeResident(id) => registry::posted_change(&purpose(ctx, Purpose::Registry), tx, id, &body),
            Command::EndResident(id) => registry::posted_end(&purpose(ctx, Purpose::Registry), tx, id, &body),
        }
    }
}

fn purpose(ctx: &Ctx, purpose: Purpose) -> Ctx {
    ctx.clone().for_purpose(purpose)
}

/// A visit begins when it begins, whatever the phone's clock said.
fn put_right(ctx: &Ctx, body: &mut Value, behind: i64) {
    let Some(noted) = body
        .get("at")
        .and_then(Value::as_str)
        .and_then(|at| Timestamp::parse(at).ok())
    else {
        return;
    };
    if behind != 0 {
        body["at"] = Value::String(corrected(noted, behind, ctx.now).to_string());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_what_phones_do_is_read() {
        const ID: &str = "01890000-0000-7000-8000-000000000001";
        assert_eq!(Command::parse("/cases"), Some(Command::Report));
        let action = Command::parse(&format!("/cases/{ID}/actions/handle")).unwrap();
        assert_eq!(action.key(), "case.handle");
        assert!(Command::parse(&format!("/campaigns/{ID}/results")).is_some());
        for other in [
            "cases",
            "/",
            "/cases/1/actions/handle",
            "/accounts",
            "/cases/",
            "/visits/1",
            "//visits",
            "",
        ] {
            assert_eq!(Command::parse(other), None, "{other}");
        }
    }
}
