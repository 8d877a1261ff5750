//! The client's brain.
