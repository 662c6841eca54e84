use jiff::Timestamp;
use laini_core::line::EventText;
use laini_core::store::FeedStatus;

/// The oldest of what each required feed is complete to; a feed that never said counts with the cut.
pub fn as_of(cut: Option<Timestamp>, required: &[EventText], feeds: &[FeedStatus]) -> Option<Timestamp> {
    let complete = |source: &EventText| {
        let heartbeat = feeds.iter().find(|feed| feed.source == *source).map(|feed| feed.complete_until);
        heartbeat.max(cut)
    };
    required.iter().map(complete).min().unwrap_or(cut)
}
