//! What a kind of system is, as data: its name, how incidents are kept there, its sections of the configuration, its
//! calls.
//!
//! Hides nothing: a [`ChannelSpec`] is what the configuration, the starter file, `doctor` and the rehearsal know of a
//! system, so that a new one is its file and its line in [`super::CHANNELS`].
//!
//! Invariant: what is here is known without asking anybody.

use super::calls::Call;
use super::{CHANNELS, Open};
use crate::incident::Channel;
use crate::reach::{Habit, Place, Tracker};

/// A kind of system.
#[derive(Clone, Copy, Debug)]
pub struct ChannelSpec {
    /// Its name, which is its section in the configuration too.
    pub name: &'static str,
    /// Opens one, without asking the network.
    pub open: Open,
    /// How it is told of incidents, where it keeps them; and where they belong while the configuration names no place.
    pub keeps: Option<(Habit, Home)>,
    /// What our things are called there: further sections of the configuration.
    pub sections: &'static [Section],
    /// Its part of the starter file.
    pub starter: &'static str,
    /// Everything that an incident asks of it.
    pub calls: &'static [Call],
    /// What `doctor --rehearse` does there.
    pub rehearsal: Rehearsal,
}

/// Where incidents belong in a system that keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// It is one place itself.
    Itself,
    /// The configuration names it; without that none is kept there.
    Named,
}

/// A further section of a system.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// What stands in it.
    pub holds: Holds,
}

/// What a section holds.
#[derive(Clone, Copy, Debug)]
pub enum Holds {
    /// These keys.
    Keys(&'static [Key]),
    /// A value for each service that has a playbook.
    Services(Takes, Parts),
}

/// What the values by service are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// The place of its incidents.
    Places,
    /// The component of a status page.
    Components(Channel),
}

/// A key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Which values it takes.
    pub takes: Takes,
    /// What it says.
    pub means: Means,
}

/// Which values a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// An ID: letters, digits, `-` and `_`.
    Id,
    /// The ID of one of Slack's channels.
    SlackChannel,
    /// A repository: `owner/name`.
    Repository,
    /// A text that is not blank.
    Text,
    /// Yes or no.
    Flag,
    /// Values of fields, by their IDs; facts of the incident stand in braces.
    Fields,
}

/// What a key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Texts of a channel of the runbook go to this place, or there at all.
    Route(Channel),
    /// All incidents belong there.
    Place,
    /// Something that the system itself reads, and that says nothing without an address.
    Option,
    /// The same, which does no harm without one.
    Preference,
}

/// What `doctor --rehearse` does in a system.
#[derive(Clone, Copy, Debug)]
pub struct Rehearsal {
    /// The place for it, as its key in `[rehearsal]` takes it: a [`Takes::Flag`] where the system is one place. None:
    /// it is not rehearsed.
    pub place: Option<Takes>,
    /// Its part of the starter file.
    pub starter: &'static str,
    /// Further keys in `[rehearsal]`.
    pub keys: &'static [Key],
    /// The life of an incident there.
    pub life: Life,
    /// Something that was made is found again when its answer is lost.
    pub finds_again: bool,
}

/// Which acts make the life of an incident in a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// A text is posted.
    Post,
    /// A text, and an incident's own channel.
    Chat,
    /// A page says what is wrong, that it is watched, and that it is over.
    Page,
    /// A ticket is described and closed, and one of a follow-up.
    Ticket,
    /// An annotation begins and ends.
    Region,
    /// A silence begins and ends.
    Silence,
    /// An alert is acknowledged, told of and closed.
    Alert,
}

impl Rehearsal {
    /// It is not rehearsed.
    pub const NONE: Self = Self { place: None, starter: "", keys: &[], life: Life::Post, finds_again: false };

    /// A life in a place of this kind, in which what was made is found again.
    pub const fn of(place: Takes, life: Life, starter: &'static str) -> Self {
        Self { place: Some(place), starter, keys: &[], life, finds_again: true }
    }
}

/// A key of a section.
pub(super) const fn key(name: &'static str, takes: Takes, means: Means) -> Key {
    Key { name, takes, means }
}

/// The kind of system of a name.
pub fn spec(name: &str) -> Option<&'static ChannelSpec> {
    CHANNELS.iter().find(|spec| *spec.name == *name)
}

/// A system that keeps incidents, at a place; nothing where it keeps none.
pub fn tracker(name: &str, place: Place) -> Option<Tracker> {
    let spec = spec(name)?;
    let (habit, _) = spec.keeps?;
    Some(Tracker { service: spec.name.into(), place, habit })
}
