use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::SystemTime;

use super::*;
use crate::store::Op;
use crate::store::tests::house;

struct House {
    backups: Backups,
    folder: PathBuf,
    settings: Settings,
    opened: crate::store::Opened,
    _dir: tempfile::TempDir,
}

fn house() -> House {
    let dir = tempfile::tempdir().unwrap();
    let options = house::options(&dir.path().join("data"));
    let folder = dir.path().join("backups");
    let settings = Settings {
        directory: folder.clone(),
        every: Duration::from_secs(86_400),
        keep: 2,
        min_free: 1 << 20,
        scratch: options.clone(),
        verifier: Verifier::Inside,
    };
    let opened = crate::store::open(&options, Wall(1000)).unwrap();
    House {
        backups: room(&opened, &settings),
        folder,
        settings,
        opened,
        _dir: dir,
    }
}

fn room(opened: &crate::store::Opened, settings: &Settings) -> Backups {
    let (store, committer) = (opened.store.clone(), opened.committer.clone());
    Backups::new(store, committer, Drain::new(), settings.clone()).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn one_is_made_listed_verified_and_deleted() {
    let house = house();
    let backups = &house.backups;
    assert!(backups.list().await.unwrap().is_empty());
    assert_eq!(backups.last_success(), None);
    house
        .opened
        .committer
        .commit(vec![Op::Probe(7)])
        .await
        .unwrap();

    let made = backups.make(Kind::ByHand).await.unwrap();
    let name = &made.entry.name;
    let path = house.folder.join(name);
    assert!(name.starts_with("emflow-20") && made.verdict.is_none());
    assert_eq!(backups.last_success(), made.entry.made());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&house.folder), mode(&path)), (0o700, 0o600));

    let verified = backups.verify(name).await.unwrap();
    assert_eq!(verified.verdict.as_ref().unwrap().fault, None);
    assert_eq!(names(&house.folder), [name.clone()], "the scratch is gone");

    // Known after a restart.
    let again = room(&house.opened, &house.settings);
    let listed = again.list().await.unwrap();
    assert_eq!(listed[0].verdict, verified.verdict);
    assert_eq!(again.last_success(), made.entry.made());

    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let harmed = backups.verify(name).await.unwrap();
    let fault = harmed.verdict.unwrap().fault.unwrap();
    assert!(fault.contains("damaged"), "{fault}");

    // Another file of the name has no verdict, and one that is none says so.
    fs::write(&path, "something").unwrap();
    let listed = backups.list().await.unwrap();
    assert_eq!(listed[0].verdict, None);
    assert!(
        listed[0]
            .entry
            .head
            .as_ref()
            .unwrap_err()
            .contains("not a backup")
    );

    backups.delete(name).await.unwrap();
    assert!(names(&house.folder).is_empty());
    assert_eq!(backups.last_success(), None);
}

#[tokio::test]
async fn a_name_leads_nowhere_else() {
    let house = house();
    let outside = house.folder.with_file_name("x.emflow-backup");
    fs::create_dir_all(&house.folder).unwrap();
    fs::write(&outside, "kept").unwrap();
    std::os::unix::fs::symlink(&outside, house.folder.join("link.emflow-backup")).unwrap();
    for name in [
        "",
        "..",
        "../x.emflow-backup",
        "..%2fx.emflow-backup",
        "/etc/passwd",
        ".emflow-backup",
        ".hidden.emflow-backup",
        "link.emflow-backup",
        "absent.emflow-backup",
        "a\0.emflow-backup",
    ] {
        let unknown = |error| matches!(error, BackupError::Unknown(_));
        assert!(
            unknown(house.backups.delete(name).await.unwrap_err()),
            "{name:?}"
        );
        assert!(
            unknown(house.backups.open(name).await.unwrap_err()),
            "{name:?}"
        );
        assert!(
            unknown(house.backups.verify(name).await.unwrap_err()),
            "{name:?}"
        );
    }
    assert_eq!(fs::read_to_string(outside).unwrap(), "kept");
}

