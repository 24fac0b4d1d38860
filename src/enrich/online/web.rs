//! Asking services on the web, from whom anything may come.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::io::Read;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use chrono::DateTime;
use reqwest::blocking::{Client, Response};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;

use crate::error::{Error, Result as CoreResult};
use crate::ip::{Ip, IpKind};

/// Most bytes of an answer.
const MAX_BYTES: usize = 1 << 20;

/// Most redirects that are followed.
const MAX_REDIRECTS: usize = 5;

/// Requests of a question before it fails.
const TRIES: u32 = 3;

/// Time before a request is repeated, doubled each time, where the service names none.
const PAUSE: Duration = Duration::from_millis(500);

/// Longest time to wait when a service asks for it.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Failures of a server in a row after which it is not asked any more.
const MAX_FAILURES: usize = 5;

/// Time between two looks for a stop.
const LOOK: Duration = Duration::from_millis(50);

/// Why there is no answer.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The work was stopped.
    Stopped,
    /// The question was asked in vain.
    Failed(String),
    /// It was not asked, as the server answers nothing.
    GivenUp(String),
}

impl Failure {
    /// The failure with the place where it happened.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        match self {
            Self::Failed(reason) => Self::Failed(format!("{place}: {reason}")),
            other => other,
        }
    }
}

/// A place that must not be asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(String);

/// Where requests may go: to public addresses by https, or to this machine if that was meant.
#[derive(Clone, Copy)]
struct Guard {
    loopback: bool,
}

impl Guard {
    fn url(self, url: &Url) -> Result<(), Refused> {
        let host = url.host_str().unwrap_or_default();
        if let Some(ip) = Ip::parse(host) {
            self.ip(ip, host)?;
        }
        let secure = url.scheme() == "https" || (self.loopback && is_loopback(url));
        if secure && matches!(url.scheme(), "http" | "https") {
            return Ok(());
        }
        Err(Refused(format!("{url} is not https")))
    }

    fn ip(self, ip: Ip, host: &str) -> Result<(), Refused> {
        match embedded(ip).kind() {
            IpKind::Public => Ok(()),
            IpKind::Loopback if self.loopback => Ok(()),
            kind => Err(Refused(format!(
                "{host} is refused: {ip} is not public but {}",
                kind.name()
            ))),
        }
    }

    fn addresses(self, host: &str) -> Result<Vec<SocketAddr>, Box<dyn StdError + Send + Sync>> {
        let found: Vec<SocketAddr> = (host, 0).to_socket_addrs()?.collect();
        for address in &found {
            self.ip(address.ip().into(), host)?;
        }
        Ok(found)
    }
}

/// What requests to a host really reach, whoever resolves its name and whenever.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let found = spawn_blocking(move || guard.addresses(name.as_str())).await??;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The IPv4 address that NAT64 makes of an IPv6 address (RFC 6052), or the address itself.
fn embedded(ip: Ip) -> Ip {
    const NAT64: u128 = 0x0064_ff9b << 96;
    if ip.0 >> 32 == NAT64 >> 32 {
        Ip::from_v4(ip.0 as u32)
    } else {
        ip
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || Ip::parse(host).is_some_and(|ip| ip.kind() == IpKind::Loopback)
}

/// A client of one service.
pub struct Web {
    client: Client,
    guard: Guard,
    timeout: Duration,
    /// Failures in a row of each server, and the last reason.
    failures: Mutex<HashMap<String, (usize, String)>>,
}

/// What went wrong with a request, and how long to wait before the next one, if it may help.
struct Trouble {
    reason: String,
    pause: Option<Duration>,
}

impl Trouble {
    fn for_good(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            reason,
            pause: None,
        }
    }
}

