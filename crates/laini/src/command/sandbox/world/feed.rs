use clap::Subcommand;
use laini_server::sandbox::world_answer;

use super::Place;
use super::show::words;
use crate::command::context::now;

/// What to do with the feed.
#[derive(Clone, Copy, PartialEq, Eq, Subcommand)]
pub(super) enum FeedCommand {
    /// Stop it: nothing new is told, and the as-of stays.
    Stop,
    /// Start it again.
    Start,
}

/// Stops or starts the feed.
pub(super) fn run(place: &Place, command: FeedCommand) -> anyhow::Result<()> {
    let world = place.change(move |world, moment| {
        match command {
            FeedCommand::Stop => world.stop_feed(moment),
            FeedCommand::Start => world.start_feed(),
        }
        Ok(())
    })?;
    place.out.data(&world_answer(&world, now()), |world| words(&place.name, world))
}
