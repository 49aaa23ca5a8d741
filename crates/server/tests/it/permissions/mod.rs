//! The permission matrix: every route of the API x every role x an own and a foreign object, printed as reviewed text.
//!
//! Each part supplies [`Sample`]s for its routes in a file here; a route without one fails [`every_route_is_in_the_matrix`]. What is
//! checked besides the text: a foreign object answers, by status and by bytes, as one that does not exist; no answer to anybody of the
//! first town contains a trace of the second.

mod access;
mod adoption;
mod campaigns;
mod cases;
mod duties;
mod exchange;
mod place;
mod plans;
mod projects;
mod registry;
mod sync;

use crate::kit::{Answer, Client, EAST, PASSWORD, TestApp};
use axum::body::{Body, to_bytes};
use axum::http::Method;
use db::Backend;
use serde_json::Value;
use server::access::GrantWish;
use server::platform::{AccountId, App};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use uuid::Uuid;

/// Every role, and nobody.
const ROLES: [&str; 14] = [
    "visitor",
    "grid_worker",
    "team_member",
    "clerk",
    "handler",
    "dispatcher",
    "verifier",
    "supervisor",
    "liaison",
    "planner",
    "personnel",
    "system_admin",
    "security_admin",
    "audit_admin",
];

/// Routes whose samples are still owed. May only shrink.
const OWED: &[&str] = &[
    "GET /api/v1/blobs/{hash}",
    "GET /api/v1/board",
    "GET /api/v1/board/funnel",
    "GET /api/v1/indicators",
    "GET /api/v1/jobs",
    "POST /api/v1/jobs/{id}/cancel",
    "POST /api/v1/jobs/{id}/retry",
    "GET /api/v1/ledger",
    "GET /api/v1/ledger/heads",
    "GET /api/v1/ledger/verification",
    "POST /api/v1/ledger/verify",
    "GET /api/v1/outbox",
    "POST /api/v1/outbox/{id}/cancel",
    "POST /api/v1/outbox/{id}/mark-told",
    "GET /api/v1/portal/tree-consistency",
    "GET /api/v1/portal/tree-head",
    "POST /api/v1/portal/verify-receipt",
];

/// One way to call one route.
pub struct Sample {
    /// As in the API description: `PATCH /api/v1/accounts/{id}`.
    pub route: &'static str,
    /// What stands after the path: `?topics=case`.
    pub query: &'static str,
    /// A JSON body. Make one that is refused late, or changes only its own object: the next role gets the same world.
    pub body: Option<Value>,
    /// An object of the first town (where the roles are) and one of the second, for the `{..}` of the path.
    pub objects: Option<(String, String)>,
    /// Each role gets a session of its own for this call, because the call ends it.
    pub fresh: bool,
}

impl Sample {
    /// A route without object and body.
    pub fn new(route: &'static str) -> Sample {
        Sample {
            route,
            query: "",
            body: None,
            objects: None,
            fresh: false,
        }
    }

    pub fn query(mut self, query: &'static str) -> Sample {
        self.query = query;
        self
    }

    pub fn body(mut self, body: Value) -> Sample {
        self.body = Some(body);
        self
    }

    pub fn objects(mut self, own: impl ToString, foreign: impl ToString) -> Sample {
        self.objects = Some((own.to_string(), foreign.to_string()));
        self
    }

    pub fn fresh(mut self) -> Sample {
        self.fresh = true;
        self
    }

    fn path(&self, object: &str) -> (Method, String) {
        let (method, path) = self.route.split_once(' ').expect("METHOD path");
        let mut full = String::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            full += before;
            full += object;
            rest = after.split_once('}').expect("a closing brace").1;
        }
        (method.parse().expect("a method"), format!("{full}{rest}{}", self.query))
    }
}

/// What the samples are made in: two towns.
pub struct World<'a> {
    pub app: &'a TestApp,
    /// Texts that belong to the second town and must not reach anybody of the first: names, ids.
    pub foreign: Vec<String>,
}

/// The samples of all parts.
async fn samples(world: &mut World<'_>) -> Vec<Sample> {
    let mut all = Vec::new();
    all.extend(access::samples(world).await);
    all.extend(place::samples(world).await);
    all.extend(cases::samples(world).await);
    all.extend(duties::samples(world).await);
    all.extend(campaigns::samples(world).await);
    all.extend(sync::samples(world).await);
    all.extend(projects::samples(world).await);
    all.extend(adoption::samples(world).await);
    all.extend(exchange::samples(world).await);
    all.extend(plans::samples(world).await);
    all.extend(registry::samples(world).await);
    all
}

struct Caller {
    role: &'static str,
    login: Option<String>,
    client: Client,
}

impl Caller {
    async fn client(&self, app: &TestApp, fresh: bool) -> Client {
        match &self.login {
            Some(login) if fresh => app.sign_in(login, PASSWORD).await,
            _ => self.client.clone(),
        }
    }
}

