//! The `pinfast` command.

fn main() {}
