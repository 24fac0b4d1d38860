//! All detectors over one log.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};

use crate::columns::batch::{batch, named};
use crate::detect::circumstances::Circumstances;
use crate::detect::context::{self, Context};
use crate::detect::conversation::Source;
use crate::detect::facts::Need;
use crate::detect::findings::{Finding, table};
use crate::detect::hosts::Hosts;
use crate::detect::known::KnownNetworks;
use crate::detect::limits::LimitMap;
use crate::detect::log::{Log, Records};
use crate::detect::systems::Systems;
use crate::detect::{
    beacons, floods, host_sweeps, lateral_fan_out, long_connections, peer_to_peer, port_mismatches,
    port_scans, rare_networks, retries, uploads,
};
use crate::direction::rules::DirectionRules;
use crate::enrich::database::Database;
use crate::error::{Error, Result};
use crate::flow::batch::FlowBatch;

/// Detectors and what each needs.
const DETECTORS: &[(&str, &[Need])] = &[
    (beacons::NAME, &[Need::Times]),
    (retries::NAME, &[Need::Times, Need::Outcomes]),
    (port_scans::NAME, &[Need::Ports, Need::Outcomes]),
    (host_sweeps::NAME, &[Need::Ports, Need::Outcomes]),
    (floods::NAME, &[Need::Starts, Need::Outcomes]),
    (uploads::NAME, &[Need::Bytes]),
    (long_connections::NAME, &[Need::Ends]),
    (port_mismatches::NAME, &[Need::Ports, Need::Services]),
    (rare_networks::NAME, &[]),
    (lateral_fan_out::NAME, &[Need::Ports]),
];

/// What to look for.
#[derive(Debug)]
pub struct Request {
    /// Names of detectors.
    pub detectors: Vec<String>,
    /// Limits of the detectors and of the context.
    pub limits: LimitMap,
    /// Known networks and their names.
    pub known: Vec<(String, String, bool)>,
    /// Whether the table of hosts is wanted.
    pub hosts: bool,
}

/// Findings, and what each detector did.
#[derive(Debug)]
pub struct Hunt {
    /// The ranked findings.
    pub findings: RecordBatch,
    /// Which detectors ran, and why others did not.
    pub detectors: RecordBatch,
    /// The internal hosts, if requested.
    pub hosts: Option<RecordBatch>,
}

/// Read flows.
pub fn collect(
    flows: impl Iterator<Item = Result<FlowBatch>>,
    rules: DirectionRules,
) -> Result<Records> {
    let mut records = Records::new(rules);
    for batch in flows {
        records.add(&batch?)?;
    }
    Ok(records)
}

/// What one task finds.
#[derive(Default)]
struct Part {
    findings: Vec<Finding>,
    circumstances: Circumstances,
    floods: floods::Targets,
    hosts: Hosts,
}

/// Run detectors.
pub fn hunt(records: Records, database: &Database, request: Request) -> Result<Hunt> {
    let status = |name: &str, log: &Log| {
        let detector = DETECTORS.iter().find(|(known, _)| *known == name);
        let (_, needs) =
            detector.ok_or_else(|| Error::Argument(format!("unknown detector {name:?}")))?;
        Ok(log.facts.lacks(needs))
    };
    let known = KnownNetworks::parse(request.known)?;
    let detectors = Detectors::read(&request.limits)?;
    let log = records.into_log();
    let statuses: Vec<(String, Option<&str>)> = (request.detectors.into_iter())
        .map(|name| status(&name, &log).map(|reason| (name, reason)))
        .collect::<Result<_>>()?;
    let systems = Systems::new(&log, database, request.hosts)?;
    let runs = |name: &str| {
        statuses
            .iter()
            .any(|(known, reason)| known == name && reason.is_none())
    };
    let bounds = runs(floods::NAME).then(|| floods::Bounds::new(&log));
    let parts = log.fold(|part: &mut Part, source| {
        part.circumstances.add(&log, source, &systems);
        let mut found = Vec::new();
        detectors.run(&log, source, &systems, runs, &mut found);
        peer_to_peer::demote(&log, source, &mut found);
        lateral_fan_out::demote(&mut found);
        part.findings.append(&mut found);
        if let Some(bounds) = &bounds {
            part.floods.add(&log, source, &detectors.floods, bounds);
        }
        if request.hosts {
            part.hosts.add(&log, source);
        }
    });
    let mut all = Part::default();
    for part in parts {
        all.findings.extend(part.findings);
        all.circumstances.merge(part.circumstances);
        all.floods.merge(part.floods);
        all.hosts.merge(part.hosts);
    }
    let flooded = all.floods.find(&log, &detectors.floods);
    all.findings.extend(flooded);
    all.findings.retain_mut(|finding| {
        let limits = &detectors.rare_networks;
        finding.detector != rare_networks::NAME
            || rare_networks::keep(finding, &all.circumstances, &systems, limits)
    });
    let ends = |finding: &Finding| {
        let dest = finding
            .dest
            .or_else(|| finding.filter.dests.first().copied());
        finding.source.into_iter().chain(dest)
    };
    let ends = all.findings.iter().flat_map(ends).collect();
    let named = Systems::of(&log, ends, database)?;
    let context = Context {
        log: &log,
        systems: &named,
        circumstances: &all.circumstances,
        known: &known,
        limits: &detectors.context,
    };
    for finding in &mut all.findings {
        context.apply(finding);
    }
    let hosts = all.hosts;
    let hosts = request
        .hosts
        .then(|| hosts.into_table(&log, &systems, &all.findings));
    Ok(Hunt {
        hosts: hosts.transpose()?,
        findings: table(&log, all.findings)?,
        detectors: status_table(&statuses)?,
    })
}