async fn callers(app: &TestApp) -> Vec<Caller> {
    let mut all = Vec::new();
    for role in ROLES {
        if role == "visitor" {
            all.push(Caller {
                role,
                login: None,
                client: app.visitor(),
            });
            continue;
        }
        let id: AccountId = app.app.new_id();
        let login = app
            .account(
                id,
                vec![GrantWish {
                    role: role.into(),
                    area: Some(EAST),
                    unit: None,
                }],
            )
            .await;
        let client = app.sign_in(&login, PASSWORD).await;
        all.push(Caller {
            role,
            login: Some(login),
            client,
        });
    }
    all
}

async fn call(client: &Client, sample: &Sample, object: &str) -> Answer {
    let (method, path) = sample.path(object);
    if sample.route.ends_with("/events") {
        return head_of_stream(client, method, &path).await;
    }
    client.send(method, &path, sample.body.clone()).await
}

/// A stream does not end: its status, and the body of a refusal.
async fn head_of_stream(client: &Client, method: Method, path: &str) -> Answer {
    let request = client.request(method, path).body(Body::empty()).expect("a request");
    let (parts, body) = client.open(request).await.into_parts();
    let body = if parts.status.is_success() {
        Vec::new()
    } else {
        to_bytes(body, 1 << 20).await.expect("a body").to_vec()
    };
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

/// The matrix of one database, as text.
async fn matrix(app: &TestApp) -> String {
    let mut world = World {
        app,
        foreign: Vec::new(),
    };
    let samples = samples(&mut world).await;
    let callers = callers(app).await;
    let mut text = String::new();
    for sample in &samples {
        let own = sample.objects.as_ref().map_or("", |objects| &objects.0);
        let mut verdicts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for caller in &callers {
            let client = caller.client(app, sample.fresh).await;
            let answer = call(&client, sample, own).await;
            no_trace_of_the_other_town(&world, sample, caller.role, &answer);
            verdicts.entry(answer.verdict()).or_default().push(caller.role);
            if let Some((_, foreign)) = &sample.objects {
                foreign_is_absent(&app.app, &client, sample, caller.role, foreign).await;
            }
        }
        let foreign = if sample.objects.is_some() {
            "  [foreign = absent]"
        } else {
            ""
        };
        writeln!(text, "{}{}{foreign}", sample.route, sample.query).expect("a string");
        for (verdict, roles) in verdicts {
            let who = if roles.len() == ROLES.len() {
                "everybody".to_owned()
            } else {
                roles.join(" ")
            };
            writeln!(text, "    {verdict:28} {who}").expect("a string");
        }
    }
    text
}

fn no_trace_of_the_other_town(world: &World<'_>, sample: &Sample, role: &str, answer: &Answer) {
    let text = answer.text();
    for trace in &world.foreign {
        assert!(
            !text.contains(trace.as_str()),
            "{}: {role} of the first town sees {trace} of the second",
            sample.route
        );
    }
}

async fn foreign_is_absent(app: &App, client: &Client, sample: &Sample, role: &str, foreign: &str) {
    let absent = if Uuid::try_parse(foreign).is_ok() {
        app.new_id::<AccountId>().to_string()
    } else {
        "no-such-thing".to_owned()
    };
    let (foreign, absent) = (call(client, sample, foreign).await, call(client, sample, &absent).await);
    assert_eq!(
        (foreign.status, foreign.text()),
        (absent.status, absent.text()),
        "{}: {role}, foreign against absent",
        sample.route
    );
}

#[tokio::test]
async fn the_permission_matrix() {
    let mut texts = Vec::new();
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let app = TestApp::new(backend).await;
        texts.push(matrix(&app).await);
        app.remove().await;
    }
    assert_eq!(texts[0], texts[1], "both databases answer the same");
    insta::assert_snapshot!(texts[0]);
}

#[tokio::test]
async fn every_route_is_in_the_matrix() {
    let app = TestApp::new(Backend::Sqlite).await;
    let mut world = World {
        app: &app,
        foreign: Vec::new(),
    };
    let sampled: BTreeSet<String> = samples(&mut world)
        .await
        .iter()
        .map(|sample| sample.route.to_owned())
        .collect();
    app.remove().await;
    let described: BTreeSet<String> = routes().into_iter().collect();
    let missing: Vec<&String> = described
        .iter()
        .filter(|route| !sampled.contains(*route) && !OWED.contains(&route.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "routes without a sample in tests/it/permissions/: {missing:#?}"
    );
    let unknown: Vec<&String> = sampled.iter().filter(|route| !described.contains(*route)).collect();
    assert!(unknown.is_empty(), "samples of routes that do not exist: {unknown:#?}");
    let paid: Vec<&&str> = OWED
        .iter()
        .filter(|route| sampled.contains(**route) || !described.contains(**route))
        .collect();
    assert!(paid.is_empty(), "no longer owed, remove from OWED: {paid:#?}");
}

/// Every route of the API description, `METHOD path`.
fn routes() -> Vec<String> {
    let description = serde_json::to_value(server::router::openapi()).expect("JSON");
    let paths = description["paths"].as_object().expect("paths").clone();
    let methods = ["get", "post", "put", "patch", "delete", "head"];
    paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().expect("a path item");
            methods
                .iter()
                .filter(|method| item.contains_key(**method))
                .map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}
