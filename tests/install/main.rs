//! The room of installation, from outside: real interpreters, generated wheels.

mod choice;
mod crash;
mod good;
mod hostile;
mod kit;
mod pip;
