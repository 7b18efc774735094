use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;

/// A part of a larger output that looks like an output of its own: a partition of a disk.
///
/// Position 0 is the start of the range, `SeekFrom::End(0)` its end, and nothing can be written beyond it.
pub struct Section<W> {
    out: W,
    range: Range<u64>,
    position: u64,
}

impl<W: Write + Seek> Section<W> {
    /// The bytes `range` of `out`.
    pub fn new(mut out: W, range: Range<u64>) -> io::Result<Section<W>> {
        out.seek(SeekFrom::Start(range.start))?;
        Ok(Section { out, range, position: 0 })
    }

    fn len(&self) -> u64 {
        self.range.end - self.range.start
    }
}

impl<W: Write + Seek> Write for Section<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.len().saturating_sub(self.position);
        if room == 0 && !bytes.is_empty() {
            let what = format!("a partition of {} bytes cannot hold what is written to it", self.len());
            return Err(io::Error::new(io::ErrorKind::StorageFull, what));
        }
        let fits = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        let written = self.out.write(&bytes[..fits])?;
        self.position += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write + Seek> Seek for Section<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
        };
        let absolute = position.and_then(|position| self.range.start.checked_add(position));
        let (Some(position), Some(absolute)) = (position, absolute) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "seek before the start of a partition"));
        };
        self.out.seek(SeekFrom::Start(absolute))?;
        self.position = position;
        Ok(position)
    }
}

/// Makes `out` at least `size` bytes long. What was never written reads as zeros, so only the last byte is.
pub(crate) fn extend<W: Write + Seek + ?Sized>(out: &mut W, size: u64) -> io::Result<()> {
    if size > 0 && out.seek(SeekFrom::End(0))? < size {
        out.seek(SeekFrom::Start(size - 1))?;
        out.write_all(&[0])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn a_section_keeps_to_its_range() {
        let mut disk = Cursor::new(vec![0xff; 8]);
        let mut section = Section::new(&mut disk, 2..5).unwrap();
        assert_eq!(section.seek(SeekFrom::End(-2)).unwrap(), 1);
        section.write_all(&[1, 2]).unwrap();
        assert_eq!(section.write_all(&[3]).unwrap_err().kind(), io::ErrorKind::StorageFull);
        section.rewind().unwrap();
        section.write_all(&[9]).unwrap();
        assert_eq!(disk.into_inner(), [0xff, 0xff, 9, 1, 2, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn extending_writes_one_byte() {
        let mut out = Cursor::new(vec![7]);
        extend(&mut out, 4).unwrap();
        extend(&mut out, 2).unwrap();
        assert_eq!(out.into_inner(), [7, 0, 0, 0]);
    }
}
