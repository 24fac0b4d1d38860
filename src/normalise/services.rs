//! Ports of services by name, from the bundled registry of IANA.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::flow::protocols;

const REGISTRY: &str = include_str!("../../python/flowtriage/data/services.csv");

/// Ports by name and protocol; `None` if a name has several ports.
type Ports = HashMap<(&'static str, &'static str), Option<u16>>;

static PORTS: LazyLock<Ports> = LazyLock::new(|| {
    let mut ports = Ports::new();
    for line in REGISTRY.lines() {
        let mut values = line.split(',');
        let port = values.next().and_then(|port| port.parse::<u16>().ok());
        let (Some(port), Some(protocols), Some(names)) = (port, values.next(), values.next())
        else {
            continue;
        };
        for name in names.split_ascii_whitespace() {
            // An empty protocol stands for any.
            for protocol in protocols.split_ascii_whitespace().chain([""]) {
                let known = ports.entry((name, protocol)).or_insert(Some(port));
                *known = known.filter(|known| *known == port);
            }
        }
    }
    ports
});

/// The port of a service; `None` if it is unknown or has several.
pub fn port(name: &str, protocol: Option<&str>) -> Option<u16> {
    let protocol = protocol.map_or(Cow::Borrowed(""), |text| {
        protocols::keyword(Cow::Borrowed(text))
    });
    let name = name.to_ascii_lowercase();
    let ports: &HashMap<(&str, &str), Option<u16>> = &PORTS;
    *ports.get(&(name.as_str(), protocol.as_ref()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_ports_by_protocol() {
        assert_eq!(port("http", Some("tcp")), Some(80));
        assert_eq!(port("HTTPS", Some("6")), Some(443));
        assert_eq!(port("domain", None), Some(53));
        assert_eq!(port("fxp", Some("tcp")), None);
        assert_eq!(port("nosuchservice", Some("tcp")), None);
        assert_eq!(port("http", Some("icmp")), None);
    }
}
