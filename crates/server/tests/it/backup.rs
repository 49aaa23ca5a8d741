//! Backup and restore of a whole installation: what comes back is complete, its ledger verifies, a new epoch begins.
#![allow(clippy::unwrap_used)]
use crate::bare::{Bare, app_on};
use db::testkit::TestDb;
use db::{Backend, Options, params};
use serde_json::json;
use server::migrations::MIGRATIONS;
use server::operations::backup as made;
use server::platform::{App, Ctx, Mark, Subject, ledger};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// While writers write: what gets the name of a backup was restored and read again whole, and what had been answered before is in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_writes_is_tried_before_it_counts() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let bare = Bare::new(backend).await;
        for n in 0..20 {
            set(&bare.app, &format!("before{n}")).await;
        }
        assert!(made::newest(&bare.app).await.unwrap().is_none());
        let over = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4)
            .map(|who| {
                let (app, over) = (bare.app.clone(), over.clone());
                tokio::spawn(async move {
                    let mut n = 0;
                    while !over.load(Ordering::SeqCst) {
                        set(&app, &format!("during{who}-{n}")).await;
                        n += 1;
                    }
                })
            })
            .collect();
        let file = bare.folder.path().join("copy.backup");
        // Left by one that was interrupted.
        std::fs::write(bare.folder.path().join("copy.backup.checking"), "half").unwrap();
        std::fs::create_dir(bare.folder.path().join("copy.backup.scratch")).unwrap();
        let done = made::make(&bare.app, &file).await;
        over.store(true, Ordering::SeqCst);
        for writer in writers {
            writer.await.unwrap();
        }
        let done = done.unwrap();
        assert!(done.records >= 20 && !done.sealed_opened, "{done:?}");
        assert!(made::newest(&bare.app).await.unwrap().is_some());
        let names: Vec<_> = std::fs::read_dir(bare.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("copy"))
            .collect();
        assert_eq!(names, ["copy.backup"]);
        let again = made::make(&bare.app, &file).await;
        assert!(matches!(again, Err(made::BackupError::Exists(_))), "{again:?}");
        bare.remove().await;
    }
}

/// A copy whose ledger does not verify never gets the name, and is not left behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_does_not_verify_is_not_one() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let bare = Bare::new(backend).await;
        set(&bare.app, "a").await;
        let tampered = bare
            .app
            .db()
            .write(|tx| tx.execute("update ledger_record set actor = 'account:x'", &params![]));
        tampered.await.unwrap_or_else(|error: db::DbError| panic!("{error}"));
        let file = bare.folder.path().join("copy.backup");
        let made = made::make(&bare.app, &file).await;
        assert!(matches!(made, Err(made::BackupError::NotWhole(_))), "{made:?}");
        let left = std::fs::read_dir(bare.folder.path()).unwrap();
        let left = left.filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with("copy")
        });
        assert_eq!(left.count(), 0);
        bare.remove().await;
    }
}
