use laini_server::sandbox::world_answer;
use laini_wire::world::WorldAnswer;

use super::Place;
use crate::command::context::now;

/// Shows what the world is like.
pub(super) fn run(place: &Place) -> anyhow::Result<()> {
    place.out.data(&world_answer(&place.world()?, now()), |world| words(&place.name, world))
}

/// A world for people.
pub(super) fn words(app: &str, world: &WorldAnswer) -> String {
    let feed = if world.feed.running { "runs" } else { "is stopped" };
    format!(
        "world of   {app}\nclock      {} ({} s ahead)\nfeed       {feed}, complete until {}\nlines      {} of {}\n\
         events     {} of {}",
        world.clock.now,
        world.clock.ahead_s,
        world.feed.as_of,
        world.lines,
        world.lines_max,
        world.events,
        world.events_max
    )
}
