//! What one person may see and do, and where: [`Scope`], compiled into queries and also a plain predicate.
//!
//! A [`Grant`] is a set of permissions for one area subtree, or for what is in the hands of one unit. Every list, count, tile,
//! export and push uses [`Scope::case_predicate`]; [`Scope::sees`] is the same rule in plain Rust, and a differential test holds
//! the two together. Out of scope is answered as absent. Must not read the database: a scope is a value.

use super::fault::Fault;
use super::ids::{AreaId, UnitId};
use db::Sql;

/// Number of levels a territory can have below the jurisdiction itself; columns `a1`..`a5`.
pub const MAX_DEPTH: usize = 5;

macro_rules! permissions {
    ($($name:ident = $key:literal: $doc:literal),* $(,)?) => {
        /// One thing a role allows. The key is what is stored and what the API names.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $(#[doc = $doc] $name),* }

        impl Permission {
            /// Every permission, in the order of the declaration.
            pub const ALL: &'static [Permission] = &[$(Permission::$name),*];

            /// Stable key.
            pub fn key(self) -> &'static str {
                match self { $(Permission::$name => $key),* }
            }
        }
    };
}

permissions! {
    CaseIntake = "case.intake": "Take a request and open a case.",
    CaseRead = "case.read": "See cases.",
    CaseReporter = "case.reporter": "See who reported.",
    CaseDispatch = "case.dispatch": "Decide who is responsible.",
    CaseHandle = "case.handle": "Accept, return and handle.",
    CaseAnswer = "case.answer": "Give the answer to the resident.",
    CaseVerify = "case.verify": "Check the result.",
    CaseApprove = "case.approve": "Decide on extension, pause and parking.",
    CaseArbitrate = "case.arbitrate": "Name the responsible unit for good.",
    CaseSupervise = "case.supervise": "Supervise and urge.",
    CaseImport = "case.import": "Bring in cases from a spreadsheet.",
    CaseExport = "case.export": "Take lists of cases out.",
    BoardRead = "board.read": "See the live board.",
    TerritoryManage = "territory.manage": "Change areas and addresses.",
    WorkforceRead = "workforce.read": "See units, posts and workers.",
    WorkforceManage = "workforce.manage": "Change units, posts, appointments and leave.",
    AccountManage = "account.manage": "Make accounts and give roles.",
    PackManage = "pack.manage": "Change the rule pack and the calendar.",
    JobManage = "job.manage": "See and re-run jobs.",
    OutboxManage = "outbox.manage": "See messages waiting to be sent.",
    LedgerRead = "ledger.read": "See and verify the ledger.",
    AuditRead = "audit.read": "See who read what.",
    RegistryRead = "registry.read": "See households, residents and organisations, masked.",
    RegistryWrite = "registry.write": "Register and change households, residents and organisations.",
    RegistryReveal = "registry.reveal": "See one name, number or phone whole, for a purpose.",
    RegistryErase = "registry.erase": "Erase what is known of a person.",
    RegistryImport = "registry.import": "Bring in households and people from a spreadsheet.",
    RegisterManage = "register.manage": "Put care registers into use, confirm and close them.",
    ExportApprove = "export.approve": "Approve large exports.",
    FieldUse = "field.use": "Use the field app.",
    DutyRead = "duty.read": "See what is owed, and what was done of it.",
    DutyRecord = "duty.record": "Record visits, checks and patrols.",
    DutyManage = "duty.manage": "Have what is owed worked out anew.",
    ProjectRead = "project.read": "See projects and how they stand.",
    ProjectManage = "project.manage": "Give out projects, decide on more time, accept results.",
    CampaignManage = "campaign.manage": "Prepare, start and close campaigns.",
}

impl Permission {
    /// From its key.
    pub fn from_key(key: &str) -> Option<Permission> {
        Permission::ALL
            .iter()
            .copied()
            .find(|permission| permission.key() == key)
    }

    fn bit(self) -> u64 {
        1 << (self as u32)
    }
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u64);

impl Permissions {
    /// Everything; only for the program itself.
    pub fn all() -> Permissions {
        Permission::ALL.iter().copied().collect()
    }

    /// Whether it is in the set.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Both sets together.
    pub fn union(self, other: Permissions) -> Permissions {
        Permissions(self.0 | other.0)
    }

