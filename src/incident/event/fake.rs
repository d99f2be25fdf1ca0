//! Every event of the table, made up from its type alone: what is added later is made up too.
//!
//! Hides how a body is filled without a line for it: its own `Deserialize` says which fields it has and what they are.
//!
//! Invariant: every field of a body is filled, every text with what was asked for, unless its type takes no such text (an id, a time).

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Event;

/// Where the bodies are: of one with flattened parts the fields are known from here alone.
const SOURCES: [&str; 10] = [
    include_str!("../event.rs"),
    include_str!("after.rs"),
    include_str!("delivery.rs"),
    include_str!("run.rs"),
    include_str!("scope.rs"),
    include_str!("shift.rs"),
    include_str!("silencing.rs"),
    include_str!("symptom.rs"),
    include_str!("work.rs"),
    include_str!("../terms.rs"),
];

/// Bodies that hold a tagged value, which does not say what it holds. `"TEXT"` is filled, `ENTRY` and `STEP` are an id and a small number.
const TAGGED: [(&str, &[&str]); 4] = [
    (
        "delivery-moved",
        &[
            r#"{"delivery":"ENTRY","step":STEP,"to":{"state":"queued","not_before":"2026-05-28T20:27:00Z","why":"TEXT","choice":"TEXT"}}"#,
            r#"{"delivery":"ENTRY","step":STEP,"to":{"state":"held","why":"TEXT","ways":[{"words":"TEXT","choice":"TEXT"}]}}"#,
            r#"{"delivery":"ENTRY","step":STEP,"to":{"state":"sending"}}"#,
            r#"{"delivery":"ENTRY","step":STEP,"to":{"state":"sent","remote":"TEXT","name":"TEXT","link":"TEXT"}}"#,
            r#"{"delivery":"ENTRY","step":STEP,"to":{"state":"by-hand"}}"#,
            r#"{"delivery":"ENTRY","step":STEP,"to":{"state":"failed","why":"TEXT"}}"#,
            r#"{"delivery":"ENTRY","step":STEP,"to":{"state":"unconfirmed","why":"TEXT"}}"#,
            r#"{"delivery":"ENTRY","step":STEP,"to":{"state":"superseded","by":"0000000000000001:3"}}"#,
            r#"{"delivery":"ENTRY","step":STEP,"to":{"state":"dropped","why":"TEXT"}}"#,
            r#"{"delivery":"ENTRY","step":STEP,"to":{"state":"gone","why":"TEXT"}}"#,
        ],
    ),
    (
        "facilitated",
        &[
            r#"{"act":"takes"}"#,
            r#"{"act":"leaves"}"#,
            r#"{"act":"message","from":"TEXT","via":"TEXT","text":"TEXT"}"#,
            r#"{"act":"fact","text":"TEXT"}"#,
            r#"{"act":"fault","fault":"TEXT"}"#,
            r#"{"act":"delay","seconds":STEP}"#,
            r#"{"act":"aside","text":"TEXT"}"#,
            r#"{"act":"score","criterion":STEP,"met":true,"why":"TEXT"}"#,
        ],
    ),
    (
        "symptom-began",
        &[
            r#"{"of":{"kind":"alert","fingerprint":"TEXT"},"title":"TEXT","since":"2026-05-28T20:27:00Z"}"#,
            r#"{"of":{"kind":"objective","service":"TEXT","id":"TEXT"},"title":"TEXT","since":"2026-05-28T20:27:00Z","at_least":true,"value":"TEXT"}"#,
        ],
    ),
    (
        "symptom-ended",
        &[
            r#"{"of":{"kind":"alert","fingerprint":"TEXT"},"title":"TEXT","ended":"2026-05-28T20:28:00Z","after":"2026-05-28T20:27:00Z"}"#,
            r#"{"of":{"kind":"objective","service":"TEXT","id":"TEXT"},"title":"TEXT","ended":"2026-05-28T20:28:00Z","peak":{"value":"TEXT","series":"TEXT","at":"2026-05-28T20:27:30Z","at_least":true}}"#,
        ],
    ),
];

