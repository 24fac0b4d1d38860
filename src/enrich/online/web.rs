//! HTTP client for services whose responses are untrusted.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use chrono::DateTime;
use reqwest::blocking::{Client, Response};
use reqwest::header::{ACCEPT, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::enrich::online::guard::{Blocked, Guard, is_loopback};
use crate::error::{Error, Result as CoreResult};

/// Maximum size of a response body in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Maximum number of redirects.
const MAX_REDIRECTS: usize = 5;

/// Maximum number of requests for a query.
const MAX_ATTEMPTS: u32 = 3;

/// Delay before the first retry, doubled each time, unless the service sends `Retry-After`.
const MIN_DELAY: Duration = Duration::from_millis(500);

/// Longest delay before a retry; a service that requests more fails the query.
const MAX_DELAY: Duration = Duration::from_secs(30);

/// Consecutive failures of a server after which it is not queried any more.
const MAX_FAILURES: usize = 5;

/// Interval at which a delay checks for a stop.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// Why a query has no result.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The lookup was stopped.
    Stopped,
    /// The query failed.
    Failed(String),
    /// No query was made, since the server only fails.
    Skipped(String),
}

impl Failure {
    /// The failure with the URL that caused it.
    #[must_use]
    pub fn at(self, url: &str) -> Self {
        match self {
            Self::Failed(reason) => Self::Failed(format!("{url}: {reason}")),
            other => other,
        }
    }
}

/// Client of one service.
pub struct WebClient {
    client: Client,
    guard: Guard,
    timeout: Duration,
    /// Consecutive failures of each server, and the last reason.
    failures: Mutex<HashMap<String, (usize, String)>>,
}

/// Reason of a failed request, and the delay before a retry, unless the failure is permanent.
struct RequestError {
    reason: String,
    delay: Option<Duration>,
}

impl RequestError {
    fn permanent(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            reason,
            delay: None,
        }
    }
}

impl WebClient {
    /// Create a client of the service at `base`; a loopback URL there allows loopback addresses.
    pub fn new(base: &str, timeout: Duration) -> CoreResult<Self> {
        let unusable = |reason: &dyn std::fmt::Display| {
            Error::Argument(format!("service {base:?} cannot be queried: {reason}"))
        };
        let url = Url::parse(base).map_err(|error| unusable(&error))?;
        let guard = Guard {
            loopback: is_loopback(&url),
        };
        guard.url(&url).map_err(|error| unusable(&error))?;
        // Another client of this process may have installed one already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let redirects = Policy::custom(move |attempt| match guard.url(attempt.url()) {
            Ok(()) if attempt.previous().len() > MAX_REDIRECTS => {
                attempt.error(Blocked(format!("more than {MAX_REDIRECTS} redirects")))
            }
            Ok(()) => attempt.follow(),
            Err(blocked) => attempt.error(blocked),
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
            .map_err(|error| unusable(&summary(&error, timeout)))?;
        Ok(Self {
            client,
            guard,
            timeout,
            failures: Mutex::default(),
        })
    }

    /// Fetch JSON; `None` if the service has no record (HTTP 404).
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
            .map_err(|error| Failure::Failed(format!("the response is not valid: {error}")))
    }

    fn body(&self, url: &str, stop: &AtomicBool) -> Result<Option<Vec<u8>>, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::Failed(error.to_string());
        let url = Url::parse(url).map_err(|error| failed(&error))?;
        self.guard.url(&url).map_err(|error| failed(&error))?;
        let server = url.host_str().unwrap_or_default().to_owned();
        let mut delay = MIN_DELAY;
        for left in (0..MAX_ATTEMPTS).rev() {
            if stop.load(Ordering::Relaxed) {
                return Err(Failure::Stopped);
            }
            self.check_server(&server)?;
            let error = match self.request(url.clone(), delay) {
                Ok(body) => {
                    self.with_failures(|all| all.remove(&server));
                    return Ok(body);
                }
                Err(error) => error,
            };
            match error.delay.filter(|_| left > 0) {
                Some(wait) if wait > MAX_DELAY => {
                    let seconds = wait.as_secs();
                    let reason = format!("{}, retry after {seconds} s", error.reason);
                    return Err(self.failed(server, reason));
                }
                Some(wait) => wait_for(wait, stop)?,
                None => return Err(self.failed(server, error.reason)),
            }
            delay *= 2;
        }
        unreachable!("the last attempt has either succeeded or failed")
    }

    /// Send one request.
    fn request(&self, url: Url, delay: Duration) -> Result<Option<Vec<u8>>, RequestError> {
        let start = Instant::now();
        let request = self
            .client
            .get(url)
            .header(ACCEPT, "application/rdap+json, application/json");
        let response = request.send().map_err(|error| RequestError {
            reason: summary(&error, self.timeout),
            delay: blocked(&error).is_none().then_some(delay),
        })?;
        match response.status() {
            StatusCode::OK => self.read(response, start, delay).map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(RequestError {
                reason: format!("HTTP {}", status.as_u16()),
                delay: is_transient(status).then(|| retry_after(&response).unwrap_or(delay)),
            }),
        }
    }

    fn read(
        &self,
        mut response: Response,
        start: Instant,
        delay: Duration,
    ) -> Result<Vec<u8>, RequestError> {
        let mut body = Vec::new();
        let mut part = [0; 1 << 14];
        loop {
            let read = response.read(&mut part).map_err(|error| RequestError {
                reason: format!("the response was cut off ({})", root(&error)),
                delay: Some(delay),
            })?;
            if read == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&part[..read]);
            if body.len() > MAX_BYTES {
                return Err(RequestError::permanent(format!(
                    "the response has more than {MAX_BYTES} bytes"
                )));
            }
            if start.elapsed() > self.timeout {
                return Err(RequestError::permanent(timed_out(self.timeout)));
            }
        }
    }

    fn check_server(&self, server: &str) -> Result<(), Failure> {
        self.with_failures(|all| match all.get(server) {
            Some((count, last)) if *count >= MAX_FAILURES => Err(Failure::Skipped(format!(
                "{server} failed {MAX_FAILURES} times in a row; last error: {last}"
            ))),
            _ => Ok(()),
        })
    }

    fn failed(&self, server: String, reason: String) -> Failure {
        self.with_failures(|all| {
            let failures = all.entry(server).or_default();
            *failures = (failures.0 + 1, reason.clone());
        });
        Failure::Failed(reason)
    }

    fn with_failures<T>(&self, work: impl FnOnce(&mut HashMap<String, (usize, String)>) -> T) -> T {
        work(&mut self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a retry may succeed.
fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// The delay in `Retry-After`: seconds, or until a date.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date: SystemTime = DateTime::parse_from_rfc2822(text).ok()?.into();
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

fn wait_for(time: Duration, stop: &AtomicBool) -> Result<(), Failure> {
    let start = Instant::now();
    while let Some(left) = time.checked_sub(start.elapsed()) {
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        sleep(left.min(STOP_INTERVAL));
    }
    Ok(())
}

fn timed_out(timeout: Duration) -> String {
    format!("no response within {} s", timeout.as_secs_f64())
}

/// An error in a few words, without the URL, since that contains the address.
fn summary(error: &reqwest::Error, timeout: Duration) -> String {
    match blocked(error) {
        Some(blocked) => blocked.to_string(),
        None if error.is_timeout() => timed_out(timeout),
        None if error.is_connect() => format!("no connection ({})", root(error)),
        None => root(error),
    }
}

fn blocked(error: &reqwest::Error) -> Option<&Blocked> {
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
