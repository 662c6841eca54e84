//! What each command does: one folder per noun, one file per verb.
//!
//! Owns the words that people read. Must never name an engine, or print by itself: [`crate::out`] does.

pub(crate) mod ageing;
pub(crate) mod agreement;
pub(crate) mod app;
mod as_app;
pub(crate) mod ask;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod config;
mod context;
pub(crate) mod delivery;
pub(crate) mod demo;
mod doctor;
pub(crate) mod incident;
pub(crate) mod invoice;
pub(crate) mod ledger;
mod limits;
pub(crate) mod listen;
pub(crate) mod member;
pub(crate) mod nodes;
pub(crate) mod openapi;
pub(crate) mod operator;
pub(crate) mod partner;
pub(crate) mod payment;
pub(crate) mod prepaid;
pub(crate) mod price;
mod progress;
mod reference;
pub(crate) mod registry;
pub(crate) mod requests;
pub(crate) mod restore;
pub(crate) mod retention;
pub(crate) mod revenue;
mod roster;
pub(crate) mod sandbox;
pub(crate) mod serve;
pub(crate) mod shadow;
pub(crate) mod staff;
pub(crate) mod statement;
pub(crate) mod store;
pub(crate) mod subject;
pub(crate) mod ticket;
pub(crate) mod usage;
pub(crate) mod verify_invoice;

use context::Context;

use crate::cli::{Cli, Command};
use crate::out::Out;

/// Runs a command to its end.
pub(crate) fn run(cli: Cli, out: Out) -> anyhow::Result<()> {
    let Cli { command, place, .. } = cli;
    let context = Context { place, out };
    match command {
        Command::Demo(args) => demo::run(&context, &args),
        Command::Sandbox(args) => sandbox::run(&context, &args),
        Command::Serve(args) => serve::run(&context, &args),
        Command::Check(args) => check::run(&context, &args),
        Command::Registry(command) => registry::run(&context, &command),
        Command::Partner(command) => partner::run(&context, &command),
        Command::Member(command) => member::run(&context, &command),
        Command::Staff(command) => staff::run(&context, &command),
        Command::Audit(command) => audit::run(&context, &command),
        Command::Agreement(command) => agreement::run(&context, &command),
        Command::App(command) => app::run(&context, &command),
        Command::Payment(command) => payment::run(&context, &command),
        Command::Prepaid(command) => prepaid::run(&context, &command),
        Command::Statement(args) => statement::run(&context, &args),
        Command::Ageing(args) => ageing::run(&context, &args),
        Command::Revenue(args) => revenue::run(&context, &args),
        Command::Delivery(command) => delivery::run(&context, &command),
        Command::Listen(args) => listen::run(&context, &args),
        Command::Ledger(command) => ledger::run(&context, &command),
        Command::Invoice(command) => invoice::run(&context, &command),
        Command::Price(command) => price::run(&context, &command),
        Command::Usage(args) => usage::run(&context, &args),
        Command::Requests(command) => requests::run(&context, &command),
        Command::VerifyInvoice(args) => verify_invoice::run(&context, &args),
        Command::Nodes(args) => nodes::run(&context, &args),
        Command::Operator(command) => operator::run(&context, &command),
        Command::Backup(args) => backup::run(&context, &args),
        Command::Restore(args) => restore::run(&context, &args),
        Command::Retention(command) => retention::run(&context, &command),
        Command::Store(command) => store::run(&context, &command),
        Command::Subject(command) => subject::run(&context, &command),
        Command::Incident(command) => incident::run(&context, &command),
        Command::Ticket(command) => ticket::run(&context, &command),
        Command::Shadow(args) => shadow::run(&context, &args),
        Command::Doctor => doctor::run(&context),
        Command::Config(command) => config::run(&context, &command),
        Command::Ask(args) => ask::run(&context, &args),
        Command::Openapi(args) => openapi::run(&args),
        Command::Reference => reference::run(),
    }
}
