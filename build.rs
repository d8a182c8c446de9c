//! Tells a release build the commit that it is made from. Other builds do without, so that a commit rebuilds nothing.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    if std::env::var("PROFILE").as_deref() != Ok("release") {
        return;
    }
    let Some((commit, changes_with)) = commit(Path::new(&root)) else { return };
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo::rustc-env=DIALER_VERSION={version} ({commit})");
    println!("cargo::rerun-if-changed={changes_with}");
}

/// The commit of a working tree, and a file that changes with it; none for a tree that is no repository of its own, as
/// from a tarball, and where there is no git.
pub(crate) fn commit(root: &Path) -> Option<(String, String)> {
    if !root.join(".git").exists() {
        return None;
    }
    let git = |words: &[&str]| {
        let output = Command::new("git").arg("-C").arg(root).args(words).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    };
    let commit = git(&["rev-parse", "--short=10", "HEAD"])?;
    // Each commit and each checkout adds a line to the log of HEAD; a repository that keeps none has HEAD at least.
    let path = |name: &str| git(&["rev-parse", "--git-path", name]).map(|path| root.join(path));
    let changes_with = path("logs/HEAD").filter(|log| log.exists()).or_else(|| path("HEAD"))?;
    Some((commit, changes_with.display().to_string()))
}
