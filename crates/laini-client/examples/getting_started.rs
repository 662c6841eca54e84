//! The first steps of docs/guide/getting-started.md, as they stand there: `getting_started SECRET`.
#![expect(clippy::print_stdout, reason = "it is a program for people")]

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let consumer_secret = std::env::args().nth(1).unwrap_or_default();
    // begin
    let laini = laini_client::Laini::builder()
        .base_url("https://sandbox.operator.example")
        .credentials("YOUR_CONSUMER_KEY", &consumer_secret)
        .build()?;
    // Tokens are fetched and renewed by the SDK.
    let checked = laini.imsi("254722000002").await?;
    println!("{:?}", checked.answer);
    // end
    Ok(())
}