/// What a made-up body is filled with.
pub(crate) struct Filling<'a> {
    /// What stands where a text may stand.
    pub(crate) texts: &'a [&'a str],
    /// Decides between variants, texts, ids and numbers.
    pub(crate) seed: u64,
}

impl Event {
    /// An event of a kind of the table; nothing where its type does not say enough.
    pub(crate) fn fake(kind: &str, filling: &Filling<'_>) -> Option<Self> {
        if let Some((_, bodies)) = TAGGED.iter().find(|(tagged, _)| *tagged == kind) {
            let mut draw = Draw::new(filling);
            let body = bodies[draw.below(bodies.len())];
            let text = serde_json::to_string(&draw.text()).ok()?;
            let (entry, step) = (draw.id(), draw.below(3).to_string());
            let body = body.replace("\"TEXT\"", &text).replace("ENTRY", &entry).replace("STEP", &step);
            return Some(Self::from_wire(kind, &RawValue::from_string(body).ok()?));
        }
        Self::made_up(kind, filling)
    }
}

/// So many ways there are to fill a place.
const SPELLINGS: usize = 4;

/// A value of a type, from what its `Deserialize` asks for.
pub(super) fn make<T: DeserializeOwned>(filling: &Filling<'_>) -> Option<T> {
    // Which spelling each text has: the first that its type takes.
    let mut spellings: Vec<usize> = Vec::new();
    for _ in 0..5000 {
        let mut draw = Draw { spellings: std::mem::take(&mut spellings), ..Draw::new(filling) };
        match T::deserialize(Fake(&mut draw)) {
            Ok(value) => return Some(value),
            Err(_) if draw.texts == 0 => return None,
            Err(_) => {
                spellings = draw.spellings;
                spellings.truncate(draw.texts);
                // The last that was asked for is the one that was refused; where nothing fits there, the one before was wrong.
                while spellings.pop_if(|last| *last >= SPELLINGS).is_some() {}
                *spellings.last_mut()? += 1;
            }
        }
    }
    None
}

struct Draw<'a> {
    filling: &'a Filling<'a>,
    state: u64,
    texts: usize,
    spellings: Vec<usize>,
}

impl<'a> Draw<'a> {
    fn new(filling: &'a Filling<'a>) -> Self {
        // Neighbouring seeds lie far apart, or some variants would never have their turn.
        let mixed = (filling.seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { filling, state: mixed ^ (mixed >> 29), texts: 0, spellings: Vec::new() }
    }

    fn below(&mut self, most: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.state >> 33) % most.max(1) as u64) as usize
    }

    fn text(&mut self) -> String {
        let place = self.below(self.filling.texts.len());
        self.filling.texts[place].to_owned()
    }

    fn id(&mut self) -> String {
        format!("{:016x}:{}", 1 + self.below(2), 1 + self.below(30))
    }

    /// Which spelling has its turn at the next place where there are several.
    fn next_spelling(&mut self) -> usize {
        if self.spellings.len() <= self.texts {
            self.spellings.push(0);
        }
        self.texts += 1;
        self.spellings[self.texts - 1]
    }

    /// What stands in the place of the next text; after the last spelling nothing fits.
    fn next_text(&mut self) -> String {
        let spelling = self.next_spelling();
        // Each is drawn, so that what follows does not depend on the spelling.
        let (text, id, number) = (self.text(), self.id(), self.below(9));
        match spelling {
            0 => text,
            1 => id,
            2 => format!("2026-05-28T20:2{number}:00Z"),
            3 => format!("INC-{}", number + 1),
            _ => "2026-05-28".to_owned(),
        }
    }
}

/// The names of all fields of all bodies.
fn names() -> Vec<&'static str> {
    let of_line = |line: &'static str| {
        let line = line.trim_start();
        let (name, rest) = line.strip_prefix("pub ").unwrap_or(line).split_once(": ")?;
        let is_field = rest.ends_with(',') && name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
        is_field.then_some(name)
    };
    let mut names: Vec<_> = SOURCES.iter().flat_map(|text| text.lines()).filter_map(of_line).collect();
    names.sort_unstable();
    names.dedup();
    names
}

struct Fake<'a, 'b>(&'a mut Draw<'b>);

type Wrong = de::value::Error;

