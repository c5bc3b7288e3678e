//! placeholder
pub async fn run(_quick: bool) -> anyhow::Result<()> {
    Ok(())
}
pub fn measure(_file: &std::path::Path, _program: &[String]) -> anyhow::Result<()> {
    Ok(())
}