#[tokio::test]
async fn of_those_by_plan_the_newest_stay_and_of_those_by_hand_all() {
    let house = house();
    let by_hand = house.backups.make(Kind::ByHand).await.unwrap().entry.name;
    for _ in 0..4 {
        house.backups.scheduled().await;
    }
    let held = house.backups.list().await.unwrap();
    assert_eq!(held.len(), 3);
    assert_eq!(held[2].entry.name, by_hand);
    for scheduled in &held[..2] {
        assert!(scheduled.entry.name.starts_with("scheduled-"));
        assert_eq!(scheduled.verdict.as_ref().unwrap().fault, None);
    }
    let status = house.backups.status(clock::wall());
    assert_eq!((status.made, status.failures), (5, 0));
    assert_eq!(status.last_success, held[0].entry.made());
    assert_eq!(
        status.next,
        status.last_success.map(|at| at.plus(house.settings.every))
    );
}

#[tokio::test]
async fn the_room_that_the_store_needs_is_not_taken() {
    // req: D8
    let check = |min_free, total, least| assert_eq!(least_free(min_free, total), least);
    check(64, 1000, 128);
    check(64, 200, 100);
    check(u64::MAX, 200, 100);
    let house = house();
    fs::create_dir_all(&house.folder).unwrap();
    let (free, _) = folder::space(&house.folder).unwrap();
    house.backups.room(0).unwrap();
    let error = house.backups.room(free).unwrap_err().to_string();
    assert!(
        error.contains("must stay free") && error.contains("`backup.directory`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_failure_is_counted_and_shown_until_one_succeeds() {
    let house = house();
    fs::write(&house.folder, "no directory").unwrap();
    let error = house.backups.make(Kind::Scheduled).await.unwrap_err();
    let status = house.backups.status(clock::wall());
    assert_eq!((status.made, status.failures), (0, 1));
    assert_eq!(status.failure.unwrap().1, error.to_string());
    // The plan waits before it tries again.
    assert!(
        !house
            .backups
            .lock()
            .schedule
            .due(clock::wall(), clock::now())
    );
    fs::remove_file(&house.folder).unwrap();
    house.backups.make(Kind::Scheduled).await.unwrap();
    let status = house.backups.status(clock::wall());
    assert_eq!((status.made, status.failures, status.failure), (1, 1, None));
}

#[tokio::test]
async fn one_at_a_time_and_not_without_end() {
    let house = house();
    let held = house.backups.0.busy.try_lock().unwrap();
    let refused = house.backups.make(Kind::ByHand).await.unwrap_err();
    assert!(is_busy(&refused), "{refused}");
    assert!(is_busy(
        &house.backups.verify("a.emflow-backup").await.unwrap_err()
    ));
    drop(held);
    fs::create_dir_all(&house.folder).unwrap();
    for n in 0..BY_HAND_MAX {
        fs::write(house.folder.join(format!("emflow-{n}.emflow-backup")), "").unwrap();
    }
    let refused = house.backups.make(Kind::ByHand).await.unwrap_err();
    assert!(matches!(refused, BackupError::TooMany(..)), "{refused}");
    // That is nobody's failure, and no reason for the plan to stop.
    assert_eq!(house.backups.status(Wall(0)).failures, 0);
    house.backups.make(Kind::Scheduled).await.unwrap();
    house.backups.0.drain.advance(Phase::Draining);
    let refused = house.backups.make(Kind::Scheduled).await.unwrap_err();
    assert!(matches!(refused, BackupError::Stopping), "{refused}");
    assert_eq!(names(&house.folder).len(), BY_HAND_MAX + 1);
}

#[tokio::test]
async fn what_a_killed_process_left_behind_goes() {
    let house = house();
    let old = SystemTime::now() - 2 * Duration::from_secs(3600);
    fs::create_dir_all(house.folder.join(".emflow-verify-old/sled")).unwrap();
    for name in [".unfinished-old", ".unfinished-new", "notes.txt"] {
        fs::write(house.folder.join(name), "x").unwrap();
    }
    for name in [".unfinished-old", ".emflow-verify-old", "notes.txt"] {
        let file = fs::File::open(house.folder.join(name)).unwrap();
        file.set_modified(old).unwrap();
    }
    let made = house.backups.make(Kind::ByHand).await.unwrap();
    let left = names(&house.folder);
    assert_eq!(left, [".unfinished-new", &made.entry.name, "notes.txt"]);
}
