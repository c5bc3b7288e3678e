//! A migration that is added changes no source file: without this the list in the program would stay as it was.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
