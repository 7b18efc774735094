//! What `slipway dnf` does on a running system whose disk is full, which is killed, or whose mirrors do wrong: the whole program,
//! on real file systems, ended by real signals.

mod full;
mod killed;
mod machine;
mod unavailable;
