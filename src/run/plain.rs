//! Line mode.
use super::Plan;
/// x
pub fn plain(_plan: Plan) -> anyhow::Result<std::process::ExitCode> {
    anyhow::bail!("line mode is being written")
}
