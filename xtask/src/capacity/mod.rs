//! How many machines an installation needs, and what gives way first: a calculation from measured figures.
//!
//! Owns the model that docs/guide/scale.md quotes. Must never measure anything itself, or hide an assumption.

mod demand;
mod measured;
mod plan;
mod queue;
mod table;

use anyhow::{Result, bail};

use plan::Plan;

/// Prints the plan of the demand that the options name, or of the guide's three.
pub(crate) fn run(options: &[String]) -> Result<()> {
    let (demand, settings) = demand::read(options)?;
    let demands = demand.map_or_else(|| demand::EXAMPLES.to_vec(), |demand| vec![demand]);
    let plans: Vec<Plan> = demands.iter().map(|demand| Plan::of(*demand, &settings)).collect();
    println!("{}", table::assumptions(&settings));
    println!("{}", table::plans(&plans));
    let Some(last) = plans.last() else { bail!("there is nothing to plan for") };
    println!("{}", table::loads(last, &settings));
    Ok(())
}
