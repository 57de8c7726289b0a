//! Writes `fuzz/corpus` anew, from real values: `cargo run -p fuzzing --bin corpus`.

use fuzzing::corpus;
use std::{fs, io};

fn main() -> io::Result<()> {
    let root = corpus::root();
    fs::create_dir_all(&root)?;
    fs::write(root.join("../genesis.json"), corpus::genesis())?;
    for (target, files) in corpus::made() {
        let folder = root.join(target);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&folder)?,
        }
        let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        println!("{target}: {} files, {bytes} bytes", files.len());
        for (name, bytes) in files {
            fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}
