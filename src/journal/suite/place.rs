//! Where a journal of a test lies: in a directory of its own, or in a database of its own.

use std::path::Path;

use tempfile::TempDir;

/// A place that is new to everything, and goes with the test.
pub(crate) trait Place: Sync {
    /// Cases that a property is tried on.
    const CASES: u32;
    fn fresh() -> Self;
    fn path(&self) -> &Path;
}

impl Place for TempDir {
    const CASES: u32 = 8;

    fn fresh() -> Self {
        tempfile::tempdir().unwrap()
    }

    fn path(&self) -> &Path {
        self.path()
    }
}

#[cfg(feature = "postgres")]
pub(crate) use database::{Database, is_there};

#[cfg(feature = "postgres")]
mod database {
    use std::io::Write as _;
    use std::path::{Path, PathBuf};
    use std::sync::Once;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio_postgres::NoTls;

    use super::Place;

    /// The server of the tests, with a role that may make databases.
    const SERVER: &str = "DIALER_TEST_POSTGRES";

    /// Whether there is a server to test on; if not, that is said.
    pub(crate) fn is_there() -> bool {
        static TOLD: Once = Once::new();
        let there = std::env::var(SERVER).is_ok();
        if !there {
            // Not by the macro, whose words are shown of tests that fail alone.
            let words = format!("skipped: no PostgreSQL to test on; {SERVER}=postgres://ROLE@HOST/DATABASE names one");
            TOLD.call_once(|| drop(writeln!(std::io::stderr(), "{words}")));
        }
        there
    }

    /// A database on that server.
    pub(crate) struct Database {
        name: String,
        url: PathBuf,
    }

    impl Place for Database {
        const CASES: u32 = 2;

        fn fresh() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let name = format!("dialer_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            admin(&format!("CREATE DATABASE {name}"));
            let server = std::env::var(SERVER).unwrap();
            let (server, _) = server.rsplit_once('/').unwrap();
            let url = format!("{server}/{name}").into();
            Self { name, url }
        }

        fn path(&self) -> &Path {
            &self.url
        }
    }

    impl Drop for Database {
        fn drop(&mut self) {
            admin(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }

    fn admin(sql: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&std::env::var(SERVER).unwrap(), NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap();
        });
    }
}
