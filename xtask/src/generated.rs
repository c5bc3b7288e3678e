//! Files that are made from others: written, or compared with what is there.

use anyhow::bail;

use crate::root::root;

/// Files as they should be.
#[derive(Default)]
pub struct Files(Vec<(String, String)>);

impl Files {
    /// A file of the repository with this path and content.
    pub fn add(&mut self, path: impl Into<String>, content: String) {
        self.0.push((path.into(), content));
    }

    /// Writes those that differ, or with `check` fails when one does. `chore` is the command that writes them.
    pub fn settle(self, check: bool, chore: &str) -> anyhow::Result<()> {
        let root = root();
        let differs = |(path, content): &&(String, String)| {
            std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(content)
        };
        let stale: Vec<_> = self.0.iter().filter(differs).collect();
        if check && !stale.is_empty() {
            let names: Vec<&str> = stale.iter().map(|(path, _)| path.as_str()).collect();
            bail!("out of date: {}. Run `cargo xtask {chore}`", names.join(", "));
        }
        for (path, content) in stale {
            let path_on_disk = root.join(path);
            path_on_disk.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(path_on_disk, content)?;
            println!("wrote {path}");
        }
        Ok(())
    }
}
