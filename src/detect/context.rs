//! Context: circumstances that lower or raise the severity of a finding, never its score.

use crate::detect::circumstances::Circumstances;
use crate::detect::findings::{Finding, Severity};
use crate::detect::humanize::{plural, span};
use crate::detect::known::KnownNetworks;
use crate::detect::limits::limits;
use crate::detect::log::Log;
use crate::detect::systems::Systems;
use crate::direction::rules::Direction;
use crate::flow::initiator::addresses::may_be_broadcast;

limits! {
    "context",
    /// Minimum number of internal hosts that call a popular network.
    popular_hosts,
    /// Share of the internal hosts that call a popular network, of those that call outside.
    popular_share,
    /// Internal hosts from which a network that a single one calls is rare.
    rare_hosts,
    /// Internal clients of a proxy.
    proxy_clients,
    /// Outside addresses that a proxy calls.
    proxy_peers,
    /// Outside clients that a public server answers.
    server_clients,
    /// Time in seconds below which a log is short.
    short_log,
    /// Score below which a rhythm is weak.
    weak_score,
    /// Jitter below which a rhythm to a network that rents servers is that of a scheduled task.
    shared_jitter,
    /// Period in seconds from which it is.
    shared_period,
    /// Score from which a finding about a network that only one host calls is of high severity.
    high_score,
}

/// Ports of infrastructure, with what they are for.
const INFRASTRUCTURE: &[(&[u16], &str)] = &[
    (&[123], "time service (NTP)"),
    (&[53, 853, 5353, 5355, 137], "name resolution"),
    (
        &[67, 68, 138, 546, 547, 1900, 3544, 3702, 5350, 5351],
        "network configuration or discovery",
    ),
    (
        &[3478, 3479, 3480, 3481, 5060, 5061, 5349, 19_302],
        "telephony (STUN, SIP)",
    ),
];

/// Ports on which hosts ask many outside addresses without an answer: DNS, NTP, and `NetBIOS`, which
/// Windows asks for the names of web servers.
const UNANSWERED: &[u16] = &[53, 123, 137];

/// Ports of mailboxes, which clients poll.
const MAIL: &[u16] = &[110, 143, 993, 995];

/// Ports of push and presence services, to which clients keep a connection.
const PUSH: &[u16] = &[5222, 5223, 5228, 5229, 5230];

/// Ports of web services, updates and telemetry, also of MQTT over TLS.
const WEB: &[u16] = &[80, 443, 8080, 8443, 8883];

/// Ports of web proxies.
const PROXY: &[u16] = &[1080, 3128, 3129, 8000, 8080, 8081, 8118, 8123, 8888, 9090];

/// Detectors of what infrastructure does, too.
const RHYTHMIC: [&str; 3] = ["beacons", "retries", "long_connections"];

/// What is known about the log.
pub struct Context<'a> {
    /// The log.
    pub log: &'a Log,
    /// Networks of outside addresses.
    pub systems: &'a Systems,
    /// Counts over all initiators.
    pub circumstances: &'a Circumstances,
    /// Known networks.
    pub known: &'a KnownNetworks,
    /// Limits.
    pub limits: &'a Limits,
}

