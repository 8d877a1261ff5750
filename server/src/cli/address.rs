//! The address of a running server, written down in its data folder: links that the command line
//! makes must lead to it, also when it was given by a variable that this shell does not have.

use std::path::Path;

use crate::config::PublicUrl;

const FILE: &str = "parlour.address";

pub(super) fn write(data: &Path, address: &PublicUrl) {
    if let Err(error) = std::fs::write(data.join(FILE), format!("{address}\n")) {
        tracing::warn!(%error, "the address could not be written down; links made on the command line may lead elsewhere");
    }
}

pub(super) fn read(data: &Path) -> Option<PublicUrl> {
    PublicUrl::parse(std::fs::read_to_string(data.join(FILE)).ok()?.trim())
}
