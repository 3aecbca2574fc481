//! From the text of a sym file to a symcache file.

use symbolic_common::DebugId;
use symbolic_debuginfo::breakpad::BreakpadObject;
use symbolic_symcache::SymCacheConverter;

use crate::conversion_error::{ConversionError, Reason};
use crate::module_record::{ModuleName, ModuleRecord};
use crate::trailer::{PAGE, SAMPLE_EVERY, Trailer, page_checksum};

/// Takes a sym file in pieces and gives a symcache file.
pub struct Converter {
    debug_filename: String,
    debug_id: String,
    parsed_debug_id: DebugId,
    module_record: Option<ModuleRecord>,
    text: Vec<u8>,
}

impl Converter {
    /// A converter for the sym file of one module. `debug_id` is its Breakpad identifier, `1410…9AE50`; one that
    /// Symbolic can't parse is [`Reason::BadDebugId`].
    pub fn new(debug_filename: &str, debug_id: &str) -> Result<Self, ConversionError> {
        let parsed_debug_id = debug_id.parse().map_err(|error| ConversionError::new(Reason::BadDebugId, error))?;
        Ok(Self {
            debug_filename: debug_filename.to_owned(),
            debug_id: debug_id.to_owned(),
            parsed_debug_id,
            module_record: None,
            text: Vec::new(),
        })
    }

    /// Takes the next bytes of the sym file. Fails as early as what it has seen allows: a file that isn't a sym file, or
    /// another module's, within the first 321 bytes. After an error the converter is of no more use.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), ConversionError> {
        self.text.extend_from_slice(chunk);
        if self.module_record.is_none() {
            self.module_record = ModuleRecord::read(&self.text, false, self.parsed_debug_id)?;
        }
        Ok(())
    }

    /// The symcache file.
    pub fn finish(self) -> Result<Vec<u8>, ConversionError> {
        ModuleRecord::read(&self.text, true, self.parsed_debug_id)?;
        let malformed = |error: &dyn std::fmt::Display| ConversionError::new(Reason::Malformed, error);
        let object = BreakpadObject::parse(&self.text).map_err(|error| malformed(&error))?;
        let mut converter = SymCacheConverter::new();
        converter.process_object(&object).map_err(|error| malformed(&error))?;
        let mut file = Vec::new();
        converter.serialize(&mut file).map_err(|error| malformed(&error))?;
        file.resize(file.len().next_multiple_of(8), 0);

        let mut name = ModuleName::default();
        let mut lines = self.text.split(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next()
            && lines.peek().is_some()
            && !name.is_decided()
        {
            name.take_line(line);
        }
        let trailer = Trailer {
            module_name: name.into_name().unwrap_or_else(|| self.debug_filename.clone()),
            debug_filename: self.debug_filename,
            debug_id: self.debug_id,
            payload_length: file.len() as u64,
            samples: sample(&file),
            pages: file.chunks(PAGE).enumerate().map(|(number, page)| page_checksum(page, number)).collect(),
        };
        file.extend(trailer.to_bytes());
        Ok(file)
    }
}

/// Every [`SAMPLE_EVERY`]th range of a symcache.
fn sample(symcache: &[u8]) -> Vec<u32> {
    let number = |at: usize| u32::from_le_bytes(*symcache[at..at + 4].as_array().expect("4 bytes")) as usize;
    let [files, functions, locations, ranges] = [44, 48, 52, 56].map(number);
    let ranges_at = 80 + 24 * files + 16 * functions + 16 * locations;
    (0..ranges).step_by(SAMPLE_EVERY).map(|i| number(ranges_at + 4 * i) as u32).collect()
}
