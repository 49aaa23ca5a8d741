//! Backup and restore of a whole installation: what comes back is complete, its ledger verifies, a new epoch begins.
#![allow(clippy::unwrap_used)]
use crate::bare::{Bare, app_on};
use db::testkit::TestDb;
use db::{Backend, Options, params};
use serde_json::json;
use server::migrations::MIGRATIONS;
use server::platform::{App, Ctx, Mark, Subject, ledger};

async fn set(app: &App, key: &str) {
    let key = key.to_owned();
    app.write(&Ctx::system(app, "test"), move |ctx, tx| {
        tx.execute("insert into setting (key, value) values ($1, 'x')", &params![&key])?;
        tx.record(ctx, Mark::new("test.set", Subject::System, json!({"key": key})))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_restores_on_either_database_with_its_ledger_whole_and_a_new_epoch() {
    for (from, into) in [
        (Backend::Sqlite, Backend::Postgres),
        (Backend::Postgres, Backend::Sqlite),
    ] {
        let bare = Bare::new(from).await;
        for n in 0..30 {
            set(&bare.app, &format!("k{n}")).await;
        }
        let before = ledger::bring_up_to_date(&bare.app).await.unwrap().unwrap();
        let file = bare.folder.path().join("copy.backup");
        bare.app.db().backup_to(&file).await.unwrap();
        set(&bare.app, "after the backup").await;

        let target = TestDb::new(into, Options::default()).await;
        target.db.restore_from(&file, MIGRATIONS).await.unwrap();
        target.db.migrate(MIGRATIONS).await.unwrap();
        let restored = app_on(&target.db, &bare.folder, 1);
        let report = ledger::verify(&restored, vec![before.clone()], |_, _| {})
            .await
            .unwrap();
        assert!(report.ok(), "{:?}", report.findings);
        assert_eq!((report.records, report.leaves), (30, 30));
        assert_eq!(ledger::begin_epoch(restored.db()).await.unwrap(), 2);
        set(&restored, "a new life").await;
        let head = ledger::bring_up_to_date(&restored).await.unwrap().unwrap();
        assert_eq!((head.epoch, head.size), (2, 31));
        let proof = ledger::consistency(&restored, before.size, head.size).await.unwrap();
        assert!(ledger::check_consistency(
            before.size,
            &before.root,
            head.size,
            &head.root,
            &proof
        ));
        // The head the first server signed after the backup shows that this copy lacks what came after it.
        let ahead = ledger::bring_up_to_date(&bare.app).await.unwrap().unwrap();
        let report = ledger::verify(&restored, vec![ahead], |_, _| {}).await.unwrap();
        assert_eq!(
            report.findings.iter().map(|f| f.kind).collect::<Vec<_>>(),
            [ledger::Kind::Forked]
        );
        drop(restored);
        target.remove().await;
        bare.remove().await;
    }
}
