//! Probe.
macro_rules! P { ($($t:tt)*) => { { use std::io::Write; let _ = writeln!(std::io::stdout(), $($t)*); } } }
use pinfast::{event::*, index::*, solve::*};
use std::sync::Arc;
use std::time::Instant;
struct W(std::sync::atomic::AtomicU64, std::sync::atomic::AtomicU64);
impl Watcher for W {
    fn on(&self, e: Event) {
        match e {
            Event::RequestSent => {
                self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            Event::BytesReceived(n) => {
                self.1.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
            }
            Event::RequestDone => {}
            e => P!("{e:?}"),
        }
    }
}
fn main() {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap();
    let order = args.next().unwrap();
    let names: Vec<_> = args.map(|n| pinfast::spec::PackageName::new(&n).unwrap()).collect();
    let w = Arc::new(W(0.into(), 0.into()));
    let cfg = Config {
        indexes: vec![IndexUrl::parse(&url, std::path::Path::new("/tmp")).unwrap()],
        api_order: if order == "json" { ApiOrder::JsonFirst } else { ApiOrder::SimpleFirst },
        ..Default::default()
    };
    let t = Instant::now();
    let c = Client::new(cfg, w.clone());
    c.prefetch(&names.iter().map(|n| Want::Listing(n.clone())).collect::<Vec<_>>());
    let mut files = vec![];
    for n in &names {
        match c.listing(n) {
            Ok(Some(l)) => {
                let f = l
                    .releases
                    .iter()
                    .rev()
                    .find_map(|r| r.files.iter().find(|f| f.filename.ends_with(".whl")))
                    .or(l.releases.last().map(|r| &r.files[0]))
                    .cloned();
                P!(
                    "{n}: {} releases {} files {} warnings {:?} info={:?}",
                    l.releases.len(),
                    l.releases.iter().map(|r| r.files.len()).sum::<usize>(),
                    l.warnings.len(),
                    f.as_ref().map(|f| (&f.filename, f.metadata)),
                    l.info.as_ref().map(|i| i.version.to_string())
                );
                for w in l.warnings.iter().take(3) {
                    P!("   {w}");
                }
                files.extend(f);
            }
            Ok(None) => P!("{n}: unknown"),
            Err(e) => P!("{n}: {e} {:?}", e.hints),
        }
    }
    P!("listings {:?} requests {:?} bytes {:?}", t.elapsed(), w.0, w.1);
    let t = Instant::now();
    c.prefetch(&files.iter().map(|f| Want::Metadata(f.clone(), Trust::File)).collect::<Vec<_>>());
    for f in &files {
        match c.metadata(f, Trust::File) {
            Ok(m) => P!("{} {}: {} requires", m.name, m.version, m.requires.len()),
            Err(e) => P!("{}: {e:?}", f.filename),
        }
        let r = c.metadata(f, Trust::Release);
        P!("   {:?}", r.map(|m| (m.source, m.requires.len())));
    }
    P!("metadata {:?} requests {:?} bytes {:?}", t.elapsed(), w.0, w.1);
}
