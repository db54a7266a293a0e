//! Mappings and their fields, as data.

use super::text::TextLimit;

/// A mapping with known fields: an entity of the service, or a part of one.
#[derive(Debug)]
pub struct Mapping {
    /// Its name in messages, as in `an artifact`.
    pub name: &'static str,
    /// Its fields, in the order of the service's model, which is that of the service's messages.
    pub fields: &'static [Field],
    /// The field that is meant by a lone text where the mapping belongs.
    pub main: Option<&'static str>,
    /// Help for a list of such mappings that is written otherwise.
    pub form: &'static str,
    /// Fields that the service answers with and no request has.
    pub read_only: &'static [&'static str],
}

/// A field of a [`Mapping`].
#[derive(Debug)]
pub struct Field {
    /// Its name in requests and manifests.
    pub name: &'static str,
    /// The kind of value that it holds.
    pub kind: Kind,
    /// The meaning of its value beyond the kind, which rules look at.
    pub sense: Sense,
    /// True if the service requires it.
    pub required: bool,
    /// True if it may stand in `Defaults`: what identifies an artifact cannot be shared.
    pub shared: bool,
    /// The operation that changes it once the entity exists, if there is one.
    pub change: Change,
    /// The names that other tools use for it: without case, hyphens and underscores.
    pub nicknames: &'static [&'static str],
    /// Its description, for editors. `{max}` is the most entries that it takes.
    pub about: &'static str,
    /// Examples of values, for editors.
    pub examples: &'static [&'static str],
    /// Help where the field has no value.
    pub when_empty: &'static str,
    /// Help where the field is missing; empty for the one that names the field.
    pub when_missing: &'static str,
    /// The noun for its entries, and the code of the rule about too many of them.
    pub entry: Noun,
}

/// The noun for an entry of a field.
#[derive(Debug, Clone, Copy)]
pub struct Noun {
    /// One of them.
    pub one: &'static str,
    /// Several.
    pub many: &'static str,
    /// The rule about too many of them, by its code; empty where there is none.
    pub rule: &'static str,
}

/// The kind of value that a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// One text.
    Text(TextLimit),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A mapping with known fields.
    Mapping(&'static Mapping),
    /// A list of mappings of two texts, both required.
    Pairs {
        /// An item.
        item: &'static Mapping,
        /// True if the first text is the key of the second, so that no two items have the same.
        keyed: bool,
        /// Most items; `None` where the service states no bound.
        max: Option<usize>,
    },
    /// Texts by keys that users choose.
    Map {
        /// A key.
        key: TextLimit,
        /// A value.
        value: TextLimit,
        /// Most entries.
        max: usize,
    },
}

/// The meaning of a value beyond its [`Kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// Nothing.
    Plain,
    /// The name of the entity.
    Name,
    /// The type of the entity.
    Type,
    /// The location of the entity.
    Uri,
    /// Ids of what is at a URI: a set.
    SourceIds,
    /// Tags of the AWS resource.
    Tags,
    /// The key of a tag, of which some are reserved.
    TagKey,
}

/// The operation that changes a field once the entity exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Not at all: it is fixed when the entity is created.
    Never,
    /// By the entity's update operation.
    Update,
    /// By `AddTags` and `DeleteTags`.
    Tagging,
}

/// Help where a text has no value that may be empty.
pub const WHEN_EMPTY: &str = "write a value, `''` for an empty string, or remove the line";

