//! Decides: a state machine without clock, socket, task or chance of its own.

pub mod attempt;
pub mod breaker;
pub mod disposition;
pub mod event;
pub mod hours;
pub mod misuse;
pub mod plan;
pub mod retry;
pub mod trouble;
