//! Shows: words, numbers and rows for people, and the object for programs. Pure: it is given everything it says.

pub mod style;

pub mod happening;

pub mod metrics;

pub mod picture;

pub mod live_status;

pub mod pool_history;

pub mod screen;

pub mod pace;

pub mod notice;

pub mod ending;

pub mod summary;

pub mod dry_run;

pub mod status;

pub mod story;

pub mod json;

pub mod failure;
pub mod findings;

pub mod advice;
pub mod alert;
pub mod campaign;
pub mod chart;
pub mod forecast;
pub mod online;
pub mod page;
pub mod pool_chart;
pub mod reserve;
pub mod results;
pub mod table;
pub mod usage;
