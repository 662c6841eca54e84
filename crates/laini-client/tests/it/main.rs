//! The SDK against a server that says what each test scripts.

mod answers;
mod failures;
mod fake;
mod first_steps;
mod tokens;