macro_rules! number {
    ($($name:ident $visit:ident $type:ty),*) => {
        $(fn $name<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
            let number = self.0.below(40);
            visitor.$visit(number as $type)
        })*
    };
}

impl de::Deserializer<'static> for Fake<'_, '_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_string(visitor)
    }

    number!(
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
        deserialize_f32 visit_f32 f32, deserialize_f64 visit_f64 f64
    );

    fn deserialize_bool<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let is_set = self.0.below(2) == 1;
        visitor.visit_bool(is_set)
    }

    fn deserialize_char<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_char('x')
    }

    fn deserialize_str<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let text = self.0.next_text();
        visitor.visit_string(text)
    }

    fn deserialize_bytes<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_string(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'static>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'static>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let left = match self.0.next_spelling() {
            0 => 1,
            1 => 2,
            _ => 0,
        };
        visitor.visit_seq(Elements { draw: self.0, left })
    }

    fn deserialize_tuple<V: Visitor<'static>>(self, length: usize, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_seq(Elements { draw: self.0, left: length })
    }

    fn deserialize_tuple_struct<V: Visitor<'static>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_seq(Elements { draw: self.0, left: length })
    }

    /// A map of names, or a body with flattened parts: it gets every name that any body has; where those are refused, it is a map of entries.
    fn deserialize_map<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let names = match self.0.next_spelling() {
            0 => names(),
            1 => vec!["0000000000000001:3"],
            _ => Vec::new(),
        };
        visitor.visit_map(Fields { draw: self.0, names: names.into_iter() })
    }

    fn deserialize_struct<V: Visitor<'static>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_map(Fields { draw: self.0, names: Vec::from(fields).into_iter() })
    }

    fn deserialize_enum<V: Visitor<'static>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let variant = variants[self.0.below(variants.len())];
        visitor.visit_enum(Variant { draw: self.0, variant })
    }

    fn deserialize_identifier<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_string(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }
}

/// So many elements.
struct Elements<'a, 'b> {
    draw: &'a mut Draw<'b>,
    left: usize,
}

impl SeqAccess<'static> for Elements<'_, '_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'static>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Fake(self.draw)).map(Some)
    }
}

struct Fields<'a, 'b> {
    draw: &'a mut Draw<'b>,
    names: std::vec::IntoIter<&'static str>,
}

impl MapAccess<'static> for Fields<'_, '_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'static>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        let Some(name) = self.names.next() else { return Ok(None) };
        let name: StrDeserializer<'static, Wrong> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'static>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        seed.deserialize(Fake(self.draw))
    }
}

struct Variant<'a, 'b> {
    draw: &'a mut Draw<'b>,
    variant: &'static str,
}

impl<'a, 'b> de::EnumAccess<'static> for Variant<'a, 'b> {
    type Error = Wrong;
    type Variant = Fake<'a, 'b>;

    fn variant_seed<V: DeserializeSeed<'static>>(self, seed: V) -> Result<(V::Value, Self::Variant), Wrong> {
        let name: StrDeserializer<'static, Wrong> = self.variant.into_deserializer();
        Ok((seed.deserialize(name)?, Fake(self.draw)))
    }
}

impl de::VariantAccess<'static> for Fake<'_, '_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'static>>(self, seed: T) -> Result<T::Value, Wrong> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'static>>(self, length: usize, visitor: V) -> Result<V::Value, Wrong> {
        de::Deserializer::deserialize_tuple(self, length, visitor)
    }

    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        de::Deserializer::deserialize_struct(self, "", fields, visitor)
    }
}

#[test]
fn every_event_of_the_table_can_be_made_up_and_is_read_back_as_it_was_written() {
    for kind in Event::KINDS {
        for seed in 0..100 {
            let event = Event::fake(kind, &Filling { texts: &["kangaroo"], seed });
            let event = event
                .unwrap_or_else(|| panic!("{kind} ({seed}) cannot be made up: its body holds a type that is new here"));
            assert_eq!(event.kind(), *kind);
            assert!(!matches!(event, Event::Unrecognised { .. }), "{kind}: {event:?}");
            assert_eq!(event.as_read(), Some(event));
        }
    }
}
