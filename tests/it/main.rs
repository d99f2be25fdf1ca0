//! All tests that need the outside of the crate: files, processes, servers, a terminal. One binary, because linking is what a test run waits for.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod after;
mod alerts;
mod alone;
mod at_once;
mod changes;
mod channels;
mod command_story;
mod commands;
mod config;
mod console;
mod docs;
mod doctor;
mod gameday;
mod gameday_story;
mod gentle;
mod jaeger;
mod journal;
mod layers;
mod oncall;
mod people;
mod plain;
mod playbooks;
mod prometheus;
mod reach_story;
mod runbook;
mod runner;
mod secrets;
mod six_hours;
mod slack;
mod sources;
mod staging;
mod support;
mod terminal;
mod times;
mod words;
