//! The ledger on real databases: appending, sequencing, receipts, erasing, and that no tampering goes unseen.
#![allow(clippy::unwrap_used)]
use crate::bare::{Bare, app_on, each};
use db::{Backend, Db, DbError, Sql, Value, params};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use server::platform::ledger::{
    self, Hash, Kind, LedgerRef, ReceiptFacts, Recheck, Record, Report, TreeHead, check_consistency,
};
use server::platform::{App, Ctx, Fault, Lang, Mark, Subject, Tx};
use sha2::{Digest, Sha256};

const PLACE: &str = "示例市";

fn setting_hash(value: &str) -> String {
    hex::encode(Sha256::digest(value.as_bytes()))
}

/// A change with its mark: a setting, and the hash of its value in the ledger.
async fn set(app: &App, key: &str, value: &str) -> LedgerRef {
    let (key, value) = (key.to_owned(), value.to_owned());
    app.write(&Ctx::system(app, "test"), move |ctx, tx| {
        tx.execute(
            "insert into setting (key, value) values ($1, $2)",
            &params![&key, &value],
        )?;
        tx.record(
            ctx,
            Mark::new(
                "test.set",
                Subject::System,
                json!({"key": key, "value_sha256": setting_hash(&value)}),
            ),
        )
    })
    .await
    .unwrap()
}

/// The part's own check: the row still has the value whose hash was recorded.
fn recheck(tx: &mut Tx<'_, '_>, _: &Record, body: &serde_json::Value) -> Result<Option<String>, Fault> {
    let key = body["key"].as_str().unwrap_or_default();
    let row = tx.query_opt("select value from setting where key = $1", &params![key])?;
    let same = row
        .map(|row| row.get::<String>(0))
        .transpose()?
        .is_some_and(|value| body["value_sha256"] == setting_hash(&value));
    Ok((!same).then(|| format!("setting {key} is not what was recorded")))
}

fn with_recheck(app: &App) {
    ledger::add_recheck(
        app,
        Recheck {
            action: "test.set",
            check: recheck,
        },
    );
}

