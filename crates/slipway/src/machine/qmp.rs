use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::explain::Failure;

/// Gives QEMU one command over its control socket and waits for the answer.
///
/// Source: the QEMU Machine Protocol (`docs/interop/qmp-spec`): a greeting, `qmp_capabilities`, then commands.
pub(crate) fn command(socket: &Path, name: &str) -> Result<(), Failure> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    // The greeting.
    lines.next().transpose()?;
    for name in ["qmp_capabilities", name] {
        writeln!(stream, "{}", serde_json::json!({ "execute": name }))?;
        for line in lines.by_ref() {
            let answer: serde_json::Value = serde_json::from_str(&line?).map_err(std::io::Error::from)?;
            if let Some(error) = answer.get("error") {
                return Err(Failure::work(format!("QEMU refuses `{name}`: {error}")));
            }
            // What is neither is an event.
            if answer.get("return").is_some() {
                break;
            }
        }
    }
    Ok(())
}
