use crate::bench::PeerResult;
use crate::bench::round::Round;

pub(super) fn median(peer: &PeerResult, figure: impl Fn(&Round) -> f64) -> f64 {
    let sorted = sorted(peer, figure);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1], sorted[middle]) } else { sorted[middle] }
}

/// `12.3 (12.0–13.1)`.
pub(super) fn spread(peer: &PeerResult, figure: impl Fn(&Round) -> f64 + Copy, decimals: usize) -> String {
    let (median, sorted) = (median(peer, figure), sorted(peer, figure));
    let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
    format!("{median:.decimals$} ({least:.decimals$}–{most:.decimals$})")
}

fn sorted(peer: &PeerResult, figure: impl Fn(&Round) -> f64) -> Vec<f64> {
    let mut figures: Vec<f64> = peer.rounds.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures
}

pub(super) fn mib(kib: u64) -> u64 {
    kib.div_ceil(1024)
}
