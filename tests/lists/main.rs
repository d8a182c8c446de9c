//! Lists as people export them, read as `check` and `run` read them.

mod numbers;
mod reader;
mod samples;
mod speed;
mod workbook;
mod workbooks;
mod zones;
