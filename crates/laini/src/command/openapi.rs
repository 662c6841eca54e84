//! `laini openapi`: the document of every path that is called over HTTP.

use clap::Args;
use laini_server::openapi;

use crate::out::Out;

/// `laini openapi`
#[derive(Args)]
pub(crate) struct OpenapiArgs {
    /// A Postman collection of the same operations instead; credentials are variables without a value.
    #[arg(long)]
    postman: bool,
}

/// Prints it; a running server serves it at /openapi.json.
pub(crate) fn run(args: &OpenapiArgs) -> anyhow::Result<()> {
    let document = if args.postman { openapi::collection() } else { openapi::document() };
    Out::line(&serde_json::to_string_pretty(&document)?)
}