    /// The members, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .iter()
            .copied()
            .filter(move |permission| self.has(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(all: I) -> Permissions {
        Permissions(all.into_iter().fold(0, |bits, permission| bits | permission.bit()))
    }
}

/// Permissions for an area subtree, or for what one unit has in hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// What is allowed.
    pub permissions: Permissions,
    /// The top of the subtree; none for the whole jurisdiction.
    pub area: Option<AreaId>,
    /// Depth of `area` in the tree, 1 to 5; 0 for the whole jurisdiction.
    pub depth: u8,
    /// If set, the grant reaches only cases this unit leads or helps with.
    pub unit: Option<UnitId>,
}

/// What a case looks like to a scope.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaseScopeFacts {
    /// The areas it lies in, from the top: `a1`..`a5`.
    pub areas: [Option<AreaId>; MAX_DEPTH],
    /// The unit that leads.
    pub unit: Option<UnitId>,
    /// The units that help.
    pub co_units: Vec<UnitId>,
}

/// All grants of one person at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scope {
    /// In no order that matters.
    pub grants: Vec<Grant>,
}

impl Scope {
    /// Nothing anywhere: a resident on the portal.
    pub fn nothing() -> Scope {
        Scope::default()
    }

    /// Everything everywhere: the program itself.
    pub fn everything() -> Scope {
        Scope {
            grants: vec![Grant {
                permissions: Permissions::all(),
                area: None,
                depth: 0,
                unit: None,
            }],
        }
    }

    /// Whether the permission is held anywhere at all.
    pub fn has(&self, permission: Permission) -> bool {
        self.with(permission).next().is_some()
    }

    /// 403 unless the permission is held anywhere.
    pub fn require(&self, permission: Permission) -> Result<(), Fault> {
        if self.has(permission) {
            Ok(())
        } else {
            Err(Fault::forbidden())
        }
    }

    /// The grants that hold the permission.
    pub fn with(&self, permission: Permission) -> impl Iterator<Item = &Grant> {
        self.grants
            .iter()
            .filter(move |grant| grant.permissions.has(permission))
    }

    /// All permissions held somewhere.
    pub fn permissions(&self) -> Permissions {
        self.grants
            .iter()
            .fold(Permissions::default(), |all, grant| all.union(grant.permissions))
    }

    /// Whether a place (given by its chain `a1`..`a5`) lies in the subtree of a grant with the permission. Grants limited to a
    /// unit do not count: they reach cases, not places.
    pub fn covers(&self, areas: &[Option<AreaId>; MAX_DEPTH], permission: Permission) -> bool {
        self.with(permission)
            .any(|grant| grant.unit.is_none() && grant.holds(areas))
    }

    /// Whether the permission is held for this unit: a grant for the unit itself, or for an area around it (`areas` is its chain).
    pub fn covers_unit(&self, unit: UnitId, areas: &[Option<AreaId>; MAX_DEPTH], permission: Permission) -> bool {
        self.with(permission).any(|grant| match grant.unit {
            Some(own) => own == unit,
            None => grant.holds(areas),
        })
    }

    /// The reference rule: whether a case is visible for the permission.
    pub fn sees(&self, case: &CaseScopeFacts, permission: Permission) -> bool {
        self.with(permission).any(|grant| match grant.unit {
            Some(unit) => case.unit == Some(unit) || case.co_units.contains(&unit),
            None => grant.holds(&case.areas),
        })
    }

    /// Adds `( .. )`, true for exactly the cases [`Scope::sees`] shows. `alias` names the `cases` table in the statement:
    /// `scope.case_predicate(Sql::new("select .. from cases c where "), Permission::CaseRead, "c").push(" and ..")`.
    #[must_use]
    pub fn case_predicate(&self, sql: Sql, permission: Permission, alias: &'static str) -> Sql {
        self.either(sql, permission, |sql, grant| match grant.unit {
            Some(unit) => {
                let sql = sql.push(alias).push(".unit_id = ").bind(unit);
                let sql = sql
                    .push(" or exists (select 1 from co_handler ch where ch.case_id = ")
                    .push(alias);
                sql.push(".id and ch.unit_id = ").bind(unit).push(")")
            }
            None => grant.area_equals(sql, alias),
        })
    }