async fn verify(app: &App, known: Vec<TreeHead>) -> Report {
    ledger::verify(app, known, |_, _| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_become_leaves_and_signed_heads_and_all_of_it_verifies() {
    each(|bare| async move {
        let app = bare.app.clone();
        with_recheck(&app);
        assert!(verify(&app, vec![]).await.ok(), "an empty ledger is a sound one");
        let writes = (0..40).map(|n| {
            let app = app.clone();
            async move { set(&app, &format!("k{n}"), &format!("v{n}")).await }
        });
        futures::future::join_all(writes).await;
        let first = ledger::bring_up_to_date(&app).await.unwrap().unwrap();
        assert_eq!(first.size, 40);
        assert_eq!(
            ledger::bring_up_to_date(&app).await.unwrap().unwrap(),
            first,
            "nothing new, no new head"
        );
        for n in 40..100 {
            set(&app, &format!("k{n}"), "x").await;
        }
        let second = ledger::bring_up_to_date(&app).await.unwrap().unwrap();
        let proof = ledger::consistency(&app, first.size, second.size).await.unwrap();
        assert!(check_consistency(
            first.size,
            &first.root,
            second.size,
            &second.root,
            &proof
        ));
        let report = verify(&app, vec![first]).await;
        assert!(report.ok(), "{:?}", report.findings);
        assert_eq!((report.records, report.leaves, report.heads), (100, 100, 2));
        bare.remove().await;
    })
    .await;
}

/// A report's mark, as intake makes it.
async fn report(app: &App, text: &'static str) -> LedgerRef {
    app.write(&Ctx::system(app, "test"), move |ctx, tx| {
        let facts = ReceiptFacts {
            number: "SL20260214-00001".into(),
            report_id: "01935c2e-7a00-7000-8000-0000000000ff".into(),
            received_at: ctx.now.to_string(),
            text: ledger::text_hash(&ctx.app, text),
        };
        tx.record(
            ctx,
            Mark::new(
                "case.received",
                Subject::System,
                facts.into_body(json!({"channel": "portal"})),
            ),
        )
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_issued_at_once_and_stays_true_as_the_ledger_grows() {
    each(|bare| async move {
        let app = bare.app.clone();
        for n in 0..20 {
            set(&app, &format!("before{n}"), "x").await;
        }
        let at = report(&app, "东河路路灯不亮").await;
        let key = ledger::key(&app).public();
        let receipt = ledger::issue(&app, PLACE, at).await.unwrap();
        assert!(receipt.verify(Some(&key), Some("东河路路灯不亮"), Lang::Zh).ok);
        assert!(!receipt.verify(Some(&key), Some("东河路路灯亮了"), Lang::Zh).ok);
        for n in 0..50 {
            set(&app, &format!("after{n}"), "x").await;
        }
        ledger::bring_up_to_date(&app).await.unwrap();
        let later = ledger::issue(&app, PLACE, at).await.unwrap();
        assert!(later.verify(Some(&key), None, Lang::Zh).ok && later.tree_size > receipt.tree_size);
        // The earlier receipt's head is a beginning of the ledger as it is now.
        let proof = ledger::consistency(&app, receipt.tree_size, later.tree_size)
            .await
            .unwrap();
        assert!(check_consistency(
            receipt.tree_size,
            &receipt.root_hash,
            later.tree_size,
            &later.root_hash,
            &proof
        ));
        let other = set(&app, "no report", "x").await;
        assert_eq!(
            ledger::issue(&app, PLACE, other).await.unwrap_err().code(),
            "receipt_not_available"
        );
        let unknown = LedgerRef {
            strand: at.strand,
            seq: 9999,
        };
        assert_eq!(
            ledger::issue(&app, PLACE, unknown).await.unwrap_err().code(),
            "not_found"
        );
        bare.remove().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_payload_is_a_record_and_not_tampering() {
    each(|bare| async move {
        let app = bare.app.clone();
        let at = report(&app, "含有个人信息的原话").await;
        let erase = |app: App| async move {
            app.write(&Ctx::system(&app, "retention"), move |ctx, tx| {
                ledger::erase_payload(ctx, tx, at, "retention over")
            })
            .await
        };
        let by = erase(app.clone()).await.unwrap();
        ledger::bring_up_to_date(&app).await.unwrap();
        let report = verify(&app, vec![]).await;
        assert!(report.ok(), "{:?}", report.findings);
        assert_eq!(report.erased, 1);
        assert_eq!(
            ledger::issue(&app, PLACE, at).await.unwrap_err().code(),
            "receipt_not_available"
        );
        assert_eq!(
            erase(app.clone()).await.unwrap_err().code(),
            "ledger_record_unknown",
            "erased only once"
        );
        let shown = ledger::newest(&app, None, 10).await.unwrap();
        let erased = shown
            .iter()
            .find(|item| item.record.seq == at.seq && item.record.strand == at.strand)
            .unwrap();
        assert_eq!((erased.body.clone(), erased.erased_by), (None, Some(by)));
        bare.remove().await;
    })
    .await;
}

// ---- tampering

const TABLES: [&str; 9] = [
    "ledger_record",
    "ledger_payload",
    "ledger_head",
    "ledger_leaf",
    "ledger_node",
    "ledger_tree",
    "ledger_sequenced",
    "ledger_tree_head",
    "setting",
];

/// A sound ledger that can be put back after each tampering.
struct Bench {
    bare: Bare,
    app: App,
    heads: Vec<TreeHead>,
    all: Vec<(Record, Hash)>,
    /// Records under a signed head, in the order of their leaves.
    leaves: Vec<LedgerRef>,
    erased: Vec<LedgerRef>,
}

async fn run(db: &Db, statements: Vec<Sql>) {
    db.write(move |tx| {
        for sql in &statements {
            tx.run(sql)?;
        }
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
}

impl Bench {
    async fn new(backend: Backend) -> Bench {
        let bare = Bare::new(backend).await;
        let app = bare.app.clone();
        with_recheck(&app);
        let mut erased = Vec::new();
        for round in 0..4 {
            let writes = (0..14).map(|n| {
                let app = app.clone();
                async move { set(&app, &format!("k{round}-{n}"), &format!("v{n}")).await }
            });
            let refs = futures::future::join_all(writes).await;
            if round == 1 {
                let at = refs[3];
                erased.push(at);
                app.write(&Ctx::system(&app, "test"), move |ctx, tx| {
                    ledger::erase_payload(ctx, tx, at, "test")
                })
                .await
                .unwrap();
            }
            if round < 3 {
                ledger::bring_up_to_date(&app).await.unwrap();
            }
        }
        // The last round is under no head yet: part of the ledger is always younger than its newest head.
        let copies = TABLES
            .iter()
            .map(|table| leak(format!("create table copy_{table} as select * from {table}")))
            .map(Sql::new);
        run(app.db(), copies.collect()).await;
        let heads = ledger::newest_heads(&app, 10).await.unwrap();
        let mut bench = Bench {
            bare,
            app,
            heads,
            all: Vec::new(),
            leaves: Vec::new(),
            erased,
        };
        bench.all = bench.records().await;
        bench.leaves = ledger::newest(&bench.app, None, 1000)
            .await
            .unwrap()
            .iter()
            .rev()
            .filter(|item| item.leaf < bench.heads[0].size)
            .map(|item| at(&item.record))
            .collect();
        bench
    }

    async fn put_back(&self) {
        let statements = TABLES
            .iter()
            .flat_map(|table| {
                [
                    format!("delete from {table}"),
                    format!("insert into {table} select * from copy_{table}"),
                ]
            })
            .map(|text| Sql::new(leak(text)));
        run(self.app.db(), statements.collect()).await;
    }

    async fn records(&self) -> Vec<(Record, Hash)> {
        self.app
            .db()
            .read(|tx| {
                let rows = tx.query(
                    "select strand, seq, at, actor, action, subject, purpose, rule_version, payload_hash, prev_hash, hash
                     from ledger_record order by strand, seq",
                    &[],
                )?;
                let one = |row: &db::Row| {
                    Ok((
                        Record {
                            strand: row.get(0)?,
                            seq: row.get(1)?,
                            at: row.get(2)?,
                            actor: row.get(3)?,
                            action: row.get(4)?,
                            subject: row.get(5)?,
                            purpose: row.get(6)?,
                            rule_version: row.get(7)?,
                            payload_hash: row.get(8)?,
                            prev_hash: row.get(9)?,
                        },
                        row.get(10)?,
                    ))
                };
                rows.iter().map(one).collect::<Result<Vec<_>, DbError>>()
            })
            .await
            .unwrap()
    }

    /// Writes a record as it is given, over what stands there.
    fn overwrite(record: &Record, hash: Hash) -> Vec<Sql> {
        vec![
            Sql::new("delete from ledger_record where strand = ").bind(record.strand).push(" and seq = ").bind(record.seq),
            Sql::new(
                "insert into ledger_record (strand, seq, at, actor, action, subject, purpose, rule_version, payload_hash, prev_hash, hash)
                 values (",
            )
            .list([
                Value::from(record.strand),
                record.seq.into(),
                record.at.into(),
                (&record.actor).into(),
                (&record.action).into(),
                (&record.subject).into(),
                (&record.purpose).into(),
                (&record.rule_version).into(),
                record.payload_hash.into(),
                record.prev_hash.into(),
                hash.into(),
            ])
            .push(")"),
        ]
    }

    /// Rewrites a chain from `from` on so that its links and its stored end fit again, with leaves if `leaves`.
    fn rechain(&self, changed: &Record, leaves: bool) -> Vec<Sql> {
        let mut statements = Vec::new();
        let mut prev = changed.hash();
        statements.extend(Self::overwrite(changed, prev));
        let chain = self
            .all
            .iter()
            .filter(|(r, _)| r.strand == changed.strand && r.seq > changed.seq);
        let mut at = vec![(changed.seq, prev)];
        for (record, _) in chain {
            let record = Record {
                prev_hash: prev,
                ..record.clone()
            };
            prev = record.hash();
            at.push((record.seq, prev));
            statements.extend(Self::overwrite(&record, prev));
        }
        let end = Sql::new("update ledger_head set hash = ")
            .bind(prev)
            .push(" where strand = ")
            .bind(changed.strand);
        statements.push(end);
        for (seq, hash) in at.into_iter().filter(|_| leaves) {
            let sql = Sql::new("update ledger_leaf set hash = ").bind(Hash::of(&[&[0], &hash.0]));
            statements.push(
                sql.push(" where strand = ")
                    .bind(changed.strand)
                    .push(" and seq = ")
                    .bind(seq),
            );
        }
        statements
    }

    /// Throws the tree away and lets a server with the keys of `master` make it anew, as one who owns the database could.
    async fn resequence(&self, master: u8) {
        let all = ["ledger_leaf", "ledger_node", "ledger_sequenced", "ledger_tree_head"];
        let mut statements: Vec<Sql> = all
            .iter()
            .map(|table| Sql::new(leak(format!("delete from {table}"))))
            .collect();
        statements.push(
            Sql::new("update ledger_tree set size = 0, peaks = cast('' as ")
                .push(blob(self))
                .push(")"),
        );
        run(self.app.db(), statements).await;
        ledger::bring_up_to_date(&app_on(self.app.db(), &self.bare.folder, master))
            .await
            .unwrap();
    }

    async fn remove(self) {
        drop(self.app);
        self.bare.remove().await;
    }
}

fn blob(bench: &Bench) -> &'static str {
    bench.app.db().backend().pick("blob", "bytea")
}

/// Fixed statements of this test, made from the closed list of tables above.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// What one tampering must lead to.
struct Expect {
    what: String,
    /// Findings must be among these kinds (at least one of them found).
    kinds: &'static [Kind],
    /// Records that must be named, by place, as suspects, or by a stretch of leaves that has them.
    named: Vec<LedgerRef>,
    known: Vec<TreeHead>,
}

fn at(record: &Record) -> LedgerRef {
    LedgerRef {
        strand: record.strand,
        seq: record.seq,
    }
}

fn flip(hash: Hash, rng: &mut StdRng) -> Hash {
    let mut changed = hash;
    changed.0[rng.random_range(0..32)] ^= 1 << rng.random_range(0..8);
    changed
}

/// Changes one field of a record.
fn change(record: &Record, rng: &mut StdRng) -> (Record, &'static str) {
    let mut changed = record.clone();
    let field = match rng.random_range(0..8) {
        0 => {
            changed.at += 60_000;
            "at"
        }
        1 => {
            changed.actor = "account:01935c2e-7a00-7000-8000-000000000001".into();
            "actor"
        }
        2 => {
            changed.action = "test.other".into();
            "action"
        }
        3 => {
            changed.subject = "case:01935c2e-7a00-7000-8000-000000000002".into();
            "subject"
        }
        4 => {
            changed.purpose = "audit".into();
            "purpose"
        }
        5 => {
            changed.rule_version = "9".into();
            "rule_version"
        }
        6 => {
            changed.payload_hash = flip(record.payload_hash, rng);
            "payload_hash"
        }
        _ => {
            changed.prev_hash = flip(record.prev_hash, rng);
            "prev_hash"
        }
    };
    (changed, field)
}

const KINDS_OF_TAMPERING: u32 = 27;

/// Tampers in one way; everything random comes from the generator.
async fn tamper(bench: &Bench, way: u32, rng: &mut StdRng) -> Expect {
    let db = bench.app.db();
    let (record, hash) = bench.all[rng.random_range(0..bench.all.len())].clone();
    let (place, leaf_place) = (at(&record), bench.leaves[rng.random_range(0..bench.leaves.len())]);
    let leaf_record = bench.all.iter().find(|(r, _)| at(r) == leaf_place).unwrap().0.clone();
    let of = |record: &Record| (record.strand, record.seq);
    let expect = |what: String, kinds: &'static [Kind], named: Vec<LedgerRef>| Expect {
        what,
        kinds,
        named,
        known: vec![],
    };
    let by_place =
        |sql: Sql, (strand, seq): (i64, i64)| sql.push(" where strand = ").bind(strand).push(" and seq = ").bind(seq);
    match way {
        0..=2 => {
            let (changed, field) = change(&record, rng);
            run(db, Bench::overwrite(&changed, hash)).await;
            expect(format!("{field} changed"), &[Kind::Altered], vec![place])
        }
        3 => {
            run(db, Bench::overwrite(&record, flip(hash, rng))).await;
            expect("hash changed".into(), &[Kind::Altered], vec![place])
        }
        4 | 5 => {
            let (changed, field) = change(&record, rng);
            run(db, Bench::overwrite(&changed, changed.hash())).await;
            expect(format!("{field} and hash changed"), &[Kind::Altered], vec![place])
        }
        6 | 7 => {
            let (changed, field) = change(&leaf_record, rng);
            run(db, bench.rechain(&changed, false)).await;
            expect(
                format!("{field} changed, chain rewritten"),
                &[Kind::Altered],
                vec![leaf_place],
            )
        }
        8 => {
            let (changed, field) = change(&leaf_record, rng);
            run(db, bench.rechain(&changed, true)).await;
            expect(
                format!("{field} changed, chain and leaves rewritten"),
                &[Kind::RootDiffers, Kind::NodeAltered, Kind::Altered],
                vec![leaf_place],
            )
        }
        9 => {
            // Everything rewritten but the signed heads, which take the key.
            let (changed, field) = change(&leaf_record, rng);
            run(db, bench.rechain(&changed, false)).await;
            bench.resequence(1).await;
            let back = [
                "delete from ledger_tree_head",
                "insert into ledger_tree_head select * from copy_ledger_tree_head",
            ];
            run(db, back.into_iter().map(Sql::new).collect()).await;
            // With several chains a tree made anew has another order, so an earlier head may be the first that does not fit.
            let named = if db.backend() == Backend::Sqlite {
                vec![leaf_place]
            } else {
                vec![]
            };
            expect(
                format!("{field} changed, all but the heads rewritten"),
                &[Kind::RootDiffers, Kind::Altered],
                named,
            )
        }
        10 => {
            let (changed, _) = change(&leaf_record, rng);
            run(db, bench.rechain(&changed, false)).await;
            bench.resequence(9).await;
            expect(
                "all rewritten and signed with another key".into(),
                &[Kind::SignatureInvalid],
                vec![],
            )
        }
        11 => {
            // The owner of the key forks the ledger: only a head kept elsewhere shows it.
            let (changed, _) = change(&leaf_record, rng);
            run(db, bench.rechain(&changed, false)).await;
            bench.resequence(1).await;
            let known = bench.heads.clone();
            Expect {
                known,
                ..expect(
                    "forked by the owner of the key".into(),
                    &[Kind::Forked, Kind::Altered],
                    vec![],
                )
            }
        }
        12 => {
            run(db, vec![by_place(Sql::new("delete from ledger_record"), of(&record))]).await;
            expect("record removed".into(), &[Kind::Removed], vec![place])
        }
        13 => {
            let tables = [
                "delete from ledger_record",
                "delete from ledger_payload",
                "delete from ledger_leaf",
            ];
            run(
                db,
                tables
                    .into_iter()
                    .map(|sql| by_place(Sql::new(sql), of(&record)))
                    .collect(),
            )
            .await;
            expect(
                "record removed with payload and leaf".into(),
                &[Kind::Removed],
                vec![place],
            )
        }
        14 => {
            // Removed, and the later ones moved up.
            let mut statements: Vec<Sql> = Vec::new();
            let chain: Vec<_> = bench
                .all
                .iter()
                .filter(|(r, _)| r.strand == record.strand && r.seq > record.seq)
                .collect();
            for (later, hash) in &chain {
                statements.extend(Bench::overwrite(
                    &Record {
                        seq: later.seq - 1,
                        ..later.clone()
                    },
                    *hash,
                ));
            }
            let last = chain.last().map_or(record.seq, |(r, _)| r.seq);
            statements.push(by_place(Sql::new("delete from ledger_record"), (record.strand, last)));
            run(db, statements).await;
            expect(
                "record removed, later ones moved up".into(),
                &[Kind::Reordered, Kind::Altered, Kind::Removed],
                vec![place],
            )
        }
        15 => {
            // Inserted in the middle, the later ones moved down.
            let chain: Vec<_> = bench
                .all
                .iter()
                .filter(|(r, _)| r.strand == record.strand && r.seq >= record.seq)
                .collect();
            let mut statements = Vec::new();
            for (later, hash) in chain.iter().rev() {
                statements.extend(Bench::overwrite(
                    &Record {
                        seq: later.seq + 1,
                        ..later.clone()
                    },
                    *hash,
                ));
            }
            let new = Record {
                action: "test.inserted".into(),
                ..record.clone()
            };
            statements.extend(Bench::overwrite(&new, new.hash()));
            run(db, statements).await;
            expect(
                "record inserted, later ones moved down".into(),
                &[Kind::Inserted, Kind::Altered, Kind::Reordered],
                vec![place],
            )
        }
        16 => {
            let (last, hash) = bench.all.iter().rfind(|(r, _)| r.strand == record.strand).unwrap();
            let new = Record {
                seq: last.seq + 1,
                prev_hash: *hash,
                action: "test.inserted".into(),
                ..record.clone()
            };
            run(db, Bench::overwrite(&new, new.hash())).await;
            expect("record put behind the end".into(), &[Kind::Inserted], vec![at(&new)])
        }
        17 => {
            let chain: Vec<_> = bench
                .all
                .iter()
                .filter(|(r, _)| r.strand == record.strand && r.seq != record.seq)
                .collect();
            let Some((other, other_hash)) = (!chain.is_empty()).then(|| chain[rng.random_range(0..chain.len())]) else {
                run(db, Bench::overwrite(&record, flip(hash, rng))).await;
                return expect("hash changed".into(), &[Kind::Altered], vec![place]);
            };
            let mut statements = Bench::overwrite(
                &Record {
                    seq: record.seq,
                    ..other.clone()
                },
                *other_hash,
            );
            statements.extend(Bench::overwrite(
                &Record {
                    seq: other.seq,
                    ..record.clone()
                },
                hash,
            ));
            run(db, statements).await;
            expect(
                "two records exchanged".into(),
                &[Kind::Reordered, Kind::Altered],
                vec![place, at(other)],
            )
        }
        18 => {
            let n = rng.random_range(0..bench.leaves.len() as i64 - 1);
            let park = |from: i64, to: i64| {
                Sql::new("update ledger_leaf set leaf = ")
                    .bind(to)
                    .push(" where leaf = ")
                    .bind(from)
            };
            run(db, vec![park(n, -1), park(n + 1, n), park(-1, n + 1)]).await;
            expect(
                format!("leaves {n} and next exchanged"),
                &[Kind::RootDiffers, Kind::Reordered, Kind::NodeAltered],
                vec![],
            )
        }
        19 => {
            // The end of a chain cut off, with everything of it but the heads.
            let (strand, from) = (leaf_record.strand, leaf_record.seq);
            let cut = [
                "delete from ledger_record",
                "delete from ledger_payload",
                "delete from ledger_leaf",
            ];
            let mut statements: Vec<Sql> = cut
                .into_iter()
                .map(|sql| {
                    Sql::new(sql)
                        .push(" where strand = ")
                        .bind(strand)
                        .push(" and seq >= ")
                        .bind(from)
                })
                .collect();
            if from == 1 {
                statements.push(Sql::new("delete from ledger_head where strand = ").bind(strand));
            } else {
                let prev = bench
                    .all
                    .iter()
                    .find(|(r, _)| r.strand == strand && r.seq == from - 1)
                    .unwrap()
                    .1;
                let sql = Sql::new("update ledger_head set seq = ")
                    .bind(from - 1)
                    .push(", hash = ")
                    .bind(prev);
                statements.push(sql.push(" where strand = ").bind(strand));
            }
            statements.push(
                Sql::new("update ledger_sequenced set seq = ")
                    .bind(from - 1)
                    .push(" where strand = ")
                    .bind(strand),
            );
            run(db, statements).await;
            expect(
                "end of a chain cut off".into(),
                &[Kind::Truncated, Kind::LeafMissing, Kind::Removed],
                vec![leaf_place],
            )
        }
        20 => {
            // Everything after the first head cut off, heads too: an earlier copy put in place. A head kept elsewhere shows it.
            bench.resequence(1).await;
            run(
                db,
                vec![
                    Sql::new("delete from ledger_tree_head"),
                    Sql::new("delete from ledger_leaf where leaf >= 5"),
                ],
            )
            .await;
            let known = bench.heads.clone();
            Expect {
                known,
                ..expect("tree and heads cut off".into(), &[Kind::Truncated], vec![])
            }
        }
        21 => {
            let sql = Sql::new("update ledger_payload set body = ").bind("{\"key\":\"other\"}");
            run(db, vec![by_place(sql, of(&bench.kept(rng)))]).await;
            expect("payload changed".into(), &[Kind::PayloadAltered], vec![])
        }
        22 => {
            let kept = bench.kept(rng);
            run(db, vec![by_place(Sql::new("delete from ledger_payload"), of(&kept))]).await;
            expect("payload removed".into(), &[Kind::PayloadMissing], vec![at(&kept)])
        }
        23 => {
            let kept = bench.kept(rng);
            let sql =
                Sql::new("update ledger_payload set salt = null, body = null, erased_strand = ").bind(kept.strand);
            run(
                db,
                vec![by_place(sql.push(", erased_seq = ").bind(kept.seq), of(&kept))],
            )
            .await;
            expect(
                "payload said to be erased".into(),
                &[Kind::PayloadMissing],
                vec![at(&kept)],
            )
        }
        24 => {
            let n = rng.random_range(0..14);
            let key = format!("k{}-{n}", [0, 2, 3][rng.random_range(0..3)]);
            let sql = Sql::new("update setting set value = 'other' where key = ").bind(&key);
            run(db, vec![sql]).await;
            expect(format!("row {key} changed"), &[Kind::RowDiffers], vec![])
        }
        25 => {
            let what =
                ["update ledger_node set hash = ", "update ledger_tree_head set root = "][rng.random_range(0..2)];
            run(db, vec![Sql::new(what).bind(Hash::of(&[b"x"]))]).await;
            expect(what.into(), &[Kind::NodeAltered, Kind::SignatureInvalid], vec![])
        }
        _ => {
            let n = rng.random_range(0..bench.leaves.len() as i64);
            run(
                db,
                vec![
                    Sql::new("update ledger_leaf set hash = ")
                        .bind(Hash::of(&[b"x"]))
                        .push(" where leaf = ")
                        .bind(n),
                ],
            )
            .await;
            expect(format!("leaf {n} changed"), &[Kind::Altered, Kind::RootDiffers], vec![])
        }
    }
}

impl Bench {
    /// A record whose payload was not erased.
    fn kept(&self, rng: &mut StdRng) -> Record {
        let kept: Vec<_> = self.all.iter().filter(|(r, _)| !self.erased.contains(&at(r))).collect();
        kept[rng.random_range(0..kept.len())].0.clone()
    }
}

fn names(report: &Report, place: LedgerRef, leaf: Option<usize>) -> bool {
    report.findings.iter().any(|finding| {
        let by_leaf = leaf.is_some_and(|leaf| {
            finding
                .leaves
                .is_some_and(|(from, to)| (from..to).contains(&(leaf as u64)))
        });
        finding.at == Some(place) || finding.suspects.contains(&place) || by_leaf
    })
}

async fn campaign(backend: Backend, cases: u32, seed: u64) {
    let bench = Bench::new(backend).await;
    let sound = verify(&bench.app, bench.heads.clone()).await;
    assert!(sound.ok(), "{:?}", sound.findings);
    for case in 0..cases {
        let mut rng = StdRng::seed_from_u64(seed + u64::from(case));
        let expect = tamper(&bench, case % KINDS_OF_TAMPERING, &mut rng).await;
        let report = verify(&bench.app, expect.known.clone()).await;
        let told = || {
            report
                .findings
                .iter()
                .map(|f| f.describe(Lang::En))
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert!(!report.ok(), "case {case} not seen: {}", expect.what);
        assert!(
            report.findings.iter().any(|f| expect.kinds.contains(&f.kind)),
            "case {case}, {}:\n{}",
            expect.what,
            told()
        );
        for place in &expect.named {
            let leaf = bench.leaves.iter().position(|at| at == place);
            assert!(
                names(&report, *place, leaf),
                "case {case}, {}: {place} not named:\n{}",
                expect.what,
                told()
            );
        }
        bench.put_back().await;
    }
    let sound = verify(&bench.app, bench.heads.clone()).await;
    assert!(sound.ok(), "{:?}", sound.findings);
    bench.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tampering_goes_unseen_on_sqlite() {
    campaign(Backend::Sqlite, 270, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tampering_goes_unseen_on_postgresql() {
    campaign(Backend::Postgres, 81, 5_000).await;
}

/// A thousand on each database, with other seeds than the short ones above.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: script/faults runs it"]
async fn a_thousand_tamperings_are_all_named() {
    campaign(Backend::Sqlite, 1_000, 10_000).await;
    campaign(Backend::Postgres, 1_000, 20_000).await;
}

// ---- the command line

fn wangge(folder: &std::path::Path, args: &[&str]) -> (bool, String) {
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_wangge"))
        .args(args)
        .env(
            "WANGGE_DATABASE",
            format!("sqlite:{}", folder.join("place.db").display()),
        )
        .env("WANGGE_KEY_FILE", folder.join("wangge.key"))
        .env("WANGGE_BLOBS", folder.join("blobs"))
        .env_remove("WANGGE_PACK")
        .output()
        .unwrap();
    (
        done.status.success(),
        format!(
            "{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        ),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_verifies_backs_up_restores_and_names_what_was_changed() {
    use server::platform::clock::Chance;
    use server::platform::config::Config;
    use server::platform::keys::Keys;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let config = Config {
        database: format!("sqlite:{}", path("place.db")),
        key_file: folder.path().join("wangge.key"),
        blobs: path("blobs"),
        ..Config::default()
    };
    let app = server::cli::serve::open(config).await.unwrap();
    let at = report(&app, "东河路路灯不亮").await;
    let receipt = ledger::issue(&app, PLACE, at).await.unwrap();
    std::fs::write(path("receipt.json"), serde_json::to_string_pretty(&receipt).unwrap()).unwrap();
    std::fs::write(path("key"), ledger::key(&app).public().to_hex()).unwrap();

    let (file, key) = (path("receipt.json"), path("key"));
    let ask = ["verify", "receipt", &file, "--public-key", &key, "--text"];
    let (ok, said) = wangge(folder.path(), &[&ask[..], &["东河路路灯不亮"]].concat());
    assert!(ok && said.contains("一字未改"), "{said}");
    assert!(!wangge(folder.path(), &[&ask[..], &["东河路路灯亮了"]].concat()).0);
    std::fs::write(
        path("receipt.json"),
        serde_json::to_string(&receipt).unwrap().replace("00001", "00002"),
    )
    .unwrap();
    assert!(!wangge(folder.path(), &["verify", "receipt", &file]).0);

    let (ok, said) = wangge(folder.path(), &["verify", "ledger"]);
    assert!(ok && said.contains("存证完整"), "{said}");
    let (copy, into) = (path("copy.backup"), format!("sqlite:{}", path("restored.db")));
    let (ok, said) = wangge(folder.path(), &["backup", "--out", &copy]);
    assert!(ok && said.contains("restored on trial and verified"), "{said}");
    assert!(
        !wangge(folder.path(), &["backup", "--out", &copy]).0,
        "never over a file"
    );

    // Another key, or none: refused by name before anything is written; nothing is made in its place.
    let (own, kept) = (path("wangge.key"), path("kept.key"));
    std::fs::rename(&own, &kept).unwrap();
    for command in [
        &["restore", &copy, "--into", &into][..],
        &["backup", "--out", &path("other.backup")],
        &["verify", "ledger"],
    ] {
        let (ok, said) = wangge(folder.path(), command);
        assert!(!ok && said.contains("is missing") && said.contains(&own), "{said}");
        assert!(!std::path::Path::new(&own).exists());
    }
    Keys::load_or_create(own.as_ref(), &Chance::seeded(9)).unwrap();
    let (ok, said) = wangge(folder.path(), &["restore", &copy, "--into", &into]);
    assert!(!ok && said.contains("is not this database's"), "{said}");
    assert!(!folder.path().join("restored.db").exists(), "nothing was written");
    std::fs::rename(&kept, &own).unwrap();

    let (ok, said) = wangge(folder.path(), &["restore", &copy, "--into", &into]);
    assert!(ok && said.contains("epoch 2 begins"), "{said}");
    assert!(
        !wangge(folder.path(), &["restore", &copy, "--into", &into]).0,
        "never over rows"
    );

    run(
        app.db(),
        vec![Sql::new(
            "update ledger_record set actor = 'account:x' where action = 'case.received'",
        )],
    )
    .await;
    let (ok, said) = wangge(folder.path(), &["verify", "ledger"]);
    assert!(!ok && said.contains(&format!("{at} case.received")), "{said}");
}
