//! The autonomous system that announces an address, from `RIPEstat`'s prefix overview.

use std::sync::atomic::AtomicBool;

use serde::Deserialize;

use crate::enrich::online::facts::{Facts, name};
use crate::enrich::online::web::{Failure, WebClient};
use crate::ip::Ip;
use crate::ip::prefix::parse_network;

#[derive(Deserialize)]
struct Overview {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    resource: String,
    asns: Vec<System>,
}

#[derive(Deserialize)]
struct System {
    asn: u32,
    holder: Option<String>,
}

/// Query the service at `url`, in which `{address}` is replaced.
pub fn query(web: &WebClient, url: &str, ip: Ip, stop: &AtomicBool) -> Result<Facts, Failure> {
    let url = url.replace("{address}", &ip.to_string());
    let Some(Overview { data }) = web.json::<Overview>(&url, stop)? else {
        return Ok(Facts::default());
    };
    let Some(first) = data.asns.first() else {
        return Ok(Facts::default());
    };
    let contains = |(first, last): &(Ip, Ip)| (*first..=*last).contains(&ip);
    if !parse_network(&data.resource).as_ref().is_some_and(contains) {
        let reason = format!("the response is about {:?}", name(&data.resource));
        return Err(Failure::Failed(reason));
    }
    let others: Vec<String> = data.asns[1..]
        .iter()
        .take(10)
        .map(|system| format!("AS{}", system.asn))
        .collect();
    Ok(Facts {
        asn: Some(first.asn).filter(|asn| *asn != 0),
        name: first.holder.as_deref().and_then(name),
        country: None,
        network: Some(data.resource.trim().into()),
        note: (!others.is_empty()).then(|| format!("also announced by {}", others.join(", "))),
    })
}
