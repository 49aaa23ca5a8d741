//! Typed ids, all of them in one list, so that one kind can never be passed for another.
//!
//! An id is a UUID (version 7) made by whoever creates the thing, a phone included, so that a retry is the same thing. The rules never
//! make ids: the shell does, from its clock and its randomness. Written as 36 lower-case characters with hyphens.

use std::fmt;
use std::str::FromStr;

/// The text is not a UUID in its 36-character form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id (36 characters, such as 0197a3b0-0000-7000-8000-000000000000)")]
pub struct BadId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                read_uuid(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// An account that signs in.
    AccountId,
    /// An area of the territory tree.
    AreaId,
    /// A unit: bureau, centre, station, committee or partner.
    UnitId,
    /// A post in a unit.
    PostId,
    /// A worker.
    WorkerId,
    /// An appointment of a worker to a post.
    AppointmentId,
    /// A leave of a worker.
    LeaveId,
    /// A case.
    CaseId,
    /// One person's report in a case.
    ReportId,
    /// Who reported, as a sealed personal record.
    ReporterId,
    /// A unit's part in a case led by another.
    CoHandlerId,
    /// A request for an extension, a pause or parking.
    RequestId,
    /// One running or stopped clock of a case.
    ClockId,
    /// An answer given to a resident.
    AnswerId,
    /// A check of a handled case.
    VerificationId,
    /// A message waiting for, or sent to, a resident.
    MessageId,
    /// An upload in progress or finished.
    UploadId,
    /// A durable job.
    JobId,
}

fn write_uuid(value: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (a, b, c) = (value >> 96, value >> 80 & 0xffff, value >> 64 & 0xffff);
    let (d, e) = (value >> 48 & 0xffff, value & 0xffff_ffff_ffff);
    write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
}

fn read_uuid(text: &str) -> Result<u128, BadId> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return Err(BadId);
    }
    let mut value = 0u128;
    for (at, byte) in bytes.iter().enumerate() {
        let hyphen_here = matches!(at, 8 | 13 | 18 | 23);
        let digit = match byte {
            b'-' if hyphen_here => continue,
            b'0'..=b'9' if !hyphen_here => byte - b'0',
            b'a'..=b'f' if !hyphen_here => byte - b'a' + 10,
            b'A'..=b'F' if !hyphen_here => byte - b'A' + 10,
            _ => return Err(BadId),
        };
        value = value << 4 | u128::from(digit);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_and_value_agree(value: u128) {
            let id = CaseId(value);
            prop_assert_eq!(id.to_string().parse::<CaseId>(), Ok(id));
            prop_assert_eq!(id.to_string().to_uppercase().parse::<CaseId>(), Ok(id));
        }
    }

    #[test]
    fn only_the_written_form_is_read() {
        assert_eq!("00000000-0000-0000-0000-00000000002a".parse(), Ok(UnitId(42)));
        for bad in [
            "",
            "42",
            "0000000000000000000000000000002a",
            "00000000-0000-0000-0000-00000000002g",
            "00000000-0000-0000-0000-0000000000é",
        ] {
            assert_eq!(bad.parse::<UnitId>(), Err(BadId), "{bad}");
        }
    }
}
