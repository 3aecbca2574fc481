//! Records of a sym file, a line of text each.
//!
//! Each is first read as nearly all sym files write it: numbers of few digits, one space between fields, a name that neither
//! begins nor ends with white space. Any other line is left to Symbolic's own parser, which says whether it is one.

use super::digits;
use symbolic_debuginfo::breakpad::{
    BreakpadError, BreakpadFileRecord, BreakpadFuncRecord, BreakpadInlineOriginRecord, BreakpadInlineRecord,
    BreakpadLineRecord, BreakpadPublicRecord, Lines,
};

/// `1004 2 17 3`: address, size, line, number of a FILE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineRecord {
    pub(crate) address: u64,
    pub(crate) size: u64,
    pub(crate) line: u32,
    pub(crate) file: u64,
}

/// `FILE 3 src/a.c` and `INLINE_ORIGIN 7 b::c(int)`.
pub(crate) struct NumberedName<'a> {
    pub(crate) number: u64,
    pub(crate) name: &'a str,
}

/// `FUNC m 1000 20 0 d(char)` and, without a size, `PUBLIC 1000 0 d(char)`.
pub(crate) struct NamedAddress<'a> {
    pub(crate) address: u64,
    pub(crate) size: u64,
    pub(crate) name: &'a str,
}

/// `INLINE 0 12 3 7 1004 2 100c 8`: depth, line and FILE of the call, INLINE_ORIGIN, and then address and size of each range.
/// Symbolic keeps 32 bits of depth and line.
pub(crate) struct InlineRecord {
    pub(crate) depth: u32,
    pub(crate) line: u32,
    pub(crate) file: u64,
    pub(crate) origin: u64,
}

/// Reads a line record at the begin of `text`, in which a newline must come, and gives what follows it. `None`: it is
/// something else, or out of the ordinary.
#[inline]
pub(crate) fn leading_line_record(text: &[u8]) -> Option<(LineRecord, &[u8])> {
    let mut fields = Fields(text);
    let address = fields.hex_and_space()?;
    let size = fields.hex_and_space()?;
    let line = fields.decimal_and_space()?;
    let file = fields.decimal()?;
    let rest = fields.line_end()?;
    // Symbolic keeps 32 bits of a line's number.
    Some((LineRecord { address, size, line: line as u32, file }, rest))
}

/// A line record out of the ordinary.
pub(crate) fn line_record(line: &[u8]) -> Result<LineRecord, BreakpadError> {
    let BreakpadLineRecord { address, size, line, file_id } = BreakpadLineRecord::parse(line)?;
    Ok(LineRecord { address, size, line: line as u32, file: file_id })
}

pub(crate) fn file_record(line: &[u8]) -> Result<NumberedName<'_>, BreakpadError> {
    if let Some(record) = numbered_name(line, b"FILE ") {
        return Ok(record);
    }
    let BreakpadFileRecord { id, name } = BreakpadFileRecord::parse(line)?;
    Ok(NumberedName { number: id, name })
}

pub(crate) fn inline_origin_record(line: &[u8]) -> Result<NumberedName<'_>, BreakpadError> {
    if let Some(record) = numbered_name(line, b"INLINE_ORIGIN ") {
        return Ok(record);
    }
    let BreakpadInlineOriginRecord { id, name } = BreakpadInlineOriginRecord::parse(line)?;
    Ok(NumberedName { number: id, name })
}

fn numbered_name<'a>(line: &'a [u8], keyword: &[u8]) -> Option<NumberedName<'a>> {
    let mut fields = Fields(line.strip_prefix(keyword)?);
    let number = fields.decimal_and_space()?;
    Some(NumberedName { number, name: fields.name()? })
}

pub(crate) fn func_record(line: &[u8]) -> Result<NamedAddress<'_>, BreakpadError> {
    if let Some(record) = plain_func_record(line) {
        return Ok(record);
    }
    let BreakpadFuncRecord { address, size, name, .. } = BreakpadFuncRecord::parse(line, Lines::default())?;
    Ok(NamedAddress { address, size, name })
}

fn plain_func_record(line: &[u8]) -> Option<NamedAddress<'_>> {
    let mut fields = Fields::of_symbol(line, b"FUNC ")?;
    let address = fields.hex_and_space()?;
    let size = fields.hex_and_space()?;
    fields.hex_and_space()?;
    Some(NamedAddress { address, size, name: fields.name()? })
}

pub(crate) fn public_record(line: &[u8]) -> Result<NamedAddress<'_>, BreakpadError> {
    if let Some(record) = plain_public_record(line) {
        return Ok(record);
    }
    let BreakpadPublicRecord { address, name, .. } = BreakpadPublicRecord::parse(line)?;
    Ok(NamedAddress { address, size: 0, name })
}

fn plain_public_record(line: &[u8]) -> Option<NamedAddress<'_>> {
    let mut fields = Fields::of_symbol(line, b"PUBLIC ")?;
    let address = fields.hex_and_space()?;
    fields.hex_and_space()?;
    Some(NamedAddress { address, size: 0, name: fields.name()? })
}

/// Reads an INLINE record at the begin of `text`, in which a newline must come, puts its ranges, address and size, into
/// `ranges`, and gives what follows it. `None`: it is something else, or out of the ordinary.
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

/// An INLINE record out of the ordinary. Its ranges, address and size, are put into `ranges`.
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

/// What is left of a line, or of a text of many lines. The compiler would call the small methods, and in WebAssembly hand what they give through memory.
/// Each method takes a field from its begin, or gives `None` where it isn't an ordinary one.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The fields of a symbol's record behind the keyword and the `m` of a symbol with several names.
    fn of_symbol(line: &'a [u8], keyword: &[u8]) -> Option<Self> {
        let fields = line.strip_prefix(keyword)?;
        Some(Self(fields.strip_prefix(b"m ").unwrap_or(fields)))
    }

    /// A hexadecimal number of at most 16 digits, which 64 bits can hold.
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

    /// A decimal number of at most 19 digits, which 64 bits can hold.
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

    /// A number of many digits, or at the end of the text.
    #[cold]
    fn digits(&mut self, radix: u32, most: usize) -> Option<u64> {
        let digits = self.0.iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        if !(1..=most).contains(&digits) {
            return None;
        }
        u64::from_str_radix(str::from_utf8(number).ok()?, radix).ok()
    }

    /// One space, with neither another nor other white space behind it.
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

    /// What follows the end of the line, if the line ends here.
    #[inline(always)]
    fn line_end(&self) -> Option<&'a [u8]> {
        match self.0 {
            [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => Some(rest),
            _ => None,
        }
    }

    /// The rest of the line. Characters that aren't ASCII may be white space, which Symbolic cuts off at its end.
    fn name(&self) -> Option<&'a str> {
        self.0.last()?.is_ascii_graphic().then_some(())?;
        str::from_utf8(self.0).ok()
    }
}
