//! Whether the responder accepted a flow: by the log's state, or else by counters and TCP flags.

use crate::detect::record::Outcome;
use crate::error::Result;
use crate::flow::batch::FlowBatch;
use crate::flow::tcp_flags::{self, SYN};
use crate::flow::view::FlowView;

const FIN: u8 = 1;
const RST: u8 = 4;
const PSH: u8 = 8;

/// Bytes of a TCP packet without payload, with options, over IPv6.
const MAX_EMPTY: i64 = 80;

/// Columns that state whether flows were accepted.
#[derive(Debug)]
pub struct OutcomeColumns {
    states: Vec<(Option<Outcome>, bool)>,
    flags: Vec<Option<u8>>,
}

impl OutcomeColumns {
    /// Read the columns of a batch.
    pub fn read(batch: &FlowBatch) -> Result<Self> {
        let state = |text: Option<&str>| {
            let state = text.unwrap_or_default();
            (by_state(state), is_tcp_only(state))
        };
        let flags = |text: Option<&str>| text.and_then(|text| tcp_flags::parse(text, 10));
        Ok(Self {
            states: batch.text("state")?.map(state),
            flags: batch.text("tcp_flags")?.map(flags),
        })
    }

    /// The outcome of a row.
    pub fn get(&self, view: &FlowView, row: usize, is_tcp: bool) -> Outcome {
        match (view.denied.count(row) > 0, view.flows.count(row) > 0) {
            (true, false) => return Outcome::Failed,
            (true, true) => return Outcome::Unknown,
            _ => {}
        }
        let (state, tcp_only) = self.states[row];
        match state {
            Some(outcome) if is_tcp || !tcp_only => outcome,
            _ => self.by_counters(view, row, is_tcp),
        }
    }

    fn by_counters(&self, view: &FlowView, row: usize, is_tcp: bool) -> Outcome {
        let [sent, received] = view.packets.each_ref().map(|packets| packets.get(row));
        let bytes = view.bytes[1].get(row);
        let Some(some) = received.or(bytes) else {
            return Outcome::Unknown;
        };
        if some == 0 {
            return Outcome::Failed;
        }
        let Some(flags) = self.flags[row].filter(|_| is_tcp) else {
            return Outcome::Answered;
        };
        let only_reset = flags & RST != 0 && flags & SYN != 0 && flags & (FIN | PSH) == 0;
        let as_many = received.is_some_and(|received| Some(received) <= sent && received > 0);
        let is_empty = (bytes.zip(received)).is_none_or(|(bytes, packets)| {
            packets
                .checked_mul(MAX_EMPTY)
                .is_none_or(|limit| bytes <= limit)
        });
        // An open port answers SYN with one packet, and needs a second one of the initiator to be
        // reset.
        let refused = only_reset && as_many && is_empty && received == sent && sent == Some(1);
        if refused {
            Outcome::Failed
        } else {
            Outcome::Answered
        }
    }
}

/// The outcome by Zeek's `conn_state` or the state of Argus; `None` if it leaves that open.
fn by_state(state: &str) -> Option<Outcome> {
    match state {
        "S0" | "REJ" | "RSTOS0" | "RSTRH" | "SH" | "SHR" | "INT" | "REQ" | "URP" | "URH"
        | "URN" | "URF" | "URHPRO" | "URNPRO" => Some(Outcome::Failed),
        "SF" | "S1" | "S2" | "S3" | "RSTO" | "RSTR" | "CON" | "EST" | "ACC" => {
            Some(Outcome::Answered)
        }
        _ => by_flags_of_both(state),
    }
}

/// Whether a state is one of TCP in Zeek, which logs others as if they were TCP.
fn is_tcp_only(state: &str) -> bool {
    matches!(state, "SHR" | "RSTRH" | "SH")
}

/// The outcome by Argus' flags of both endpoints, such as `S_RA`.
fn by_flags_of_both(state: &str) -> Option<Outcome> {
    let (source, dest) = state.split_once('_')?;
    let is_flags = |text: &str| text.bytes().all(|letter| b"FSRPAUEC".contains(&letter));
    if !is_flags(source) || !is_flags(dest) || source.len() + dest.len() == 0 {
        return None;
    }
    let has_data = dest.contains(['S', 'P', 'F']);
    match dest {
        _ if has_data => Some(Outcome::Answered),
        "" if source.contains('S') => Some(Outcome::Failed),
        "" => None,
        _ if dest.contains('R') && source.contains('S') => Some(Outcome::Failed),
        _ => Some(Outcome::Answered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_zeek_and_argus_give_an_outcome() {
        for (state, expected) in [
            ("S0", Some(Outcome::Failed)),
            ("REJ", Some(Outcome::Failed)),
            ("SF", Some(Outcome::Answered)),
            ("RSTO", Some(Outcome::Answered)),
            ("OTH", None),
            ("S_", Some(Outcome::Failed)),
            ("S_RA", Some(Outcome::Failed)),
            ("SR_SA", Some(Outcome::Answered)),
            ("FSPA_FSPA", Some(Outcome::Answered)),
            ("PA_A", Some(Outcome::Answered)),
            ("A_", None),
            ("_", None),
            ("INT", Some(Outcome::Failed)),
            ("new_state", None),
            ("", None),
        ] {
            assert_eq!(by_state(state), expected, "{state}");
        }
    }
}