impl Web {
    /// A client of the service at `base`, which alone may decide that this machine is meant.
    pub fn new(base: &str, timeout: Duration) -> CoreResult<Self> {
        let unusable = |reason: &dyn std::fmt::Display| {
            Error::Argument(format!("service {base:?} cannot be asked: {reason}"))
        };
        let url = Url::parse(base).map_err(|error| unusable(&error))?;
        let guard = Guard {
            loopback: is_loopback(&url),
        };
        guard.url(&url).map_err(|error| unusable(&error))?;
        // Another client of this process may have installed it before.
        drop(rustls::crypto::ring::default_provider().install_default());
        let redirects = Policy::custom(move |attempt| match guard.url(attempt.url()) {
            Ok(()) if attempt.previous().len() > MAX_REDIRECTS => {
                attempt.error(Refused(format!("more than {MAX_REDIRECTS} redirects")))
            }
            Ok(()) => attempt.follow(),
            Err(refused) => attempt.error(refused),
        });
        let client = Client::builder()
            .user_agent(concat!("flowtriage/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            .redirect(redirects)
            .referer(false)
            .retry(reqwest::retry::never())
            .no_proxy()
            .dns_resolver(Arc::new(guard))
            .build()
            .map_err(|error| unusable(&told(&error, timeout)))?;
        Ok(Self {
            client,
            guard,
            timeout,
            failures: Mutex::default(),
        })
    }

    /// Asks for JSON; none where the service says that there is nothing (HTTP 404).
    pub fn json<T: DeserializeOwned>(
        &self,
        url: &str,
        stop: &AtomicBool,
    ) -> Result<Option<T>, Failure> {
        let Some(body) = self.body(url, stop)? else {
            return Ok(None);
        };
        serde_json::from_slice(&body)
            .map(Some)
            .map_err(|error| Failure::Failed(format!("the answer cannot be used: {error}")))
    }

    fn body(&self, url: &str, stop: &AtomicBool) -> Result<Option<Vec<u8>>, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::Failed(error.to_string());
        let url = Url::parse(url).map_err(|error| failed(&error))?;
        self.guard.url(&url).map_err(|error| failed(&error))?;
        let server = url.host_str().unwrap_or_default().to_owned();
        let mut pause = PAUSE;
        for left in (0..TRIES).rev() {
            if stop.load(Ordering::Relaxed) {
                return Err(Failure::Stopped);
            }
            self.still_answers(&server)?;
            let trouble = match self.request(url.clone(), pause) {
                Ok(body) => {
                    self.with_failures(|all| all.remove(&server));
                    return Ok(body);
                }
                Err(trouble) => trouble,
            };
            match trouble.pause.filter(|_| left > 0) {
                Some(wait) if wait > MAX_PAUSE => {
                    let seconds = wait.as_secs();
                    let reason = format!("{}, to be asked again in {seconds} s", trouble.reason);
                    return Err(self.failed(server, reason));
                }
                Some(wait) => rest(wait, stop)?,
                None => return Err(self.failed(server, trouble.reason)),
            }
            pause *= 2;
        }
        unreachable!("the last try has either answered or failed")
    }

    /// Makes one request.
    fn request(&self, url: Url, pause: Duration) -> Result<Option<Vec<u8>>, Trouble> {
        let begin = Instant::now();
        let request = self
            .client
            .get(url)
            .header(ACCEPT, "application/rdap+json, application/json");
        let response = request.send().map_err(|error| Trouble {
            reason: told(&error, self.timeout),
            pause: refusal(&error).is_none().then_some(pause),
        })?;
        match response.status() {
            StatusCode::OK => self.read(response, begin, pause).map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(Trouble {
                reason: format!("HTTP {}", status.as_u16()),
                pause: passes(status).then(|| retry_after(&response).unwrap_or(pause)),
            }),
        }
    }

    fn read(
        &self,
        mut response: Response,
        begin: Instant,
        pause: Duration,
    ) -> Result<Vec<u8>, Trouble> {
        let mut body = Vec::new();
        let mut part = [0; 1 << 14];
        loop {
            let read = response.read(&mut part).map_err(|error| Trouble {
                reason: format!("the answer broke off ({})", root(&error)),
                pause: Some(pause),
            })?;
            if read == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&part[..read]);
            if body.len() > MAX_BYTES {
                return Err(Trouble::for_good(format!(
                    "the answer has more than {MAX_BYTES} bytes"
                )));
            }
            if begin.elapsed() > self.timeout {
                return Err(Trouble::for_good(no_answer(self.timeout)));
            }
        }
    }

    fn still_answers(&self, server: &str) -> Result<(), Failure> {
        self.with_failures(|all| match all.get(server) {
            Some((count, last)) if *count >= MAX_FAILURES => Err(Failure::GivenUp(format!(
                "{server} failed {MAX_FAILURES} times in a row, at last: {last}"
            ))),
            _ => Ok(()),
        })
    }

    fn failed(&self, server: String, reason: String) -> Failure {
        self.with_failures(|all| {
            let known = all.entry(server).or_default();
            *known = (known.0 + 1, reason.clone());
        });
        Failure::Failed(reason)
    }

    fn with_failures<T>(&self, work: impl FnOnce(&mut HashMap<String, (usize, String)>) -> T) -> T {
        work(&mut self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a status may be another one soon.
fn passes(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// What a service asks to wait: seconds, or until a date.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date: SystemTime = DateTime::parse_from_rfc2822(text).ok()?.into();
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

fn rest(time: Duration, stop: &AtomicBool) -> Result<(), Failure> {
    let begin = Instant::now();
    while let Some(left) = time.checked_sub(begin.elapsed()) {
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        sleep(left.min(LOOK));
    }
    Ok(())
}

fn no_answer(timeout: Duration) -> String {
    format!("no answer within {} s", timeout.as_secs_f64())
}

/// An error in a few words, without the URL, which is that of the address.
fn told(error: &reqwest::Error, timeout: Duration) -> String {
    match refusal(error) {
        Some(refused) => refused.to_string(),
        None if error.is_timeout() => no_answer(timeout),
        None if error.is_connect() => format!("no connection ({})", root(error)),
        None => root(error),
    }
}

fn refusal(error: &reqwest::Error) -> Option<&Refused> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn root(error: &(dyn StdError + 'static)) -> String {
    let last = causes(error).last();
    last.map_or_else(|| error.to_string(), ToString::to_string)
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
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
    fn this_machine_is_asked_only_if_it_was_meant() {
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
    fn a_name_is_what_it_resolves_to() {
        let error = Guard { loopback: false }
            .addresses("localhost")
            .unwrap_err();
        assert!(error.downcast_ref::<Refused>().is_some(), "{error}");
        assert!(
            !Guard { loopback: true }
                .addresses("localhost")
                .unwrap()
                .is_empty()
        );
    }
}
