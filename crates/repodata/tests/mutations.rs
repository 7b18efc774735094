//! Documents with bytes changed, doubled, cut out and moved: every reader ends with an answer or an error.

use std::collections::HashSet;

/// Numbers that look random and are the same each time (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}

const BITS: [&str; 14] =
    ["<", ">", "/", "\"", "'", "&", ";", "&#x110000;", "<!--", "-->", "<![CDATA[", "]]>", "\0", "é"];

fn changed(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + chance.below(4) {
        let (at, length) = (chance.below(bytes.len()), chance.below(40));
        let end = (at + length).min(bytes.len());
        match chance.below(5) {
            0 => bytes[at] = chance.below(256) as u8,
            1 => {
                bytes.drain(at..end);
            }
            2 => {
                let part = bytes[at..end].to_vec();
                let to = chance.below(bytes.len());
                bytes.splice(to..to, part);
            }
            3 => {
                bytes.splice(at..at, BITS[chance.below(BITS.len())].bytes());
            }
            _ => bytes.truncate(at.max(1)),
        }
        if bytes.is_empty() {
            bytes.push(b'<');
        }
    }
    bytes
}

/// Reads `bytes` in every way; says in how many of them it could be.
fn read(bytes: &[u8]) -> usize {
    let mut solvables = repodata::Solvables::new(bytes);
    let quick = loop {
        match solvables.next() {
            Ok(Some(solvable)) => {
                let told = solvable.relations().count() + solvable.files().count() + solvable.name().len();
                assert!(told < 1 << 20);
            }
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    let answers = [
        quick,
        repodata::primary::Reader::new(bytes).all(|package| package.is_ok()),
        repodata::filelists::Reader::new(bytes).all(|list| list.is_ok()),
        repodata::other::Reader::new(bytes).all(|list| list.is_ok()),
        repodata::filelists::owners(bytes, &HashSet::from(["/var/log/alpha.log"])).is_ok(),
        repodata::Repomd::read(bytes).is_ok(),
        repodata::updateinfo::read(bytes).is_ok(),
        repodata::comps::Comps::read(bytes).is_ok(),
    ];
    answers.into_iter().filter(|answer| *answer).count()
}

#[test]
fn every_reader_ends() {
    let mut chance = Chance(0x0dd_b17e5);
    let advisories = vec![repodata::updateinfo::Advisory { id: "A".to_owned(), ..Default::default() }; 2];
    let mut group = repodata::comps::Group::default();
    group.label.id = "core".to_owned();
    let comps = repodata::comps::Comps { groups: vec![group], ..Default::default() };
    let documents = [
        include_str!("../fixtures/createrepo/primary.xml").to_owned(),
        include_str!("../fixtures/createrepo/filelists.xml").to_owned(),
        include_str!("../fixtures/createrepo/other.xml").to_owned(),
        include_str!("../fixtures/createrepo/repomd.xml").to_owned(),
        repodata::updateinfo::to_xml(&advisories),
        comps.to_xml(),
    ];
    let (mut right, mut wrong) = (0, 0);
    for document in &documents {
        assert!(read(document.as_bytes()) > 0);
        for _ in 0..1500 {
            match read(&changed(document.as_bytes(), &mut chance)) {
                0 => wrong += 1,
                _ => right += 1,
            }
        }
    }
    assert!(right > 500 && wrong > 500, "{right} could be read, {wrong} not");
}

#[test]
fn compressed_bytes_end_too() {
    let mut chance = Chance(0xc0_ffee);
    let text = include_bytes!("../fixtures/createrepo/primary.xml");
    for compression in [repodata::Compression::Gzip, repodata::Compression::Zstd] {
        let bytes = compression.compress(text).unwrap();
        for _ in 0..500 {
            let bytes = changed(&bytes, &mut chance);
            if let Ok(mut open) = repodata::decompress(bytes.as_slice(), 1 << 16) {
                let _ = std::io::copy(&mut open, &mut std::io::sink());
            }
        }
    }
    for _ in 0..500 {
        let bytes = changed(b"\0ZCK1\x81\x90\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", &mut chance);
        if let Ok(mut open) = repodata::decompress(bytes.as_slice(), 1 << 16) {
            let _ = std::io::copy(&mut open, &mut std::io::sink());
        }
    }
}
