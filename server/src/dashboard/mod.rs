//! The pages of the agents: server-rendered, and kept live over the same protocol as the widget.

pub mod live;
