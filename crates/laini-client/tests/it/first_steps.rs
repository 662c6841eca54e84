//! The guide's Rust is compiled: it stands in an example, word for word.

#[test]
fn the_rust_of_the_guide_is_the_example() {
    let guide = include_str!("../../../../docs/guide/getting-started.md");
    let example = include_str!("../../examples/getting_started.rs");
    let blocks = guide.split("```rust tab=Rust\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let said: String = blocks.collect();
    let compiled = example.split("// begin\n").nth(1).unwrap().split("    // end").next().unwrap();
    let compiled: Vec<&str> = compiled.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    assert!(said.lines().count() > 5);
    assert_eq!(said.lines().collect::<Vec<_>>(), compiled);
}
