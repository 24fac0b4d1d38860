//! The registrant of an address, by RDAP (RFC 9083) and its bootstrap files (RFC 9224).

use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::enrich::online::cache::Cache;
use crate::enrich::online::facts::{Facts, name};
use crate::enrich::online::web::{Failure, WebClient};
use crate::ip::Ip;
use crate::ip::prefix::parse_network;

/// RDAP servers by network, fetched on first use.
#[derive(Default)]
pub struct Bootstrap {
    v4: OnceLock<Result<Services, Failure>>,
    v6: OnceLock<Result<Services, Failure>>,
}

/// A bootstrap file: networks and their RDAP servers.
#[derive(Serialize, Deserialize)]
struct Services {
    services: Vec<(Vec<String>, Vec<String>)>,
}

impl Bootstrap {
    /// The RDAP server for an address.
    pub fn server(
        &self,
        web: &WebClient,
        cache: &Cache,
        base: &str,
        ip: Ip,
        stop: &AtomicBool,
    ) -> Result<&str, Failure> {
        let (slot, file) = match ip.v4() {
            Some(_) => (&self.v4, "ipv4"),
            None => (&self.v6, "ipv6"),
        };
        let services = slot.get_or_init(|| {
            let key = format!("bootstrap-{file}");
            if let Some((services, _)) = cache.load(&key, base) {
                return Ok(services);
            }
            let url = format!("{}/{file}.json", base.trim_end_matches('/'));
            let services = web
                .json::<Services>(&url, stop)
                .and_then(|found| found.ok_or_else(|| Failure::Failed("HTTP 404".into())))
                .map_err(|failure| failure.at(&url))?;
            // Without a cached file, the next run fetches it again.
            drop(cache.store(&key, base, &services));
            Ok(services)
        });
        let services = services.as_ref().map_err(Clone::clone)?;
        let networks = services.services.iter().flat_map(|(networks, servers)| {
            let networks = networks.iter().filter_map(|network| parse_network(network));
            networks.map(move |network| (network, servers))
        });
        let narrowest = networks
            .filter(|((first, last), _)| (*first..=*last).contains(&ip))
            .min_by_key(|((first, last), _)| last.0 - first.0);
        let servers = narrowest.map(|(_, servers)| servers.as_slice());
        let servers = servers.unwrap_or_default();
        let secure = servers.iter().find(|url| url.starts_with("https:"));
        secure
            .or(servers.first())
            .map(String::as_str)
            .ok_or_else(|| Failure::Failed("no RDAP server for this address".into()))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Network {
    object_class_name: String,
    start_address: String,
    end_address: String,
    name: Option<String>,
    country: Option<String>,
    #[serde(default)]
    entities: Vec<Entity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    vcard_array: Value,
}

impl Entity {
    /// The formatted name of its card (RFC 7095).
    fn name(&self) -> Option<&str> {
        let properties = self.vcard_array.get(1)?.as_array()?;
        let named = properties
            .iter()
            .find(|property| property.get(0).and_then(Value::as_str) == Some("fn"))?;
        named.get(3)?.as_str()
    }
}

/// Query the RDAP server of a registry.
pub fn query(web: &WebClient, server: &str, ip: Ip, stop: &AtomicBool) -> Result<Facts, Failure> {
    let url = format!("{}/ip/{ip}", server.trim_end_matches('/'));
    let Some(network) = web.json::<Network>(&url, stop)? else {
        return Ok(Facts::default());
    };
    if network.object_class_name != "ip network" {
        let reason = format!(
            "the response is a {:?}, not an \"ip network\"",
            name(&network.object_class_name)
        );
        return Err(Failure::Failed(reason));
    }
    let ends = (
        Ip::parse(&network.start_address),
        Ip::parse(&network.end_address),
    );
    let (Some(first), Some(last)) = ends else {
        return Err(Failure::Failed("the response has no valid network".into()));
    };
    if !(first..=last).contains(&ip) {
        let reason = format!("the response is about {first} - {last}");
        return Err(Failure::Failed(reason));
    }
    let registrant = network
        .entities
        .iter()
        .filter(|entity| entity.roles.iter().any(|role| role == "registrant"))
        .find_map(Entity::name);
    let code = |country: &str| {
        let country = country.trim().to_ascii_uppercase();
        let is_code = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        is_code.then_some(country)
    };
    Ok(Facts {
        asn: None,
        name: registrant
            .and_then(name)
            .or_else(|| network.name.as_deref().and_then(name)),
        country: network.country.as_deref().and_then(code),
        network: Some(format!("{first} - {last}")),
        note: None,
    })
}
