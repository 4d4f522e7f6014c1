//! A path or URL → an open ledger, its schema up to date. Deliberately absent: what the tables mean.
//!
//! Whoever writes takes a turn: the first statement of each transaction updates one row, so that SQLite and PostgreSQL
//! alike let one writer in after another, and nothing that was read before is stale.

use std::path::Path;
use std::time::Duration;

use sqlx::any::AnyConnectOptions;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, ConnectOptions as _, Connection as _, Row as _, SqlSafeStr as _};
use tokio::runtime::Runtime;

use crate::error::{Error, Result, WAIT_SECONDS, told, told_of_migration};

/// The schema that this program knows.
pub const SCHEMA: i64 = 2;

/// An open ledger: SQLite in a file, or PostgreSQL. Calls wait until they are done.
pub struct Ledger {
    runtime: Runtime,
    db: AnyConnection,
    at: String,
    file: bool,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens it, and makes it where there is none. `at` is a path, or `postgres://…`.
    pub fn open(at: &str) -> Result<Self> {
        Self::connect(at, true)
    }

    /// For whoever only looks: a ledger that is not there is an error.
    pub fn open_existing(at: &str) -> Result<Self> {
        Self::connect(at, false)
    }

    fn connect(at: &str, create: bool) -> Result<Self> {
        let (url, file) = url(at, create)?;
        let at = shown(at);
        let open = |what: String| Error::Open { at: at.clone(), what };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| open(error.to_string()))?;
        sqlx::any::install_default_drivers();
        let options: AnyConnectOptions = url.parse().map_err(|error| told(&at, error))?;
        let connect = async {
            let mut db = options.connect().await.map_err(|error| told(&at, error))?;
            let patience = if file {
                format!("PRAGMA busy_timeout = {}", WAIT_SECONDS * 1000)
            } else {
                format!("SET lock_timeout = '{WAIT_SECONDS}s'")
            };
            sqlx::raw_sql(sqlx::AssertSqlSafe(patience)).execute(&mut db).await.map_err(|error| told(&at, error))?;
            migrate(&mut db, &at).await?;
            Ok(db)
        };
        // A timer belongs to a runtime: it is made inside.
        let connected =
            runtime.block_on(async { tokio::time::timeout(Duration::from_secs(3 * WAIT_SECONDS), connect).await });
        let db = connected.map_err(|_| open(format!("no answer within {} s", 3 * WAIT_SECONDS)))??;
        Ok(Self { runtime, db, at, file })
    }

    /// Where it is, without the password.
    pub fn at(&self) -> &str {
        &self.at
    }

    pub fn is_file(&self) -> bool {
        self.file
    }

    /// Looks something up.
    pub(crate) fn read<T>(&mut self, look: impl AsyncFnOnce(&mut AnyConnection) -> sqlx::Result<T>) -> Result<T> {
        let Self { runtime, db, at, .. } = self;
        runtime.block_on(look(db)).map_err(|error| told(at, error))
    }

    /// Changes something, all of it or nothing, while nobody else writes.
    pub(crate) fn write<T>(&mut self, change: impl AsyncFnOnce(&mut AnyConnection) -> Written<T>) -> Result<T> {
        let Self { runtime, db, at, .. } = self;
        let done = async {
            let mut turn = db.begin().await?;
            sqlx::query("UPDATE turn SET taken = taken + 1 WHERE id = 1").execute(&mut *turn).await?;
            match change(&mut turn).await {
                Ok(value) => {
                    turn.commit().await?;
                    Ok(value)
                }
                Err(error) => {
                    // Where the disk is full, the database has done so itself, and says that it has nothing to do.
                    let _ = turn.rollback().await;
                    Err(error)
                }
            }
        };
        runtime.block_on(done).map_err(|error| match error {
            Stopped::Database(error) => told(at, error),
            Stopped::Refused(error) => error,
        })
    }

    /// Whether the file is whole: nothing, or what is wrong with it.
    pub fn check(&mut self) -> Result<Vec<String>> {
        if !self.file {
            // PostgreSQL checks its pages itself.
            return Ok(Vec::new());
        }
        self.read(async |db| {
            let rows = sqlx::query("PRAGMA integrity_check(20)").fetch_all(db).await?;
            let rows = rows.iter().map(|it| it.try_get::<String, _>(0)).collect::<sqlx::Result<Vec<_>>>()?;
            Ok(rows.into_iter().filter(|it| it != "ok").collect())
        })
    }

    /// A whole copy, made while others may write. The file must not be there yet.
    pub fn backup(&mut self, to: &Path) -> Result<()> {
        if !self.file {
            return Err(Error::Other { at: self.at.clone(), what: "back up PostgreSQL with pg_dump".to_owned() });
        }
        if to.exists() {
            return Err(Error::Other { at: self.at.clone(), what: format!("{} is already there", to.display()) });
        }
        let to = to.to_string_lossy().into_owned();
        self.read(async |db| sqlx::query("VACUUM INTO $1").bind(to).execute(db).await.map(|_| ()))
    }

    /// Ends the connection; what was written is written already.
    pub fn close(self) {
        let Self { runtime, db, .. } = self;
        // Nothing is left to lose.
        let _ = runtime.block_on(db.close());
    }

    /// For tests: takes the turn and keeps it.
    #[doc(hidden)]
    pub fn hold_for_test(&mut self) -> Result<()> {
        self.read(async |db| {
            sqlx::raw_sql("BEGIN").execute(&mut *db).await?;
            sqlx::raw_sql("UPDATE turn SET taken = taken + 1 WHERE id = 1").execute(db).await.map(|_| ())
        })
    }

    /// For tests: waits a tenth of a second for others.
    #[doc(hidden)]
    pub fn be_impatient_for_test(&mut self) -> Result<()> {
        let sql = if self.file { "PRAGMA busy_timeout = 100" } else { "SET lock_timeout = '100ms'" };
        self.read(async |db| sqlx::raw_sql(sql).execute(db).await.map(|_| ()))
    }

    #[cfg(test)]
    pub(crate) fn raw(&mut self, sql: &'static str) -> Result<()> {
        self.read(async |db| sqlx::raw_sql(sql).execute(db).await.map(|_| ()))
    }
}

