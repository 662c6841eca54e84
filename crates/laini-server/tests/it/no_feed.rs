//! A feed that takes everything and remembers nothing: what the registry does with it, the engine's own
//! tests and those of the whole product show.

use jiff::Timestamp;
use laini_core::line::{Event, EventText, LineState, Msisdn};
use laini_core::store::{
    BoxFuture, FeedError, FeedItem, FeedResult, KeptLine, RecordedPage, RecordedQuery, RegistryFeed, RegistryStatus,
    RejectCursor, RejectId, RejectPage, SnapshotLoad, SnapshotPlan,
};

pub(crate) struct NoFeed;

fn ready<T: Send + 'static>(value: T) -> BoxFuture<'static, Result<T, FeedError>> {
    Box::pin(std::future::ready(Ok(value)))
}

impl RegistryFeed for NoFeed {
    fn begin_snapshot(&self, _: SnapshotPlan) -> BoxFuture<'_, Result<Box<dyn SnapshotLoad>, FeedError>> {
        Box::pin(std::future::ready(Err(FeedError::Busy)))
    }

    fn record(&self, items: Vec<FeedItem>, _: Timestamp) -> BoxFuture<'_, Result<Vec<FeedResult>, FeedError>> {
        let result = |item: &FeedItem| match item {
            FeedItem::Refused { .. } => FeedResult::Unreadable,
            FeedItem::Event(_) | FeedItem::Heartbeat { .. } => FeedResult::Accepted,
        };
        ready(items.iter().map(result).collect())
    }

    fn require(&self, _: Vec<EventText>) {}

    fn status(&self) -> BoxFuture<'_, Result<RegistryStatus, FeedError>> {
        ready(RegistryStatus::default())
    }

    fn scan(&self, _: Option<Msisdn>, _: usize) -> BoxFuture<'_, Result<Vec<(Msisdn, LineState)>, FeedError>> {
        ready(Vec::new())
    }

    fn history(&self, _: Msisdn) -> BoxFuture<'_, Result<Vec<Event>, FeedError>> {
        ready(Vec::new())
    }

    fn recorded(&self, _: RecordedQuery) -> BoxFuture<'_, Result<RecordedPage, FeedError>> {
        ready(RecordedPage::default())
    }

    fn rejects(&self, _: RejectCursor, _: usize) -> BoxFuture<'_, Result<RejectPage, FeedError>> {
        ready(RejectPage { rejects: Vec::new(), next: None })
    }

    fn kept_lines(&self, _: Option<RejectId>, _: usize) -> BoxFuture<'_, Result<Vec<KeptLine>, FeedError>> {
        ready(Vec::new())
    }

    fn settle(&self, _: RejectId, _: FeedItem, _: Timestamp) -> BoxFuture<'_, Result<Option<FeedResult>, FeedError>> {
        ready(None)
    }
}
