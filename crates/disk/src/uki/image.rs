use super::{Section, UkiError, checksum::checksum};

const ROW: usize = 40;
/// `IMAGE_SCN_MEM_READ`.
const READABLE: u32 = 0x4000_0000;
/// `IMAGE_SCN_CNT_INITIALIZED_DATA`.
const DATA: u32 = 0x0000_0040;
/// `IMAGE_SCN_CNT_CODE`.
const CODE: u32 = 0x0000_0020;
/// The certificate table among the data directories.
const SECURITY: usize = 4;

/// Headers of a PE32+ program: where its fields lie, and its sections.
pub(super) struct Image {
    /// Offset of the COFF header.
    coff: usize,
    /// Offset of the optional header.
    optional: usize,
    /// Offset of the section table.
    table: usize,
    file_alignment: u32,
    section_alignment: u32,
    size_of_headers: u32,
    signature: u32,
    symbols: u32,
    pub(super) sections: Vec<Row>,
}

/// One row of the section table.
pub(super) struct Row {
    name: [u8; 8],
    virtual_size: u32,
    address: u32,
    raw_size: u32,
    raw_at: u32,
    flags: u32,
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, UkiError> {
    let field =
        bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(UkiError::NotPe("its headers are cut off"))?;
    Ok(u16::from_le_bytes(*field))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, UkiError> {
    let field =
        bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(UkiError::NotPe("its headers are cut off"))?;
    Ok(u32::from_le_bytes(*field))
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

impl Image {
    /// Reads the headers; every field that is used lies inside `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Result<Image, UkiError> {
        if bytes.get(..2) != Some(b"MZ") {
            return Err(UkiError::NotPe("it does not begin with `MZ`"));
        }
        let signature = u32_at(bytes, 0x3c)? as usize;
        if u32_at(bytes, signature)? != u32::from_le_bytes(*b"PE\0\0") {
            return Err(UkiError::NotPe("there is no `PE` where its DOS header points to"));
        }
        let coff = signature + 4;
        let optional = coff + 20;
        if u16_at(bytes, optional)? != 0x20b {
            return Err(UkiError::NotPe("its optional header is not that of a 64-bit program"));
        }
        let optional_size = usize::from(u16_at(bytes, coff + 16)?);
        let directories = u32_at(bytes, optional + 108)? as usize;
        if optional_size < 112 || directories > 16 || optional_size < 112 + directories * 8 {
            return Err(UkiError::NotPe("its optional header is smaller than its fields"));
        }
        let (section_alignment, file_alignment) = (u32_at(bytes, optional + 32)?, u32_at(bytes, optional + 36)?);
        if !section_alignment.is_power_of_two() || !file_alignment.is_power_of_two() || file_alignment > 1 << 16 {
            return Err(UkiError::NotPe("its alignments are no powers of two"));
        }
        let table = optional + optional_size;
        let mut sections = Vec::new();
        for index in 0..usize::from(u16_at(bytes, coff + 2)?) {
            let at = table + index * ROW;
            let row = bytes.get(at..at + ROW).ok_or(UkiError::NotPe("its section table is cut off"))?;
            let mut name = [0; 8];
            name.copy_from_slice(&row[..8]);
            let (virtual_size, address) = (u32_at(row, 8)?, u32_at(row, 12)?);
            let (raw_size, raw_at, flags) = (u32_at(row, 16)?, u32_at(row, 20)?, u32_at(row, 36)?);
            sections.push(Row { name, virtual_size, address, raw_size, raw_at, flags });
        }
        let signature = if directories > SECURITY { u32_at(bytes, optional + 112 + SECURITY * 8)? } else { 0 };
        let (size_of_headers, symbols) = (u32_at(bytes, optional + 60)?, u32_at(bytes, coff + 8)?);
        Ok(Image {
            coff,
            optional,
            table,
            file_alignment,
            section_alignment,
            size_of_headers,
            signature,
            symbols,
            sections,
        })
    }

    /// Whether sections can be added to this program.
    pub(super) fn check_stub(&self, bytes: &[u8]) -> Result<(), UkiError> {
        if self.signature != 0 {
            return Err(UkiError::Signed);
        }
        for row in &self.sections {
            row.content(bytes)?;
            row.address.checked_add(row.virtual_size).ok_or_else(|| UkiError::TooLarge(row.name()))?;
        }
        let end = self.end_of_sections();
        if self.sections.is_empty() || end > bytes.len() {
            return Err(UkiError::NotPe("its sections are cut off"));
        }
        // Old stubs carry a symbol table there, which an image ought not to have: it is dropped.
        let rest = &bytes[end..];
        if self.symbols == 0 && rest.iter().any(|byte| *byte != 0) {
            return Err(UkiError::Trailing(rest.len()));
        }
        Ok(())
    }

    /// Rows that fit between the section table and the first section.
    pub(super) fn free_rows(&self) -> usize {
        let first = self.sections.iter().filter(|row| row.raw_size > 0).map(|row| row.raw_at).min().unwrap_or(u32::MAX);
        let end = self.table + self.sections.len() * ROW;
        (first.min(self.size_of_headers) as usize).saturating_sub(end) / ROW
    }

    /// The offset behind the last byte of any section.
    pub(super) fn end_of_sections(&self) -> usize {
        let ends = self.sections.iter().map(|row| row.raw_at as usize + row.raw_size as usize);
        ends.max().unwrap_or(0).max(self.size_of_headers as usize)
    }

    /// Puts a section behind all others, in the file and in memory.
    pub(super) fn append(&mut self, bytes: &mut Vec<u8>, section: &Section<'_>) -> Result<(), UkiError> {
        let too_large = || UkiError::TooLarge(section.name.to_owned());
        let size = u32::try_from(section.bytes.len()).map_err(|_| too_large())?;
        bytes.resize(bytes.len().next_multiple_of(self.file_alignment as usize), 0);
        let raw_at = u32::try_from(bytes.len()).map_err(|_| too_large())?;
        let raw_size = size.checked_next_multiple_of(self.file_alignment).ok_or_else(too_large)?;
        let end = self.end_in_memory().ok_or_else(too_large)?;
        end.checked_add(size)
            .and_then(|end| end.checked_next_multiple_of(self.section_alignment))
            .ok_or_else(too_large)?;
        raw_at.checked_add(raw_size).ok_or_else(too_large)?;
        bytes.extend_from_slice(section.bytes);
        bytes.resize(raw_at as usize + raw_size as usize, 0);
        let mut name = [0; 8];
        name[..section.name.len()].copy_from_slice(section.name.as_bytes());
        // Kernels without a PE entry of their own are run where they lie.
        let content = if section.name == ".linux" { CODE } else { DATA };
        self.sections.push(Row { name, virtual_size: size, address: end, raw_size, raw_at, flags: READABLE | content });
        Ok(())
    }

    /// Puts other bytes into a section that is there.
    pub(super) fn replace(&mut self, bytes: &mut [u8], section: &Section<'_>) -> Result<(), UkiError> {
        let Some(row) = self.sections.iter_mut().find(|row| row.is_named(section.name)) else { return Ok(()) };
        let size = section.bytes.len();
        let place = row.raw_size as usize;
        if size > place {
            return Err(UkiError::Replace { name: section.name.to_owned(), size, place });
        }
        let start = row.raw_at as usize;
        bytes[start..start + size].copy_from_slice(section.bytes);
        bytes[start + size..start + place].fill(0);
        // File alignment never exceeds section alignment, so that a section as large as its bytes in the file still fits.
        row.virtual_size = size as u32;
        Ok(())
    }

    /// The first free address, aligned.
    fn end_in_memory(&self) -> Option<u32> {
        let end = self.sections.iter().map(|row| row.address.saturating_add(row.virtual_size)).max()?;
        end.checked_next_multiple_of(self.section_alignment)
    }

    /// Writes the section table, the image's size and its checksum.
    pub(super) fn finish(&self, bytes: &mut [u8]) {
        let count = self.sections.len() as u16;
        bytes[self.coff + 2..self.coff + 4].copy_from_slice(&count.to_le_bytes());
        if self.symbols != 0 {
            put(bytes, self.coff + 8, 0);
            put(bytes, self.coff + 12, 0);
        }
        for (index, row) in self.sections.iter().enumerate() {
            let at = self.table + index * ROW;
            bytes[at..at + 8].copy_from_slice(&row.name);
            let fields = [row.virtual_size, row.address, row.raw_size, row.raw_at, 0, 0, 0, row.flags];
            for (number, field) in fields.into_iter().enumerate() {
                put(bytes, at + 8 + number * 4, field);
            }
        }
        put(bytes, self.optional + 56, self.end_in_memory().unwrap_or(u32::MAX));
        let field = self.optional + 64;
        let sum = checksum(bytes, field);
        put(bytes, field, sum);
    }
}

impl Row {
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name().as_bytes() == name.as_bytes()
    }

    pub(super) fn name(&self) -> String {
        let end = self.name.iter().position(|byte| *byte == 0).unwrap_or(8);
        String::from_utf8_lossy(&self.name[..end]).into_owned()
    }

    /// The section's bytes in the file, without padding.
    pub(super) fn content<'a>(&self, image: &'a [u8]) -> Result<&'a [u8], UkiError> {
        let (start, size) = (self.raw_at as usize, self.raw_size as usize);
        let bytes = start.checked_add(size).and_then(|end| image.get(start..end));
        let bytes = bytes.ok_or(UkiError::NotPe("a section lies outside the file"))?;
        Ok(&bytes[..size.min(self.virtual_size as usize)])
    }
}