/// What a change came to.
pub(crate) type Written<T> = std::result::Result<T, Stopped>;

pub(crate) enum Stopped {
    Database(sqlx::Error),
    Refused(Error),
}

impl From<sqlx::Error> for Stopped {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}
impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

async fn migrate(db: &mut AnyConnection, at: &str) -> Result<()> {
    let one = |version: i64, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let migrator = Migrator::with_migrations(vec![
        one(1, "ledger", include_str!("../migrations/0001_ledger.sql")),
        one(2, "activity", include_str!("../migrations/0002_activity.sql")),
    ]);
    if let Err(first) = migrator.run(&mut *db).await {
        // Two that start a ledger at once: the other one made the tables, and this one finds them.
        migrator.run(&mut *db).await.map_err(|_| told_of_migration(at, first, SCHEMA))?;
    }
    Ok(())
}

/// The URL that the driver understands, and whether it is a file.
fn url(at: &str, create: bool) -> Result<(String, bool)> {
    if at.starts_with("postgres://") || at.starts_with("postgresql://") {
        return Ok((at.to_owned(), false));
    }
    if at.contains("://") && !at.starts_with("sqlite://") {
        let what = "write a path, or postgres://user:password@host/database".to_owned();
        return Err(Error::Open { at: shown(at), what });
    }
    let path = at.strip_prefix("sqlite://").unwrap_or(at);
    if path.is_empty() {
        return Err(Error::Open { at: at.to_owned(), what: "the path is empty".to_owned() });
    }
    if Path::new(path).is_dir() {
        return Err(Error::Open { at: at.to_owned(), what: "that is a folder: write the path of a file".to_owned() });
    }
    if !create && !Path::new(path).exists() {
        return Err(Error::Absent { at: at.to_owned() });
    }
    let mut url = String::from("sqlite://");
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url.push_str(if create { "?mode=rwc" } else { "?mode=rw" });
    Ok((url, true))
}

