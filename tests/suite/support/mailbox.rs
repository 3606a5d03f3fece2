//! A mail server that takes everything, fast, and counts it (RFC 5321, as much as a client in clear needs).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The messages so far; it ends with the test.
#[derive(Clone)]
pub(crate) struct Mailbox {
    port: u16,
    messages: Arc<Mutex<Vec<String>>>,
}

impl Mailbox {
    pub(crate) async fn start() -> Mailbox {
        let listener = TcpListener::bind(("127.0.0.1", super::free_port())).await.unwrap();
        let mailbox = Mailbox { port: listener.local_addr().unwrap().port(), messages: Arc::default() };
        let messages = mailbox.messages.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let messages = messages.clone();
                // A client that was killed is no fault of the test's.
                tokio::spawn(async move { drop(converse(stream, &messages).await) });
            }
        });
        mailbox
    }

    /// `[mail]` of a config.
    pub(crate) fn section(&self) -> String {
        let port = self.port;
        format!("\n[mail]\nsmtp = \"smtp://127.0.0.1:{port}?tls=none\"\nfrom = \"office@meet.example.edu\"\n")
    }

    /// The messages of each Message-ID, which names UID, SEQUENCE and occasion.
    pub(crate) fn by_id(&self) -> HashMap<String, Vec<String>> {
        let mut all: HashMap<String, Vec<String>> = HashMap::new();
        for message in &*self.messages.lock().unwrap() {
            let id = message.lines().find_map(|line| line.strip_prefix("Message-ID: ")).expect("a Message-ID");
            all.entry(id.to_owned()).or_default().push(message.clone());
        }
        all
    }
}

async fn converse(stream: TcpStream, messages: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 mailbox\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer: &[u8] = match line.get(..4).unwrap_or_default() {
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await?;
                let mut message = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    message.push_str(&line);
                    message.push('\n');
                }
                messages.lock().unwrap().push(message);
                b"250 kept\r\n"
            }
            "QUIT" => return writer.write_all(b"221 bye\r\n").await,
            _ => b"250 fine\r\n",
        };
        writer.write_all(answer).await?;
    }
    Ok(())
}
