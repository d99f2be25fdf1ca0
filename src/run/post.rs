//! Hands texts to other systems, one at a time for each, beside the loop.
//!
//! Hides when a system is opened: with the first text for it, because that reads certificates and credentials from the disk.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use chrono::TimeDelta;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::{JournalPlace, beside};
use crate::channel::{Channel, ChannelSpec, SystemSettings};
use crate::console::Msg;
use crate::incident::{Act, EntryId, Parcel, Receipt, Watched};
use crate::reach::Reach;
use crate::source::Endpoint;
use crate::source::gate::{Gate, Keeper};
use crate::text::CleanStr;

/// What is asked of a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    Deliver,
    LookUp,
    Prove,
}

/// A system, opened or not yet.
type Door = Arc<Mutex<Option<Arc<dyn Channel>>>>;

/// What stands before its first write or is on its way to it, and what opens its gate.
type Gates = Arc<std::sync::Mutex<BTreeMap<EntryId, (Arc<Gate>, oneshot::Sender<()>)>>>;

/// The systems that are configured.
pub(super) struct Post {
    doors: Vec<(&'static ChannelSpec, Endpoint, Door)>,
    gates: Gates,
    options: SystemSettings,
    journal: JournalPlace,
    reach: Arc<Reach>,
}

impl Post {
    pub(super) fn new(
        channels: &[(&'static ChannelSpec, Endpoint)],
        options: SystemSettings,
        journal: &JournalPlace,
        reach: &Reach,
    ) -> Self {
        let doors = channels.iter().map(|(spec, endpoint)| (*spec, endpoint.clone(), Door::default()));
        Self {
            doors: doors.collect(),
            gates: Gates::default(),
            options,
            journal: journal.clone(),
            reach: Arc::new(reach.clone()),
        }
    }

    /// Runs an errand in a task of its own; what comes of it goes back as a message.
    pub(super) fn run(&self, errand: Errand, parcel: Parcel, back: mpsc::Sender<Msg>) {
        let door = self.doors.iter().find(|(spec, ..)| *spec.name == *parcel.service).cloned();
        let options = self.options.clone();
        let (journal, reach) = (self.journal.clone(), self.reach.clone());
        let gate = (errand == Errand::Deliver).then(|| self.gate(parcel.id, &back));
        let gates = self.gates.clone();
        tokio::spawn(async move {
            let receipt = match door {
                None => nowhere(format!("{} is not configured here any more", parcel.service)),
                Some((spec, endpoint, door)) => {
                    // Whoever has the door is alone: messages come in the order in which they were approved.
                    let mut door = door.lock().await;
                    match opened(&mut door, spec, endpoint, options).await {
                        Err(receipt) => receipt,
                        Ok(channel) => {
                            channel.site().guard(gate.clone());
                            let receipt = match errand {
                                Errand::Deliver => match surrounded(&parcel, journal, reach).await {
                                    Ok(parcel) => channel.deliver(&parcel).await,
                                    Err(receipt) => receipt,
                                },
                                Errand::LookUp | Errand::Prove => channel.look_up(&parcel).await,
                            };
                            channel.site().guard(None);
                            tell_rest(&parcel.service, &*channel, &back).await;
                            if matches!(receipt, Receipt::Refused(_)) {
                                // Systems say no to a token in many ways: the next try uses what is there by then.
                                channel.site().read_secret_again().await;
                            }
                            receipt
                        }
                    }
                }
            };
            if let Some(gate) = &gate {
                let mut gates = gates.lock().unwrap_or_else(PoisonError::into_inner);
                if gates.get(&parcel.id).is_some_and(|(known, _)| Arc::ptr_eq(known, gate)) {
                    gates.remove(&parcel.id);
                }
            }
            if gate.is_some_and(|gate| gate.is_called_off()) {
                return;
            }
            let msg = match errand {
                Errand::Deliver => Msg::Delivered(parcel.id, receipt),
                Errand::LookUp => Msg::LookedUp(parcel.id, receipt),
                Errand::Prove => Msg::Proved(parcel.id, receipt),
            };
            let _ = back.send(msg).await;
        });
    }

    /// A gate for something that goes out: when it stands before its first write, that is said.
    fn gate(&self, id: EntryId, back: &mpsc::Sender<Msg>) -> Arc<Gate> {
        let (gate, Keeper { ready, go }) = Gate::new();
        let gate = Arc::new(gate);
        let known = self.gates.lock().unwrap_or_else(PoisonError::into_inner).insert(id, (gate.clone(), go));
        if let Some((older, _)) = known {
            older.call_off();
        }
        let back = back.clone();
        tokio::spawn(async move {
            if ready.await.is_ok() {
                let _ = back.send(Msg::Ready(id)).await;
            }
        });
        gate
    }

    /// Lets something write: that it goes out is in the record.
    pub(super) fn proceed(&self, id: EntryId, back: mpsc::Sender<Msg>) {
        let known = self.gates.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if known.is_some_and(|(_, go)| go.send(()).is_ok()) {
            return;
        }
        // It waited too long for that, and has written nothing.
        let receipt = nowhere("it took too long to write down that it goes out".to_owned());
        tokio::spawn(async move { back.send(Msg::Delivered(id, receipt)).await });
    }

    /// Stops something before its first write: nobody waits for what becomes of it.
    pub(super) fn stop(&self, id: EntryId) {
        if let Some((gate, _)) = self.gates.lock().unwrap_or_else(PoisonError::into_inner).remove(&id) {
            gate.call_off();
        }
    }

    /// Stops all that has not written yet.
    pub(super) fn stop_all(&self) {
        let gates = std::mem::take(&mut *self.gates.lock().unwrap_or_else(PoisonError::into_inner));
        for (gate, _) in gates.into_values() {
            gate.call_off();
        }
    }

    /// Asks a system what was done there.
    pub(super) fn ask_news(&self, watched: Watched, back: mpsc::Sender<Msg>) {
        let door = self.doors.iter().find(|(spec, ..)| *spec.name == *watched.service).cloned();
        let options = self.options.clone();
        tokio::spawn(async move {
            let Some((spec, endpoint, door)) = door else { return };
            let channel = opened(&mut *door.lock().await, spec, endpoint, options).await;
            // What goes out does not wait for what comes in.
            let news = match channel {
                Ok(channel) => {
                    let news = channel.news(&watched).await;
                    tell_rest(&watched.service, &*channel, &back).await;
                    news
                }
                Err(Receipt::NotThere { why, .. }) => Err(why),
                Err(_) => return,
            };
            let _ = back.send(Msg::News(watched.service, news)).await;
        });
    }
}

/// What readers of a page are told comes with what else is open, as the records have it now.
async fn surrounded(parcel: &Parcel, journal: JournalPlace, reach: Arc<Reach>) -> Result<Parcel, Receipt> {
    let mut parcel = parcel.clone();
    if !matches!(parcel.act, Act::Publish(_)) {
        return Ok(parcel);
    }
    let (own, page) = (parcel.incident, parcel.target.clone());
    parcel.beside = match tokio::task::spawn_blocking(move || beside::beside(&journal, &reach, own, &page)).await {
        Ok(Ok(beside)) => beside,
        Ok(Err(error)) => return Err(nowhere(format!("what else is open cannot be read: {error:#}"))),
        Err(error) => return Err(nowhere(format!("what else is open cannot be read: {error}"))),
    };
    Ok(parcel)
}

/// Passes on how long a system wants to be left alone.
async fn tell_rest(service: &CleanStr, channel: &dyn Channel, back: &mpsc::Sender<Msg>) {
    let rest = channel.site().take_rest().and_then(|rest| TimeDelta::from_std(rest).ok());
    if let Some(rest) = rest {
        let _ = back.send(Msg::Rests(service.clone(), rest)).await;
    }
}

async fn opened(
    door: &mut Option<Arc<dyn Channel>>,
    spec: &'static ChannelSpec,
    endpoint: Endpoint,
    options: SystemSettings,
) -> Result<Arc<dyn Channel>, Receipt> {
    if let Some(channel) = door {
        return Ok(channel.clone());
    }
    let channel = tokio::task::spawn_blocking(move || (spec.open)(&endpoint, &options)).await;
    let channel: Arc<dyn Channel> = match channel {
        Ok(Ok(channel)) => channel.into(),
        Ok(Err(error)) => return Err(nowhere(error.to_string())),
        Err(error) => return Err(nowhere(format!("{} could not be opened: {error}", spec.name))),
    };
    *door = Some(channel.clone());
    Ok(channel)
}

/// Nothing has left this machine.
fn nowhere(why: String) -> Receipt {
    Receipt::NotThere { why: CleanStr::new(&why), wait: None }
}
