//! `laini sandbox world …`: the same as the world API, on the data directory.
//!
//! Owns how a world is shown and changed by command. Must never change the world of an app of production.

mod advance;
mod event;
mod feed;
mod line;
mod reset;
mod show;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use laini_core::line::{Msisdn, NumberPlan};
use laini_core::partner::{App, AppId, Environment};
use laini_core::sandbox::{Moment, World, WorldRefusal};
use laini_core::store::{AccountBook, WorldStore};
use laini_office::apps::VISITORS;
use std::sync::Arc;

use crate::command::Context;
use crate::command::app::find;
use crate::command::context::{block_on, now};
use crate::failure::WithHint as _;
use crate::out::Out;

/// `laini sandbox world`
#[derive(Args)]
pub(crate) struct WorldArgs {
    #[command(subcommand)]
    command: WorldCommand,
    /// The sandbox app: its id, consumer key or name; needed where there are several.
    #[arg(long, global = true)]
    app: Option<String>,
}

/// What to do with a world.
#[derive(Subcommand)]
enum WorldCommand {
    /// What the world is like: its clock, its feed, how many lines and events.
    Show,
    /// Its own lines.
    #[command(subcommand)]
    Line(line::LineCommand),
    /// Let something happen to a line.
    Event(event::EventArgs),
    /// Move its clock on.
    Advance(advance::AdvanceArgs),
    /// Stop or start its feed.
    #[command(subcommand)]
    Feed(feed::FeedCommand),
    /// Make it as a fresh one: no lines, no events, real time.
    Reset,
}

/// Runs one of them.
pub(crate) fn run(context: &Context, args: &WorldArgs) -> anyhow::Result<()> {
    let place = Place::open(context, args.app.as_deref())?;
    match &args.command {
        WorldCommand::Show => show::run(&place),
        WorldCommand::Line(command) => line::run(&place, command),
        WorldCommand::Event(args) => event::run(&place, args),
        WorldCommand::Advance(args) => advance::run(&place, args),
        WorldCommand::Feed(command) => feed::run(&place, *command),
        WorldCommand::Reset => reset::run(&place),
    }
}

/// One app's world in its data directory.
struct Place {
    out: Out,
    store: Arc<dyn WorldStore>,
    app: AppId,
    name: String,
    plan: NumberPlan,
    zone: TimeZone,
}

impl Place {
    fn open(context: &Context, app: Option<&str>) -> anyhow::Result<Self> {
        let (house, config) = context.house()?;
        let book = block_on(house.accounts()?.load())??;
        let app = sandbox_app(&book, app)?;
        let (plan, zone) = (config.plan()?, config.zone()?);
        Ok(Self { out: context.out, store: house.worlds()?, app: app.id, name: app.name.clone(), plan, zone })
    }

    fn number(&self, text: &str) -> anyhow::Result<Msisdn> {
        self.plan.parse(text).context("the number cannot be read")
    }

    fn moment(&self) -> Moment<'_> {
        Moment { real: now(), zone: &self.zone }
    }

    fn world(&self) -> anyhow::Result<World> {
        Ok(block_on(self.store.load(self.app))??.unwrap_or_default())
    }

    fn change(
        &self,
        change: impl Fn(&mut World, Moment<'_>) -> Result<(), WorldRefusal> + Send + Sync + 'static,
    ) -> anyhow::Result<World> {
        let (zone, real) = (self.zone.clone(), now());
        let change = move |world: &mut World| change(world, Moment { real, zone: &zone });
        Ok(block_on(self.store.change(self.app, real, Box::new(change)))??.world)
    }
}

/// The sandbox app that a person means; the only one where none is named.
fn sandbox_app<'a>(book: &'a AccountBook, wanted: Option<&str>) -> anyhow::Result<&'a App> {
    if let Some(wanted) = wanted {
        let app = find(book, wanted)?;
        return Some(app)
            .filter(|app| app.environment == Environment::Sandbox)
            .with_context(|| format!("{wanted} is an app of production"))
            .hint("only sandbox apps have worlds: `laini app add --environment sandbox`");
    }
    // The one that visitors of the portal use is made by the server, and nobody means it.
    let visitors = book.partners.iter().find(|partner| partner.name == VISITORS).map(|partner| partner.id);
    let is_meant = |app: &&App| app.environment == Environment::Sandbox && Some(app.partner) != visitors;
    let mut apps = book.apps.iter().filter(is_meant);
    let app = apps.next().context("there is no sandbox app");
    let app = app.hint("make one: `laini app add --environment sandbox`")?;
    if apps.next().is_some() {
        return Err(anyhow::anyhow!("there are several sandbox apps")).hint("name one with --app: `laini app list`");
    }
    Ok(app)
}
