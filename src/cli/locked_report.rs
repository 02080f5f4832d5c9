//! What `pinfast lock` did, as the document of `docs/json.md`.

use serde_json::{Value, json};

use pinfast_lock::Pin;
use pinfast_ops::LockPlace;
use pinfast_ops::downgrades::{Distance, Downgrade};
use pinfast_ops::held_back::HeldBack;
use pinfast_ops::lock::{LockFileState, Locked};

pub(super) fn document(locked: &Locked, place: &LockPlace) -> Value {
    let file = match place {
        LockPlace::File(path) => Some(path.display().to_string()),
        LockPlace::StandardOutput => None,
    };
    json!({
        "schema": 2,
        "file": file,
        "changed": locked.state == LockFileState::New,
        "kept": locked.state == LockFileState::Fresh,
        "pins": locked.lock.pins.iter().map(pin).collect::<Vec<_>>(),
        "changes": locked.changes.as_ref().map(|changes| changes.report().changes),
        "held_back": locked.held_back.iter().map(held_back).collect::<Vec<_>>(),
        "downgrades": locked.downgrades.iter().map(downgrade).collect::<Vec<_>>(),
        "warnings": locked.warnings,
    })
}

fn pin(pin: &Pin) -> Value {
    json!({
        "name": pin.name.as_str(),
        "version": pin.version.to_string(),
        "marker": (!pin.marker.is_always()).then(|| pin.marker.to_string()),
        "url": pin.url.as_ref().map(ToString::to_string),
        "hashes": pin.hashes.iter().map(|hash| format!("sha256:{hash}")).collect::<Vec<_>>(),
        "via": pin.via.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn held_back(held: &HeldBack) -> Value {
    json!({
        "name": held.name.as_str(),
        "chosen": held.chosen.to_string(),
        "newest": held.newest.to_string(),
        "by": held.by,
        "distance": held.distance.map(|distance| json!({ "years": years(distance) })),
    })
}

fn downgrade(downgrade: &Downgrade) -> Value {
    json!({
        "name": downgrade.name.as_str(),
        "old": downgrade.old.to_string(),
        "new": downgrade.new.to_string(),
        "years": years(downgrade.distance),
    })
}

fn years(distance: Distance) -> Option<i64> {
    match distance {
        Distance::Major => None,
        Distance::Years(years) => Some(years),
    }
}
