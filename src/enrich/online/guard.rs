//! Where requests may go: server-side request forgery is blocked here.

use std::error::Error;
use std::net::{SocketAddr, ToSocketAddrs};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::task::spawn_blocking;

use crate::ip::{Ip, IpKind};

/// A URL or address to which no request may go.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Blocked(pub String);

/// Allows requests to public addresses by HTTPS, and to loopback addresses if configured.
#[derive(Clone, Copy)]
pub struct Guard {
    /// Whether loopback addresses are allowed, and HTTP to them.
    pub loopback: bool,
}

impl Guard {
    /// Check a URL.
    pub fn url(self, url: &Url) -> Result<(), Blocked> {
        let host = url.host_str().unwrap_or_default();
        if let Some(ip) = Ip::parse(host) {
            self.ip(ip, host)?;
        }
        let secure = url.scheme() == "https" || (self.loopback && is_loopback(url));
        if secure && matches!(url.scheme(), "http" | "https") {
            return Ok(());
        }
        Err(Blocked(format!("{url} is not https")))
    }

    fn ip(self, ip: Ip, host: &str) -> Result<(), Blocked> {
        match embedded(ip).kind() {
            IpKind::Public => Ok(()),
            IpKind::Loopback if self.loopback => Ok(()),
            kind => Err(Blocked(format!(
                "{host} is blocked: {ip} is not public but {}",
                kind.name()
            ))),
        }
    }

    fn addresses(self, host: &str) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        let found: Vec<SocketAddr> = (host, 0).to_socket_addrs()?.collect();
        for address in &found {
            self.ip(address.ip().into(), host)?;
        }
        Ok(found)
    }
}

/// Checks the addresses that a request connects to, whenever a name is resolved.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let found = spawn_blocking(move || guard.addresses(name.as_str())).await??;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The IPv4 address within a NAT64 address (RFC 6052); any other address is unchanged.
fn embedded(ip: Ip) -> Ip {
    const NAT64: u128 = 0x0064_ff9b << 96;
    if ip.0 >> 32 == NAT64 >> 32 {
        Ip::from_v4(ip.0 as u32)
    } else {
        ip
    }
}

/// Whether a URL is that of this machine.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || Ip::parse(host).is_some_and(|ip| ip.kind() == IpKind::Loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(loopback: bool, url: &str) -> bool {
        Guard { loopback }.url(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn requests_go_to_public_addresses_by_https() {
        for url in [
            "https://rdap.arin.net/registry",
            "https://8.8.8.8/",
            "https://[2606:4700::1]/",
        ] {
            assert!(checked(false, url) && checked(true, url), "{url}");
        }
        for url in [
            "http://rdap.arin.net/registry",
            "ftp://rdap.arin.net/",
            "file:///etc/passwd",
            "https://10.0.0.1/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::10.0.0.1]/",
            "https://169.254.169.254/latest",
            "https://0x0a000001/",
            "https://[fd00::1]/",
            "https://0.0.0.0/",
        ] {
            assert!(!checked(false, url) && !checked(true, url), "{url}");
        }
    }

    #[test]
    fn loopback_is_allowed_only_if_configured() {
        for url in [
            "http://127.0.0.1:8000/",
            "https://127.0.0.1/",
            "http://[::1]/",
            "http://2130706433/",
        ] {
            assert!(checked(true, url) && !checked(false, url), "{url}");
        }
    }

    #[test]
    fn a_name_is_checked_by_its_addresses() {
        let error = Guard { loopback: false }
            .addresses("localhost")
            .unwrap_err();
        assert!(error.downcast_ref::<Blocked>().is_some(), "{error}");
        assert!(
            !Guard { loopback: true }
                .addresses("localhost")
                .unwrap()
                .is_empty()
        );
    }
}