    /// Adds `( .. )`, true for rows with columns `a1`..`a5` (areas, addresses) inside a grant with the permission, as [`Scope::covers`].
    #[must_use]
    pub fn area_predicate(&self, sql: Sql, permission: Permission, alias: &'static str) -> Sql {
        let reach = Scope {
            grants: self
                .with(permission)
                .filter(|grant| grant.unit.is_none())
                .cloned()
                .collect(),
        };
        reach.either(sql, permission, |sql, grant| grant.area_equals(sql, alias))
    }

    fn either(&self, sql: Sql, permission: Permission, one: impl Fn(Sql, &Grant) -> Sql) -> Sql {
        let mut sql = sql.push("(");
        let mut first = true;
        for grant in self.with(permission) {
            if !first {
                sql = sql.push(" or ");
            }
            sql = one(sql, grant);
            first = false;
        }
        if first {
            sql = sql.push("1 = 0");
        }
        sql.push(")")
    }
}

impl Grant {
    fn holds(&self, areas: &[Option<AreaId>; MAX_DEPTH]) -> bool {
        match (self.area, self.depth) {
            (None, _) => true,
            (Some(area), depth @ 1..) => areas.get(usize::from(depth) - 1).is_some_and(|at| *at == Some(area)),
            (Some(_), 0) => false,
        }
    }

    fn area_equals(&self, sql: Sql, alias: &'static str) -> Sql {
        const COLUMNS: [&str; MAX_DEPTH] = [".a1 = ", ".a2 = ", ".a3 = ", ".a4 = ", ".a5 = "];
        match self.area {
            None => sql.push("1 = 1"),
            Some(area) => match usize::from(self.depth).checked_sub(1).and_then(|at| COLUMNS.get(at)) {
                Some(column) => sql.push(alias).push(column).bind(area),
                None => sql.push("1 = 0"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn area(n: u128) -> AreaId {
        AreaId(Uuid::from_u128(n))
    }

    fn grant(permission: Permission, area: Option<AreaId>, depth: u8, unit: Option<UnitId>) -> Grant {
        Grant {
            permissions: [permission].into_iter().collect(),
            area,
            depth,
            unit,
        }
    }

    #[test]
    fn keys_are_unique_and_read_back() {
        for permission in Permission::ALL {
            assert_eq!(Permission::from_key(permission.key()), Some(*permission));
        }
        assert_eq!(Permissions::all().iter().count(), Permission::ALL.len());
    }

    #[test]
    fn no_grant_is_no_row() {
        let sql = Scope::nothing().case_predicate(Sql::new("where "), Permission::CaseRead, "c");
        assert_eq!(sql.text(), "where (1 = 0)");
    }

    #[test]
    fn the_predicate_is_one_comparison_a_grant() {
        let unit = UnitId(Uuid::from_u128(9));
        let scope = Scope {
            grants: vec![
                grant(Permission::CaseRead, Some(area(2)), 3, None),
                grant(Permission::CaseRead, Some(area(1)), 1, Some(unit)),
                grant(Permission::CaseHandle, None, 0, None),
            ],
        };
        let sql = scope.case_predicate(Sql::default(), Permission::CaseRead, "c");
        assert_eq!(
            sql.text(),
            "(c.a3 = $1 or c.unit_id = $2 or exists (select 1 from co_handler ch where ch.case_id = c.id and ch.unit_id = $3))"
        );
        assert_eq!(
            scope.area_predicate(Sql::default(), Permission::CaseRead, "a").text(),
            "(a.a3 = $1)"
        );
    }

    #[test]
    fn a_grant_reaches_its_subtree_and_nothing_beside_it() {
        let scope = Scope {
            grants: vec![grant(Permission::CaseRead, Some(area(2)), 2, None)],
        };
        let inside = [Some(area(1)), Some(area(2)), Some(area(3)), None, None];
        let beside = [Some(area(1)), Some(area(4)), None, None, None];
        assert!(scope.covers(&inside, Permission::CaseRead));
        assert!(!scope.covers(&beside, Permission::CaseRead));
        assert!(!scope.covers(&inside, Permission::CaseHandle));
        let above = [Some(area(2)), None, None, None, None];
        assert!(
            !scope.covers(&above, Permission::CaseRead),
            "the same id at another depth is another place"
        );
    }
}
