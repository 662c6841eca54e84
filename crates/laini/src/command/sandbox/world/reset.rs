use laini_server::sandbox::world_answer;

use super::Place;
use super::show::words;
use crate::command::context::now;

/// Makes the world as a fresh one.
pub(super) fn run(place: &Place) -> anyhow::Result<()> {
    let world = place.change(|world, _| {
        world.reset();
        Ok(())
    })?;
    place.out.data(&world_answer(&world, now()), |world| words(&place.name, world))
}
