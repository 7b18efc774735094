//! Makes packages for `bench/repository`: `packages FOLDER COUNT FILES BYTES [FIRST]`, each with FILES files of BYTES in all.

use std::path::PathBuf;

use pkg::{Nevra, SourceDateEpoch};
use rpm::write::{NewFile, PackageBuilder};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| arguments.get(index).map_or(Ok(0), |text| text.parse::<usize>());
    let (count, files, bytes, first) = (number(1)?, number(2)?.max(1), number(3)?, number(4)?);
    let folder = PathBuf::from(arguments.first().ok_or("usage: packages FOLDER COUNT FILES BYTES [FIRST]")?);
    fs_err::create_dir_all(&folder)?;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for package in first..first + count {
        let nevra = Nevra::parse(&format!("bench{package}-1.{}-1.noarch", package % 9))?;
        let mut builder = PackageBuilder::new(nevra.clone(), SourceDateEpoch(1_700_000_000 + package as u64))
            .summary(&format!("Number {package} of many"))
            .requires(&format!("bench{}", package / 2));
        for file in 0..files {
            // Bytes that do not compress.
            let mut content = Vec::with_capacity(bytes / files + 8);
            while content.len() < bytes / files {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                content.extend(state.to_le_bytes());
            }
            let path = format!("/usr/share/bench/{package}/{file}");
            builder = builder.file(&path, NewFile::regular(content));
        }
        builder = builder.file(&format!("/usr/bin/bench{package}"), NewFile::regular("#!/bin/sh\n").mode(0o755));
        fs_err::write(folder.join(nevra.file_name()), builder.build()?)?;
    }
    Ok(())
}
