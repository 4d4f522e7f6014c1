//! processes, indicators, payloads → labels: what was seen, and how they got in.

pub mod methods;
