//! The calendar service of a domain, by its DNS (RFC 6764 3 to 6): SRV `_caldavs._tcp`, with the path of its TXT record. Never
//! `_caldav._tcp`, which is without encryption. Start with [`services`].

use super::transport::reason;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::rdata::SRV;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use std::net::SocketAddr;
use std::time::Duration;
use url::Url;

const LABELS: &str = "_caldavs._tcp";
const TIMEOUT: Duration = Duration::from_secs(3);
/// More servers than this of one domain are not tried.
const MOST: usize = 4;

/// A server that a domain names for its calendars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Where to begin, when the domain says so; it may be wrong.
    pub(crate) path: Option<String>,
}

impl Service {
    /// Where to look, in this order: the path that the domain gives, the well-known one, the root.
    pub(crate) fn urls(&self) -> Vec<Url> {
        let paths = self.path.as_deref().into_iter().chain(["/.well-known/caldav", "/"]);
        let Ok(server) = Url::parse(&format!("https://{}:{}/", self.host, self.port)) else { return Vec::new() };
        // A path, whatever it looks like: `//elsewhere/` is not to be another server.
        let at = |path: &str| {
            let mut url = server.clone();
            url.set_path(path);
            url
        };
        let mut urls: Vec<Url> = Vec::new();
        for url in paths.map(at) {
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        urls
    }
}

/// The servers that a domain names, the preferred first; none when it names none. `dns` is the name server to ask, else those of
/// the system.
///
/// # Errors
/// In words, when no name server answers.
pub(crate) async fn services(domain: &str, dns: Option<SocketAddr>) -> Result<Vec<Service>, String> {
    let resolver = resolver(dns).map_err(|error| reason(&error))?;
    let name = format!("{LABELS}.{}.", domain.trim_end_matches('.'));
    let found = match resolver.lookup(name.as_str(), RecordType::SRV).await {
        Ok(found) => found,
        Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
        Err(error) => return Err(reason(&error)),
    };
    let mut servers: Vec<SRV> = found
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::SRV(server) => Some(server.clone()),
            _ => None,
        })
        .collect();
    servers.sort_by_key(|server| (server.priority, std::cmp::Reverse(server.weight)));
    let path = match resolver.lookup(name.as_str(), RecordType::TXT).await {
        Ok(found) => found.answers().iter().find_map(|record| match &record.data {
            RData::TXT(text) => path_of(&text.txt_data),
            _ => None,
        }),
        // Without it the well-known path is tried.
        Err(_) => None,
    };
    let services = servers.into_iter().filter_map(|server| {
        let host = server.target.to_ascii().trim_end_matches('.').to_ascii_lowercase();
        // RFC 2782: a root for a target means that there is no such service.
        (!host.is_empty()).then(|| Service { host, port: server.port, path: path.clone() })
    });
    Ok(services.take(MOST).collect())
}

/// The value of `path` among the strings of a TXT record (RFC 6764 4, RFC 6763 6.4: keys in any case, the first counts).
fn path_of(strings: &[Box<[u8]>]) -> Option<String> {
    strings.iter().find_map(|string| {
        let (key, value) = std::str::from_utf8(string).ok()?.split_once('=')?;
        let is_path = key.eq_ignore_ascii_case("path") && value.starts_with('/') && !value.contains(char::is_control);
        is_path.then(|| value.to_owned())
    })
}

