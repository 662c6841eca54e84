//! The command line: what can be typed.
//!
//! Owns the tree of commands; each command's own arguments stand beside its verb. Must never do
//! anything but parse.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::command::{
    ageing, agreement, app, ask, audit, backup, check, config, delivery, demo, incident, invoice, ledger, listen,
    member, nodes, openapi, operator, partner, payment, prepaid, price, registry, requests, restore, retention,
    revenue, sandbox, serve, shadow, staff, statement, store, subject, ticket, usage, verify_invoice,
};

/// The command line.
#[derive(Parser)]
#[command(
    name = "laini",
    version,
    about = "An operator's SIM-swap, registration and hashed-IMSI checks, self-hosted",
    propagate_version = true
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print JSON for scripts instead of text for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Where everything lies.
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Where everything lies.
#[derive(Args, Clone)]
pub(crate) struct Place {
    /// The data directory: one directory holds everything (default: laini-data; `demo` and `sandbox`
    /// take a fresh one that is removed at the end).
    #[arg(long, global = true, env = "LAINI_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The settings file (default: laini.toml in the data directory, where there is one).
    #[arg(long, global = true, env = "LAINI_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the whole system at work on made-up data, and keep serving.
    Demo(demo::DemoArgs),
    /// Serve only the sandbox; nothing to configure.
    Sandbox(sandbox::SandboxArgs),
    /// Serve partners.
    Serve(serve::ServeArgs),
    /// Ask a laini server about numbers, as a bank does.
    Check(check::CheckArgs),
    /// The operator's lines.
    #[command(subcommand)]
    Registry(registry::RegistryCommand),
    /// Organisations that ask.
    #[command(subcommand)]
    Partner(partner::PartnerCommand),
    /// People of partners.
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// The operator's people.
    #[command(subcommand)]
    Staff(staff::StaffCommand),
    /// Who did what.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// What partners agreed to.
    #[command(subcommand)]
    Agreement(agreement::AgreementCommand),
    /// Consumer keys and secrets.
    #[command(subcommand)]
    App(app::AppCommand),
    /// Money that comes in.
    #[command(subcommand)]
    Payment(payment::PaymentCommand),
    /// Partners that pay first.
    #[command(subcommand)]
    Prepaid(prepaid::PrepaidCommand),
    /// Write a partner's statement of account.
    Statement(statement::StatementArgs),
    /// Show what all partners owe, by how long it is overdue.
    Ageing(ageing::AgeingArgs),
    /// Show what partners brought, by month and product.
    Revenue(revenue::RevenueArgs),
    /// What was asked and what it costs.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Months, and what partners are to pay for them.
    #[command(subcommand)]
    Invoice(invoice::InvoiceCommand),
    /// What checks cost, and would cost.
    #[command(subcommand)]
    Price(price::PriceCommand),
    /// How much was asked, by day or by the callers' own references.
    Usage(usage::UsageArgs),
    /// The calls of a partner's apps, and why one failed.
    #[command(subcommand)]
    Requests(requests::RequestsCommand),
    /// Compute an invoice again from the ledger's export, as whoever is to pay it does.
    VerifyInvoice(verify_invoice::VerifyInvoiceArgs),
    /// Who serves from the store, where several do.
    Nodes(nodes::NodesArgs),
    /// Credentials of the operator's own systems.
    #[command(subcommand)]
    Operator(operator::OperatorCommand),
    /// Copy everything that is remembered, while the server serves.
    Backup(backup::BackupArgs),
    /// Make a data directory of a backup.
    Restore(restore::RestoreArgs),
    /// Forget what was kept long enough.
    #[command(subcommand)]
    Retention(retention::RetentionCommand),
    /// Where everything is remembered.
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// What is held about a number, who asked about it, and what its holder may ask for.
    #[command(subcommand)]
    Subject(subject::SubjectCommand),
    /// What goes wrong, told to whom it reaches.
    #[command(subcommand)]
    Incident(incident::IncidentCommand),
    /// What partners ask of the operator.
    #[command(subcommand)]
    Ticket(ticket::TicketCommand),
    /// Compare the operator's back end with the built-in registry.
    Shadow(shadow::ShadowArgs),
    /// Look for what is unsafe, stale, full or wrong.
    Doctor,
    /// What is sent to partners instead of answered.
    #[command(subcommand)]
    Delivery(delivery::DeliveryCommand),
    /// Take an app's deliveries on this machine, without a public address.
    Listen(listen::ListenArgs),
    /// Settings.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Ask the documentation.
    Ask(ask::AskArgs),
    /// Print the OpenAPI document of every path that is called over HTTP.
    Openapi(openapi::OpenapiArgs),
    /// Print the reference of every command as Markdown (docs/guide/cli.md is made of it).
    #[command(hide = true)]
    Reference,
}