/// Limits of all detectors.
struct Detectors {
    beacons: beacons::Limits,
    retries: retries::Limits,
    port_scans: port_scans::Limits,
    host_sweeps: host_sweeps::Limits,
    floods: floods::Limits,
    uploads: uploads::Limits,
    long_connections: long_connections::Limits,
    port_mismatches: port_mismatches::Limits,
    rare_networks: rare_networks::Limits,
    lateral_fan_out: lateral_fan_out::Limits,
    context: context::Limits,
}

impl Detectors {
    fn read(limits: &LimitMap) -> Result<Self> {
        Ok(Self {
            beacons: beacons::Limits::read(limits)?,
            retries: retries::Limits::read(limits)?,
            port_scans: port_scans::Limits::read(limits)?,
            host_sweeps: host_sweeps::Limits::read(limits)?,
            floods: floods::Limits::read(limits)?,
            uploads: uploads::Limits::read(limits)?,
            long_connections: long_connections::Limits::read(limits)?,
            port_mismatches: port_mismatches::Limits::read(limits)?,
            rare_networks: rare_networks::Limits::read(limits)?,
            lateral_fan_out: lateral_fan_out::Limits::read(limits)?,
            context: context::Limits::read(limits)?,
        })
    }

    /// Run detectors on one initiator.
    fn run(
        &self,
        log: &Log,
        source: &Source,
        systems: &Systems,
        runs: impl Fn(&str) -> bool,
        out: &mut Vec<Finding>,
    ) {
        if runs(beacons::NAME) {
            out.extend(beacons::find(
                log,
                source,
                &self.beacons,
                &self.retries,
                systems,
            ));
        }
        if runs(retries::NAME) {
            out.extend(retries::find(log, source, &self.retries));
        }
        if runs(port_scans::NAME) {
            out.extend(port_scans::find(log, source, &self.port_scans));
        }
        if runs(host_sweeps::NAME) {
            out.extend(host_sweeps::find(log, source, &self.host_sweeps));
        }
        if runs(uploads::NAME) {
            out.extend(uploads::find(log, source, &self.uploads));
        }
        if runs(long_connections::NAME) {
            out.extend(long_connections::find(log, source, &self.long_connections));
        }
        if runs(port_mismatches::NAME) {
            out.extend(port_mismatches::find(log, source, &self.port_mismatches));
        }
        if runs(rare_networks::NAME) {
            out.extend(rare_networks::find(
                log,
                source,
                &self.rare_networks,
                systems,
            ));
        }
        if runs(lateral_fan_out::NAME) {
            out.extend(lateral_fan_out::find(log, source, &self.lateral_fan_out));
        }
    }
}

fn status_table(statuses: &[(String, Option<&str>)]) -> Result<RecordBatch> {
    let names = statuses.iter().map(|(name, _)| Some(name.as_str()));
    let ran = statuses.iter().map(|(_, reason)| Some(reason.is_none()));
    let reasons = statuses.iter().map(|(_, reason)| *reason);
    batch(vec![
        named(
            "detector",
            Arc::new(names.collect::<StringArray>()) as ArrayRef,
        ),
        named("ran", Arc::new(ran.collect::<BooleanArray>())),
        named("reason", Arc::new(reasons.collect::<StringArray>())),
    ])
}