fn resolver(dns: Option<SocketAddr>) -> Result<TokioResolver, NetError> {
    let mut builder = match dns {
        Some(address) => {
            let mut server = NameServerConfig::udp_and_tcp(address.ip());
            for connection in &mut server.connections {
                connection.port = address.port();
            }
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
            Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
        None => TokioResolver::builder_tokio()?,
    };
    let options = builder.options_mut();
    (options.timeout, options.attempts) = (TIMEOUT, 2);
    builder.build()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tokio::net::UdpSocket;

    /// A name server of one zone: answers SRV (33) and TXT (16) with this data, and says that there is nothing else.
    pub(crate) async fn name_server(name: &'static str, records: Vec<(u16, Vec<u8>)>) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut query = [0; 1500];
            while let Ok((length, client)) = socket.recv_from(&mut query).await {
                let _ = socket.send_to(&reply(&query[..length], name, &records), client).await;
            }
        });
        address
    }

    fn reply(query: &[u8], name: &str, records: &[(u16, Vec<u8>)]) -> Vec<u8> {
        // The question: labels, a zero, type and class.
        let end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
        let question = &query[12..end];
        let asked = u16::from_be_bytes([query[end - 4], query[end - 3]]);
        let ours = question[..question.len() - 4] == wire(name);
        let found: Vec<_> = records.iter().filter(|(kind, _)| ours && *kind == asked).collect();
        let mut reply = query[..2].to_vec();
        reply.extend([0x85, if found.is_empty() { 3 } else { 0 }, 0, 1, 0, found.len() as u8, 0, 0, 0, 0]);
        reply.extend(question);
        for (kind, data) in found {
            // The name as in the question, class IN, a minute.
            reply.extend([0xc0, 12]);
            reply.extend(kind.to_be_bytes());
            reply.extend([0, 1, 0, 0, 0, 60]);
            reply.extend((data.len() as u16).to_be_bytes());
            reply.extend(data);
        }
        reply
    }

    fn wire(name: &str) -> Vec<u8> {
        let labels = name.split('.').filter(|label| !label.is_empty());
        let mut wire: Vec<u8> = labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
        wire.push(0);
        wire
    }

    pub(crate) fn srv(priority: u16, weight: u16, port: u16, target: &str) -> (u16, Vec<u8>) {
        let numbers = [priority, weight, port].into_iter().flat_map(u16::to_be_bytes);
        (33, numbers.chain(wire(target)).collect())
    }

    pub(crate) fn txt(text: &str) -> (u16, Vec<u8>) {
        (16, [&[text.len() as u8], text.as_bytes()].concat())
    }

    const NAME: &str = "_caldavs._tcp.example.edu";

    #[tokio::test]
    async fn a_domain_names_its_servers_in_the_order_of_its_choice_with_their_path() {
        let records = vec![
            srv(10, 5, 443, "backup.example.edu"),
            srv(1, 5, 8443, "Cal2.example.edu"),
            srv(1, 60, 443, "cal1.example.edu"),
            txt("Path=/dav/"),
        ];
        let dns = name_server(NAME, records).await;
        let found = services("example.edu", Some(dns)).await.unwrap();
        let at: Vec<(&str, u16)> = found.iter().map(|service| (service.host.as_str(), service.port)).collect();
        assert_eq!(at, [("cal1.example.edu", 443), ("cal2.example.edu", 8443), ("backup.example.edu", 443)]);
        let urls: Vec<String> = found[1].urls().into_iter().map(String::from).collect();
        let server = "https://cal2.example.edu:8443";
        assert_eq!(urls, ["/dav/", "/.well-known/caldav", "/"].map(|path| format!("{server}{path}")));
        assert_eq!(services("other.edu", Some(dns)).await.unwrap(), []);
    }

    #[tokio::test]
    async fn no_service_and_no_encryption_are_no_servers_and_silence_is_an_error() {
        let dns = name_server(NAME, vec![srv(0, 0, 0, ".")]).await;
        assert_eq!(services("example.edu", Some(dns)).await.unwrap(), []);
        let dns = name_server("_caldav._tcp.example.edu", vec![srv(0, 0, 80, "cal.example.edu")]).await;
        assert_eq!(services("example.edu", Some(dns)).await.unwrap(), []);
        let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(services("example.edu", Some(nobody)).await.is_err());
    }

    #[test]
    fn a_path_that_is_none_is_left_out() {
        let strings = |text: &[&str]| text.iter().map(|text| Box::from(text.as_bytes())).collect::<Vec<Box<[u8]>>>();
        assert_eq!(path_of(&strings(&["txtvers=1", "path=/a", "path=/b"])).as_deref(), Some("/a"));
        assert_eq!(path_of(&strings(&["path=https://elsewhere/", "pathology=/x"])), None);
        let odd = Service { host: "cal.example.edu".into(), port: 443, path: Some("//evil.example/".into()) };
        assert!(odd.urls().iter().all(|url| url.host_str() == Some("cal.example.edu")));
    }
}
