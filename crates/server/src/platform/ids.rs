//! Typed ids at the edge: the list of [`domain::ids`] again, here with their stored and their JSON form.
//!
//! The rules know neither SQL nor JSON, so an id crosses with `.into()` (`domain::ids::CaseId` <-> `CaseId`). New ones come from
//! [`App::new_id`](super::app::App::new_id). In SQL an id is its hyphenated lower-case text, which sorts by time of making.

use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// What every typed id can do; only [`id!`] implements it.
pub trait TypedId: Copy {
    /// Wraps a UUID made elsewhere.
    fn from_uuid(id: Uuid) -> Self;
    /// The bare UUID.
    fn uuid(self) -> Uuid;
}

/// The text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct BadId;

/// Declares a typed id: `id!(/// One thing. ThingId);`
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(pub uuid::Uuid);

        impl $crate::platform::ids::TypedId for $name {
            fn from_uuid(id: uuid::Uuid) -> Self {
                Self(id)
            }
            fn uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::platform::ids::write_uuid(self.0, f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.hyphenated())
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::platform::ids::BadId;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::platform::ids::BadId;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::platform::ids::parse_uuid(text).map(Self)
            }
        }

        impl From<$name> for db::Value {
            fn from(id: $name) -> db::Value {
                db::Value::Text(id.0.hyphenated().to_string())
            }
        }

        impl From<&$name> for db::Value {
            fn from(id: &$name) -> db::Value {
                db::Value::from(*id)
            }
        }

        impl db::FromValue for $name {
            fn from_value(value: db::ValueRef<'_>) -> Result<Self, &'static str> {
                match value {
                    db::ValueRef::Text(text) => text.parse().map_err(|_| "the text of an id"),
                    _ => Err("the text of an id"),
                }
            }
        }
    };
}

/// For [`id!`]: the stored form.
pub fn write_uuid(id: Uuid, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fmt::Display::fmt(&id.hyphenated(), f)
}

/// For [`id!`]: the hyphenated form only, so that one id has one text.
pub fn parse_uuid(text: &str) -> Result<Uuid, BadId> {
    const HYPHENATED: usize = 36;
    if text.len() != HYPHENATED {
        return Err(BadId);
    }
    Uuid::from_str(text).map_err(|_| BadId)
}

macro_rules! of_the_rules {
    ($($name:ident),* $(,)?) => {$(
        id!(
            /// The id of the same name in the rules, at the edge.
            $name
        );

        impl From<domain::ids::$name> for $name {
            fn from(id: domain::ids::$name) -> Self {
                Self(Uuid::from_u128(id.0))
            }
        }

        impl From<$name> for domain::ids::$name {
            fn from(id: $name) -> Self {
                Self(id.0.as_u128())
            }
        }
    )*};
}

of_the_rules! {
    AccountId, AreaId, UnitId, PostId, WorkerId, AppointmentId, LeaveId, CaseId, ReportId, ReporterId, CoHandlerId, RequestId, ClockId,
    AnswerId, VerificationId, MessageId, UploadId, JobId,
}
id!(
    /// One role given to one account for one area subtree.
    GrantId
);
id!(
    /// One entry of the access log.
    AccessId
);
id!(
    /// A visiting team.
    TeamId
);
id!(
    /// A plan that comes into force on a day.
    AdoptionId
);
id!(
    /// A department's own zoning.
    ZoningId
);
id!(
    /// The time one worker is in one visiting team.
    MembershipId
);
id!(
    /// Another system that has a key.
    PartnerId
);
id!(
    /// One use of a partner's key.
    PartnerUseId
);
id!(
    /// An address at which a partner is told of changes.
    WebhookId
);
id!(
    /// One message to a webhook.
    WebhookMessageId
);
id!(
    /// A phone number or an account somebody writes from.
    ContactId
);
id!(
    /// One message that came in.
    IncomingId
);
id!(
    /// Another platform cases are passed to and taken from.
    PeerId
);
id!(
    /// One case passed on from one platform to another.
    HandoverId
);
id!(
    /// One message about a handover.
    HandoverMessageId
);
id!(
    /// A message of another platform that was refused.
    PeerRefusalId
);
id!(
    /// An address that can be found by text.
    AddressId
);
id!(
    /// Something that stands in the place: a service point, an office, a building.
    FacilityId
);
id!(
    /// Those who live together in one place.
    HouseholdId
);
id!(
    /// A person who lives here.
    ResidentId
);
id!(
    /// The time somebody belongs to a household in one way.
    ResidenceId
);
id!(
    /// Somebody a list puts into another household than they are registered in.
    DuplicateId
);
id!(
    /// Two records of one person made one.
    MergeId
);
id!(
    /// The time somebody is on a care register.
    CareEntryId
);
id!(
    /// The time a named person is paired with somebody on a care register.
    PairingId
);
id!(
    /// A company, shop, institution or association.
    OrganisationId
);
id!(
    /// A building or yard that no plan parts.
    DwellingId
);
id!(
    /// A way of putting dwellings into grids.
    PlanId
);
id!(
    /// One thing owed to one subject in one period.
    ObligationId
);
id!(
    /// Whom something is owed to: a facility, or a grid by the id of its area.
    DutySubjectId
);
id!(
    /// A visit, check or patrol.
    VisitId
);
id!(
    /// A campaign.
    CampaignId
);
id!(
    /// A project.
    ProjectId
);
id!(
    /// A milestone of a project.
    MilestoneId
);
id!(
    /// One thing somebody did with a project.
    ProjectEntryId
);
id!(
    /// One comment on a plan.
    PlanCommentId
);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_id_has_one_text() {
        let text = "01935c2e-7a00-7000-8000-0000000000ff";
        let id: CaseId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(db::Value::from(id), db::Value::Text(text.into()));
        for bad in [
            "",
            "01935c2e7a0070008000000000000001",
            "{01935c2e-7a00-7000-8000-0000000000ff}",
            "x",
        ] {
            assert_eq!(bad.parse::<CaseId>(), Err(BadId), "{bad}");
        }
    }
}
id!(
    /// A phone (or browser) of one account.
    DeviceId
);
