//! The folder of the cache.

use std::path::PathBuf;

use super::ProcessEnv;

/// The cache's folder: `PINFAST_CACHE_DIR`, else that of the settings, else `XDG_CACHE_HOME/pinfast`, else the
/// platform's usual place. `None` without a home folder: then pinfast runs without a cache.
#[must_use]
pub fn cache_folder(env: &ProcessEnv, settings: Option<PathBuf>) -> Option<PathBuf> {
    env.path("PINFAST_CACHE_DIR").or(settings).or_else(|| base(env).map(|folder| folder.join("pinfast")))
}

/// The folder for the caches of all programs. A relative `XDG_CACHE_HOME` is ignored, as the XDG Base Directory
/// Specification requires.
fn base(env: &ProcessEnv) -> Option<PathBuf> {
    let xdg = env.variable("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = |rest: &str| env.home().map(|home| home.join(rest));
    xdg.or_else(|| {
        if cfg!(windows) {
            env.path("LOCALAPPDATA").or_else(|| home("AppData/Local"))
        } else if cfg!(target_os = "macos") {
            home("Library/Caches")
        } else {
            home(".cache")
        }
    })
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_source_sets_the_folder() {
        let bare = ProcessEnv::empty("/w");
        assert_eq!(cache_folder(&bare, None), None);
        let home = bare.with_home("/h");
        let usual = if cfg!(target_os = "macos") { "/h/Library/Caches/pinfast" } else { "/h/.cache/pinfast" };
        assert_eq!(cache_folder(&home, None), Some(usual.into()));
        assert_eq!(cache_folder(&home.clone().with("XDG_CACHE_HOME", "rel"), None), Some(usual.into()));
        let xdg = home.with("XDG_CACHE_HOME", "/x");
        assert_eq!(cache_folder(&xdg, None), Some("/x/pinfast".into()));
        assert_eq!(cache_folder(&xdg, Some("/s".into())), Some("/s".into()));
        assert_eq!(cache_folder(&xdg.with("PINFAST_CACHE_DIR", "c"), Some("/s".into())), Some("/w/c".into()));
    }
}
