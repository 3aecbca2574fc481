//! Parses the records of a sym file, one per line.
//!
//! A fast path parses records in the form that nearly all sym files use: numbers of few digits, one space between fields, a name
//! without white space around it. Symbolic's own parser parses or rejects all other lines.

use super::digits;
use symbolic_debuginfo::breakpad::{
    BreakpadError, BreakpadFileRecord, BreakpadFuncRecord, BreakpadInlineOriginRecord, BreakpadInlineRecord,
    BreakpadLineRecord, BreakpadPublicRecord, Lines,
};

/// `1004 2 17 3`: address, size, line, id of a FILE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineRecord {
    pub(crate) address: u64,
    pub(crate) size: u64,
    pub(crate) line: u32,
    pub(crate) file: u64,
}

/// `FILE 3 src/a.c` and `INLINE_ORIGIN 7 b::c(int)`.
pub(crate) struct NamedId<'a> {
    pub(crate) id: u64,
    pub(crate) name: &'a str,
}

/// `FUNC m 1000 20 0 d(char)` and, without a size, `PUBLIC 1000 0 d(char)`.
pub(crate) struct Symbol<'a> {
    pub(crate) address: u64,
    pub(crate) size: u64,
    pub(crate) name: &'a str,
}

/// `INLINE 0 12 3 7 1004 2 100c 8`: depth, line and FILE id of the call site, INLINE_ORIGIN id, then address and size of each
/// range. Like Symbolic, it keeps the low 32 bits of depth and line.
pub(crate) struct InlineRecord {
    pub(crate) depth: u32,
    pub(crate) line: u32,
    pub(crate) file: u64,
    pub(crate) origin: u64,
}

/// Parses a line record at the start of `text`, which must contain a newline, and returns it with the rest of the text. `None`
/// if there is another record, or one in an unusual form.
#[inline]
pub(crate) fn leading_line_record(text: &[u8]) -> Option<(LineRecord, &[u8])> {
    let mut fields = Fields(text);
    let address = fields.hex_and_space()?;
    let size = fields.hex_and_space()?;
    let line = fields.decimal_and_space()?;
    let file = fields.decimal()?;
    let rest = fields.line_end()?;
    // Symbolic keeps 32 bits of the line number.
    Some((LineRecord { address, size, line: line as u32, file }, rest))
}

/// Parses a line record in an unusual form.
pub(crate) fn line_record(line: &[u8]) -> Result<LineRecord, BreakpadError> {
    let BreakpadLineRecord { address, size, line, file_id } = BreakpadLineRecord::parse(line)?;
    Ok(LineRecord { address, size, line: line as u32, file: file_id })
}

pub(crate) fn file_record(line: &[u8]) -> Result<NamedId<'_>, BreakpadError> {
    named_id(line, b"FILE ")
        .map_or_else(|| BreakpadFileRecord::parse(line).map(|BreakpadFileRecord { id, name }| NamedId { id, name }), Ok)
}

pub(crate) fn inline_origin_record(line: &[u8]) -> Result<NamedId<'_>, BreakpadError> {
    named_id(line, b"INLINE_ORIGIN ").map_or_else(
        || BreakpadInlineOriginRecord::parse(line).map(|BreakpadInlineOriginRecord { id, name }| NamedId { id, name }),
        Ok,
    )
}

fn named_id<'a>(line: &'a [u8], keyword: &[u8]) -> Option<NamedId<'a>> {
    let mut fields = Fields(line.strip_prefix(keyword)?);
    Some(NamedId { id: fields.decimal_and_space()?, name: fields.name()? })
}

pub(crate) fn func_record(line: &[u8]) -> Result<Symbol<'_>, BreakpadError> {
    if let Some(symbol) = symbol(line, b"FUNC ", true) {
        return Ok(symbol);
    }
    let BreakpadFuncRecord { address, size, name, .. } = BreakpadFuncRecord::parse(line, Lines::default())?;
    Ok(Symbol { address, size, name })
}

pub(crate) fn public_record(line: &[u8]) -> Result<Symbol<'_>, BreakpadError> {
    if let Some(symbol) = symbol(line, b"PUBLIC ", false) {
        return Ok(symbol);
    }
    let BreakpadPublicRecord { address, name, .. } = BreakpadPublicRecord::parse(line)?;
    Ok(Symbol { address, size: 0, name })
}

