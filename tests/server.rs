//! The tests' own server, tested.

mod support;