/// A URL without its password.
fn shown(at: &str) -> String {
    let Some((scheme, rest)) = at.split_once("://") else { return at.to_owned() };
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
        None => at.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(dir: &tempfile::TempDir, name: &str) -> String {
        dir.path().join(name).to_string_lossy().into_owned()
    }

    #[test]
    fn a_path_may_have_any_characters_and_a_password_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let at = ledger(&dir, "a b?c#d%41é.db");
        Ledger::open(&at).unwrap().close();
        assert!(Path::new(&at).is_file());
        assert_eq!(shown("postgres://ann:secret@db.test/x"), "postgres://ann@db.test/x");
        let error = Ledger::open("mysql://ann:secret@db.test/x").unwrap_err().to_string();
        assert!(error.contains("write a path, or postgres://") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_a_ledger_is_said_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let absent = ledger(&dir, "absent.db");
        let error = Ledger::open_existing(&absent).unwrap_err().to_string();
        assert!(error.starts_with("there is no ledger at") && !Path::new(&absent).exists(), "{error}");

        let garbage = ledger(&dir, "garbage.db");
        std::fs::write(&garbage, "not a database at all, but long enough to be one: ".repeat(100)).unwrap();
        let error = Ledger::open(&garbage).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("put a backup in its place"), "{error}");

        let newer = ledger(&dir, "newer.db");
        let mut it = Ledger::open(&newer).unwrap();
        it.raw("INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) VALUES (7, 'x', '2030-01-01 00:00:00', 1, x'00', 1)").unwrap();
        it.close();
        let error = Ledger::open(&newer).unwrap_err();
        assert!(matches!(error, Error::Newer { found: 7, known: SCHEMA, .. }), "{error}");

        let error = Ledger::open(&dir.path().to_string_lossy()).unwrap_err().to_string();
        assert!(error.contains("that is a folder"), "{error}");
    }

    #[test]
    fn a_page_that_was_overwritten_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let at = ledger(&dir, "torn.db");
        Ledger::open(&at).unwrap().close();
        let mut bytes = std::fs::read(&at).unwrap();
        let from = bytes.len() / 2;
        bytes[from..].fill(0xa5);
        std::fs::write(&at, bytes).unwrap();
        // Where the damage is not on the way, opening does not meet it; the check does.
        match Ledger::open(&at) {
            Err(error) => assert!(matches!(error, Error::Damaged { .. }), "{error}"),
            Ok(mut it) => match it.check() {
                Err(error) => assert!(matches!(error, Error::Damaged { .. }), "{error}"),
                Ok(found) => assert!(!found.is_empty()),
            },
        }
    }

    #[test]
    fn a_full_disk_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let at = ledger(&dir, "full.db");
        let mut it = Ledger::open(&at).unwrap();
        // As if the disk ended where the file does.
        it.raw("PRAGMA max_page_count = 1").unwrap();
        let error = it
            .write(async |db| {
                for n in 0..2000i64 {
                    sqlx::query("INSERT INTO places (pattern, tenant, region) VALUES ($1, $2, '')")
                        .bind(format!("host-{n}"))
                        .bind("x".repeat(1000))
                        .execute(&mut *db)
                        .await?;
                }
                Ok(())
            })
            .unwrap_err();
        assert!(matches!(error, Error::Full { .. }), "{error}");
        let count = it.read(async |db| sqlx::query("SELECT COUNT(*) FROM places").fetch_one(db).await).unwrap();
        assert_eq!(count.get::<i64, _>(0), 0);
    }

    #[test]
    fn a_backup_is_a_ledger() {
        let dir = tempfile::tempdir().unwrap();
        let mut it = Ledger::open(&ledger(&dir, "a.db")).unwrap();
        let copy = dir.path().join("copy.db");
        it.backup(&copy).unwrap();
        assert!(it.backup(&copy).is_err());
        assert_eq!(Ledger::open_existing(&copy.to_string_lossy()).unwrap().check().unwrap(), Vec::<String>::new());
    }
}
