//! Recorded answers, replayed.
