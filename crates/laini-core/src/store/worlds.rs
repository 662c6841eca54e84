use jiff::Timestamp;

use super::BoxFuture;
use crate::partner::AppId;
use crate::sandbox::{World, WorldRefusal};

/// The private worlds of sandbox apps. Made-up lines only, so a power cut may take the newest changes.
///
/// Every method may be called from several processes; the engine serialises changes of one world.
pub trait WorldStore: Send + Sync {
    /// Grows with every change of any world, whoever made it; cheap enough to ask several times a second.
    fn version(&self) -> BoxFuture<'_, Result<u64, WorldsError>>;

    /// The version of the newest change of this app's world; `None` where it has none. As cheap.
    fn version_of(&self, app: AppId) -> BoxFuture<'_, Result<Option<u64>, WorldsError>>;

    /// This app's world; `None` where it has none.
    fn load(&self, app: AppId) -> BoxFuture<'_, Result<Option<World>, WorldsError>>;

    /// Changes this app's world, from an empty one where it has none, or leaves it as it was where `change`
    /// refuses. `change` may be called again where the change must be repeated.
    fn change(&self, app: AppId, now: Timestamp, change: WorldChange) -> BoxFuture<'_, Result<Changed, WorldsError>>;

    /// Notes that this app's world is in use; no new version.
    fn touch(&self, app: AppId, now: Timestamp) -> BoxFuture<'_, Result<(), WorldsError>>;

    /// Forgets worlds, at most `limit`, that were last changed or touched before `idle_since`; how many.
    fn purge(&self, idle_since: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, WorldsError>>;
}

/// What is done to a world.
pub type WorldChange = Box<dyn Fn(&mut World) -> Result<(), WorldRefusal> + Send + Sync>;

/// A changed world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// [`WorldStore::version`] from this change on.
    pub version: u64,
    /// As it is now.
    pub world: World,
}

/// Why a world could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum WorldsError {
    /// The world cannot be changed like that.
    #[error(transparent)]
    Refused(#[from] WorldRefusal),
    /// The engine failed.
    #[error("the sandbox worlds cannot be read or written: {0}")]
    Engine(String),
}
