//! The room of installation, from outside: real interpreters, generated wheels.

mod good;
mod hostile;
mod kit;