fn symbol<'a>(line: &'a [u8], keyword: &[u8], has_size: bool) -> Option<Symbol<'a>> {
    let fields = line.strip_prefix(keyword)?;
    // `m` marks a symbol with several names.
    let mut fields = Fields(fields.strip_prefix(b"m ").unwrap_or(fields));
    let address = fields.hex_and_space()?;
    let size = if has_size { fields.hex_and_space()? } else { 0 };
    let _parameter_size = fields.hex_and_space()?;
    Some(Symbol { address, size, name: fields.name()? })
}

/// Parses an INLINE record like [`leading_line_record`], and replaces `ranges` by its addresses and sizes.
#[inline]
pub(crate) fn leading_inline_record<'a>(
    text: &'a [u8],
    ranges: &mut Vec<(u64, u64)>,
) -> Option<(InlineRecord, &'a [u8])> {
    let mut fields = Fields(text.strip_prefix(b"INLINE ")?);
    let depth = fields.decimal_and_space()?;
    let line = fields.decimal_and_space()?;
    let file = fields.decimal_and_space()?;
    let origin = fields.decimal_and_space()?;
    ranges.clear();
    loop {
        let address = fields.hex_and_space()?;
        ranges.push((address, fields.hex()?));
        if let Some(rest) = fields.line_end() {
            return Some((InlineRecord { depth: depth as u32, line: line as u32, file, origin }, rest));
        }
        fields.space()?;
    }
}

/// Parses an INLINE record in an unusual form, and replaces `ranges` by its addresses and sizes.
pub(crate) fn inline_record(line: &[u8], ranges: &mut Vec<(u64, u64)>) -> Result<InlineRecord, BreakpadError> {
    let record = BreakpadInlineRecord::parse(line)?;
    ranges.clear();
    ranges.extend(record.address_ranges.iter().map(|range| (range.address, range.size)));
    Ok(InlineRecord {
        depth: record.inline_depth as u32,
        line: record.call_site_line as u32,
        file: record.call_site_file_id,
        origin: record.origin_id,
    })
}

/// The rest of a line, or of several lines. Each method parses and removes the first field, or returns `None` if the field has
/// an unusual form. Without `inline(always)` WebAssembly would return the values through memory.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// A hexadecimal number of at most 16 digits, so that it fits 64 bits.
    #[inline(always)]
    fn hex(&mut self) -> Option<u64> {
        match self.0.first_chunk().map(|bytes| digits::leading_hex(*bytes)) {
            Some((digits, value)) if digits < 8 || !self.0.get(8).is_some_and(u8::is_ascii_hexdigit) => {
                self.0 = &self.0[digits..];
                (digits > 0).then_some(value)
            }
            _ => self.digits(16, 16),
        }
    }

    /// A decimal number of at most 19 digits, so that it fits 64 bits.
    #[inline(always)]
    fn decimal(&mut self) -> Option<u64> {
        match self.0.first_chunk().map(|bytes| digits::leading_decimal(*bytes)) {
            Some((digits, value)) if digits < 8 => {
                self.0 = &self.0[digits..];
                (digits > 0).then_some(value)
            }
            _ => self.digits(10, 19),
        }
    }

    /// A number of 8 or more digits, or near the end of the text.
    #[cold]
    fn digits(&mut self, radix: u32, max_digits: usize) -> Option<u64> {
        let digits = self.0.iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        if !(1..=max_digits).contains(&digits) {
            return None;
        }
        u64::from_str_radix(str::from_utf8(number).ok()?, radix).ok()
    }

    /// One space that no other white space follows.
    #[inline(always)]
    fn space(&mut self) -> Option<()> {
        let [b' ', rest @ ..] = self.0 else { return None };
        self.0 = rest;
        (*rest.first()? > b' ').then_some(())
    }

    #[inline(always)]
    fn hex_and_space(&mut self) -> Option<u64> {
        let value = self.hex()?;
        self.space()?;
        Some(value)
    }

    #[inline(always)]
    fn decimal_and_space(&mut self) -> Option<u64> {
        let value = self.decimal()?;
        self.space()?;
        Some(value)
    }

    /// The text after the newline, if the line ends here.
    #[inline(always)]
    fn line_end(&self) -> Option<&'a [u8]> {
        match self.0 {
            [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => Some(rest),
            _ => None,
        }
    }

    /// The rest of the line. It must end in ASCII: Symbolic would trim Unicode white space.
    fn name(&self) -> Option<&'a str> {
        self.0.last()?.is_ascii_graphic().then_some(())?;
        str::from_utf8(self.0).ok()
    }
}