impl Field {
    /// A field that nothing is known of but its name and what it holds.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            sense: Sense::Plain,
            required: false,
            shared: false,
            change: Change::Never,
            nicknames: &[],
            about: "",
            examples: &[],
            when_empty: WHEN_EMPTY,
            when_missing: "",
            entry: Noun { one: "entry", many: "entries", rule: "" },
        }
    }

    pub(super) const fn text(name: &'static str, limit: TextLimit) -> Self {
        Self::new(name, Kind::Text(limit))
    }

    pub(super) const fn choice(name: &'static str, choices: &'static [&'static str]) -> Self {
        Self::new(name, Kind::Choice(choices))
    }

    pub(super) const fn mapping(name: &'static str, mapping: &'static Mapping) -> Self {
        Self::new(name, Kind::Mapping(mapping))
    }

    pub(super) const fn pairs(name: &'static str, item: &'static Mapping) -> Self {
        Self::new(name, Kind::Pairs { item, keyed: false, max: None })
    }

    pub(super) const fn keyed(name: &'static str, item: &'static Mapping, max: usize) -> Self {
        Self::new(name, Kind::Pairs { item, keyed: true, max: Some(max) })
    }

    pub(super) const fn map(
        name: &'static str,
        key: TextLimit,
        value: TextLimit,
        max: usize,
    ) -> Self {
        Self::new(name, Kind::Map { key, value, max })
    }

    pub(super) const fn sense(mut self, sense: Sense) -> Self {
        self.sense = sense;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    pub(super) const fn change(mut self, change: Change) -> Self {
        self.change = change;
        self
    }

    /// Adds the names that other tools use for it.
    #[must_use]
    pub const fn nicknames(mut self, nicknames: &'static [&'static str]) -> Self {
        self.nicknames = nicknames;
        self
    }

    pub(super) const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    pub(super) const fn examples(mut self, examples: &'static [&'static str]) -> Self {
        self.examples = examples;
        self
    }

    pub(super) const fn when_empty(mut self, help: &'static str) -> Self {
        self.when_empty = help;
        self
    }

    pub(super) const fn when_missing(mut self, help: &'static str) -> Self {
        self.when_missing = help;
        self
    }

    pub(super) const fn entries(
        mut self,
        one: &'static str,
        many: &'static str,
        rule: &'static str,
    ) -> Self {
        self.entry = Noun { one, many, rule };
        self
    }

    /// Returns whether it is the same field of the same mapping.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }

    /// Returns whether it holds one text.
    #[must_use]
    pub const fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text(_) | Kind::Choice(_))
    }

    /// Returns the most entries that it takes.
    #[must_use]
    pub const fn max(&self) -> Option<usize> {
        match self.kind {
            Kind::Pairs { max, .. } => max,
            Kind::Map { max, .. } => Some(max),
            Kind::Text(_) | Kind::Choice(_) | Kind::Mapping(_) => None,
        }
    }

    /// Returns what to write where it is missing.
    #[must_use]
    pub fn help_when_missing(&self) -> String {
        let name = self.name;
        match self.kind {
            _ if !self.when_missing.is_empty() => self.when_missing.to_owned(),
            Kind::Mapping(below) => match below.main {
                Some(main) => format!("add `{name}:` and below it, indented, `{main}: …`"),
                None => format!("add `{name}:`"),
            },
            _ => format!("add `{name}: …`"),
        }
    }

    /// Returns its description, with its numbers.
    #[must_use]
    pub fn description(&self) -> String {
        let max = self.max().map_or_else(String::new, |max| max.to_string());
        self.about.replace("{max}", &max)
    }
}

impl Mapping {
    /// Returns the field with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Returns the field with this sense, here or in a mapping below.
    #[must_use]
    pub fn of_sense(&self, sense: Sense) -> Option<&'static Field> {
        self.fields.iter().find_map(|field| match field.kind {
            _ if field.sense == sense => Some(field),
            Kind::Mapping(below) => below.of_sense(sense),
            _ => None,
        })
    }

    /// Returns the fields of this mapping and of those in it, items of lists included.
    #[must_use]
    pub fn all_fields(&self) -> Vec<&'static Field> {
        let mut all = Vec::new();
        for field in self.fields {
            all.push(field);
            if let Kind::Mapping(below) | Kind::Pairs { item: below, .. } = field.kind {
                all.extend(below.all_fields());
            }
        }
        all
    }

    /// Returns the texts that lineload only passes on, of this mapping and of those in it.
    #[must_use]
    pub fn plain_texts(&self) -> Vec<&'static Field> {
        let mut texts = Vec::new();
        for field in self.fields {
            match field.kind {
                Kind::Text(_) | Kind::Choice(_) if field.sense == Sense::Plain => texts.push(field),
                Kind::Mapping(below) => texts.extend(below.plain_texts()),
                _ => {}
            }
        }
        texts
    }

    /// Returns the names of the fields in the order of the alphabet, which is that of the API
    /// reference.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.fields.iter().map(|field| field.name).collect();
        names.sort_unstable();
        names
    }

    /// Returns the fields as they are sent: single texts first, which is how every digest was made.
    pub fn texts_first(&self) -> impl Iterator<Item = &'static Field> + use<> {
        let is_text = |field: &&Field| field.is_text();
        let rest = self.fields.iter().filter(|field| !field.is_text());
        self.fields.iter().filter(is_text).chain(rest)
    }

    /// Returns whether this mapping or one below it has a field with this name.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.fields.iter().any(|field| {
            field.name == name
                || match field.kind {
                    Kind::Mapping(below) | Kind::Pairs { item: below, .. } => below.knows(name),
                    Kind::Text(_) | Kind::Choice(_) | Kind::Map { .. } => false,
                }
        })
    }

    /// Returns the names of the required fields in the order of the alphabet.
    #[must_use]
    pub fn required(&self) -> Vec<&'static str> {
        let required = |name: &&str| self.field(name).is_some_and(|field| field.required);
        self.names().into_iter().filter(required).collect()
    }
}
