//! A calendar server found from a mail address alone: by the domain's DNS, over TLS with a certificate of its own, and with the
//! password sent nowhere that nobody allowed.

use crate::story::meeting_at;
use crate::support::{Config, Day, Server, free_port, need, officehours};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tokio::net::UdpSocket;

/// A certificate authority (`ca.pem`) and its certificate for `localhost`.
fn certificate(folder: &Path) {
    std::fs::write(folder.join("san"), "subjectAltName = DNS:localhost\n").unwrap();
    for arguments in [
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=authority -days 2 -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.pem",
    ] {
        let made = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(folder)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success(), "openssl {arguments}");
    }
}

/// nginx with TLS in front of a server; it ends with the test.
struct Tls(Child);

impl Tls {
    async fn before(server: &str, folder: &Path, port: u16) -> Option<Tls> {
        let found = Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_ok();
        need("nginx", found.then_some(()))?;
        let at = folder.display();
        let host = server.trim_start_matches("http://").trim_end_matches('/');
        let text = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log; events {{}}
             http {{ access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/f;
               uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;
               server {{ listen 127.0.0.1:{port} ssl; server_name localhost; ssl_certificate {at}/server.pem;
                 ssl_certificate_key {at}/server.key; location / {{ proxy_pass http://{host}; }} }} }}"
        );
        std::fs::write(folder.join("nginx.conf"), text).unwrap();
        let child =
            Command::new("nginx").arg("-c").arg(folder.join("nginx.conf")).arg("-p").arg(folder).spawn().unwrap();
        let tls = Tls(child);
        crate::support::eventually("nginx listens", std::time::Duration::from_secs(20), async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Some(tls)
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn labels(name: &str) -> Vec<u8> {
    let mut wire: Vec<u8> =
        name.split('.').flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat()).collect();
    wire.push(0);
    wire
}

/// A name server that knows one service of one domain: SRV to localhost at this port, and TXT with this path.
async fn name_server(domain: &str, port: u16, path: &str) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let name = labels(&format!("_caldavs._tcp.{domain}"));
    let text = format!("path={path}");
    let srv = [&[0, 0, 0, 0][..], &port.to_be_bytes(), &labels("localhost")].concat();
    let txt = [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    tokio::spawn(async move {
        let mut query = [0; 1500];
        while let Ok((_, client)) = socket.recv_from(&mut query).await {
            let end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
            let data = match (query[12..end - 4] == name, query[end - 3]) {
                (true, 33) => Some(&srv),
                (true, 16) => Some(&txt),
                _ => None,
            };
            let mut reply = query[..2].to_vec();
            let found = u8::from(data.is_some());
            reply.extend([0x85, if data.is_some() { 0 } else { 3 }, 0, 1, 0, found, 0, 0, 0, 0]);
            reply.extend(&query[12..end]);
            if let Some(data) = data {
                reply.extend([0xc0, 12, 0, query[end - 3], 0, 1, 0, 0, 0, 60]);
                reply.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
                reply.extend(data);
            }
            let _ = socket.send_to(&reply, client).await;
        }
    });
    address
}

// More threads than one: the command blocks its own, and the name server has to answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_address_is_enough_and_the_password_goes_only_where_it_may() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("srv").await;
    calendar.put("a.ics", &meeting_at("a", Day::ahead(3), "09:00", "10:00")).await;
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    let port = free_port();
    let Some(_tls) = Tls::before(&server.url, folder.path(), port).await else { return };
    // The path is wrong: the well-known address and the root come after it.
    let dns = name_server("nobody.example", port, "/wrong/").await;
    let sync = |lines: &str| {
        let config =
            Config { url: "prof@nobody.example".to_owned(), account_lines: lines.to_owned(), ..Config::new(&calendar) };
        let path = folder.path().join("officehours.toml");
        let text = config.toml().replacen("[server]\n", &format!("[server]\ndns = \"{dns}\"\n"), 1);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let output = officehours(&["--config", path.to_str().unwrap(), "sync"]);
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (done, told) = sync("");
    assert!(!done && told.contains("trusted_hosts = [\"localhost\"]"), "{told}");
    let (done, told) = sync("trusted_hosts = [\"localhost\"]\n");
    assert!(!done && told.contains("certificate"), "{told}");
    let (done, told) = sync("trusted_hosts = [\"localhost\"]\nca_file = \"ca.pem\"\n");
    assert!(done && told.contains("1 added"), "{told}");
}
