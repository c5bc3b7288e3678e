//! The files of the repository, read once.

use crate::root::{root, tracked};

/// The repository.
pub struct Tree {
    pub files: Vec<File>,
}

/// A tracked file.
pub struct File {
    /// Path below the repository's folder.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Content; empty for what is not text.
    pub text: String,
}

impl Tree {
    /// Reads what git tracks.
    pub fn read() -> anyhow::Result<Tree> {
        let root = root();
        let read = |path: String| {
            let bytes = std::fs::read(root.join(&path))?;
            let size = bytes.len() as u64;
            Ok(File { path, size, text: String::from_utf8(bytes).unwrap_or_default() })
        };
        Ok(Tree { files: tracked()?.into_iter().map(read).collect::<std::io::Result<_>>()? })
    }

    /// The file with this path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|it| it.path == path)
    }

    /// Files below a folder whose name ends so.
    pub fn below<'a>(&'a self, folder: &'a str, ending: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |it| it.path.starts_with(folder) && it.path.ends_with(ending))
    }

    /// Rust sources, tests included.
    pub fn sources(&self) -> impl Iterator<Item = &File> {
        self.below("", ".rs")
    }
}

impl File {
    /// Lines with their numbers, without those that are comments.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Lines before the tests at the end of the file.
    pub fn length(&self) -> usize {
        self.text.lines().take_while(|it| it.trim() != "#[cfg(test)]").count()
    }
}