impl Context<'_> {
    /// Add the context of a finding.
    pub fn apply(&self, finding: &mut Finding) {
        self.name(finding);
        match finding.direction {
            Direction::Internal => self.internal(finding),
            Direction::Inbound => self.inbound(finding),
            Direction::Outbound => self.outbound(finding),
            _ if RHYTHMIC.contains(&finding.detector) => {
                finding.demote("no internal endpoint".into());
            }
            _ => {}
        }
        if RHYTHMIC.contains(&finding.detector) {
            self.infrastructure(finding);
        }
        if finding.detector == "beacons" && finding.score < self.limits.weak_score {
            finding.demote("weak rhythm".into());
        }
        let covered = self.log.facts.span();
        if covered < self.limits.short_log {
            finding
                .context
                .push(format!("short log: {}", span(covered)));
        }
    }

    /// Name the outside network.
    fn name(&self, finding: &mut Finding) {
        let outside = finding
            .outside()
            .or_else(|| finding.filter.dests.first().copied());
        let Some(rank) = outside else { return };
        if finding.outside().is_some() || finding.system.is_some() {
            finding.as_name = self.systems.name(rank).map(str::to_owned);
            finding.country = self.systems.country(rank).map(str::to_owned);
        }
    }

    fn internal(&self, finding: &mut Finding) {
        if !RHYTHMIC.contains(&finding.detector) {
            return;
        }
        match finding.dest {
            Some(dest) if self.is_proxy(dest, finding.port) => {
                finding.context.push("internal proxy".into());
            }
            _ => finding.demote("internal destination".into()),
        }
    }

    /// Whether an internal address serves as a web proxy: by its port, or because it has clients
    /// inside and itself calls many addresses outside.
    fn is_proxy(&self, dest: u64, port: Option<u16>) -> bool {
        let clients = self
            .circumstances
            .clients
            .get(&dest)
            .map_or(0, |clients| clients[0]);
        let peers = self
            .circumstances
            .outside
            .get(&dest)
            .copied()
            .unwrap_or_default();
        let behaves =
            clients as f64 >= self.limits.proxy_clients && peers as f64 >= self.limits.proxy_peers;
        let has_port = port.is_some_and(|port| PROXY.contains(&port));
        has_port || behaves && port.is_some_and(|port| WEB.contains(&port))
    }

    fn inbound(&self, finding: &mut Finding) {
        let clients = finding
            .dest
            .and_then(|dest| self.circumstances.clients.get(&dest));
        let clients = clients.map_or(0, |clients| clients[1]);
        if clients as f64 >= self.limits.server_clients {
            let reason = format!(
                "public server: {} answered",
                plural(clients, "outside client")
            );
            // Whoever asks for calls from outside wants those to public servers.
            if finding.detector == "floods" || RHYTHMIC.contains(&finding.detector) {
                finding.context.push(reason);
            } else {
                finding.demote(reason);
            }
        }
    }

    fn outbound(&self, finding: &mut Finding) {
        let asks = finding.port.is_some_and(|port| UNANSWERED.contains(&port));
        if finding.detector == "host_sweeps" && asks && self.log.is_udp(finding.protocol) {
            finding.demote("name or time service of many hosts".into());
        }
        if matches!(
            finding.detector,
            "port_scans" | "host_sweeps" | "floods" | "port_mismatches"
        ) {
            return;
        }
        let rank = finding
            .dest
            .or_else(|| finding.filter.dests.first().copied());
        let Some((rank, ip)) = rank.and_then(|rank| Some((rank, self.log.ip(rank)?))) else {
            return;
        };
        let asn = self.systems.asn(rank);
        let is_common = finding
            .port
            .is_none_or(|port| [WEB, MAIL, PUSH].iter().any(|ports| ports.contains(&port)));
        let known = self.known.find(ip, asn);
        let may_be_rented = !is_common || !self.is_clockwork(finding);
        if let Some(network) = known.filter(|network| !network.shared || !may_be_rented) {
            let kind = if network.shared {
                "shared network"
            } else {
                "known network"
            };
            finding.demote(format!("{kind}: {}", network.name));
        }
        let hosts = self.circumstances.hosts;
        let callers = asn.and_then(|asn| self.circumstances.callers.get(&asn).copied());
        let Some(callers) = callers else { return };
        let is_half = callers as f64 >= self.limits.popular_share * hosts as f64;
        if callers as f64 >= self.limits.popular_hosts && is_half {
            finding.demote(format!(
                "popular network: {callers} of {}",
                plural(hosts, "host")
            ));
        } else if callers == 1 && hosts as f64 >= self.limits.rare_hosts {
            finding
                .context
                .push(format!("rare network: 1 of {}", plural(hosts, "host")));
            let strong = finding.score >= self.limits.high_score;
            if strong && finding.severity == Severity::Warning {
                finding.severity = Severity::High;
            }
        }
    }

    /// Whether a rhythm is as even as that of a scheduled task; anything without a rhythm counts as
    /// such.
    fn is_clockwork(&self, finding: &Finding) -> bool {
        let value = |name| {
            let mut parts = finding.evidence.iter();
            parts.find(|part| part.name == name).map(|part| part.value)
        };
        let (jitter, period) = (value("jitter"), value("period_seconds"));
        jitter.is_none_or(|jitter| jitter < self.limits.shared_jitter)
            && period.is_none_or(|period| period >= self.limits.shared_period)
    }

    /// Lower the severity of what infrastructure does by its nature.
    fn infrastructure(&self, finding: &mut Finding) {
        let ips = [finding.source, finding.dest].map(|rank| self.log.ip(rank?));
        if let [Some(source), Some(dest)] = ips
            && (self.log.rules.broadcasts().receives_only(dest) || may_be_broadcast(dest, source))
        {
            finding.demote("multicast or broadcast".into());
        }
        if !self.log.is_transport(finding.protocol) {
            finding.demote("no transport protocol".into());
        }
        let Some(port) = finding.port else { return };
        let found = INFRASTRUCTURE
            .iter()
            .find(|(ports, _)| ports.contains(&port));
        if let Some((_, service)) = found {
            finding.demote((*service).into());
        } else if MAIL.contains(&port) {
            finding.demote("mail polling".into());
        } else if PUSH.contains(&port) {
            finding.demote("push service".into());
        }
    }
}
