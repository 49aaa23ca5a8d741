//! A client of the real server over a real socket: one connection a request, torn where it is told to.

use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long an answer may take: a server that says nothing at all is a finding, not a wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where a connection is broken off by the client.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tear {
    Head,
    Body,
    BeforeAnswer,
    InAnswer,
}

pub const TEARS: [Tear; 4] = [Tear::Head, Tear::Body, Tear::BeforeAnswer, Tear::InAnswer];

/// An answer that came whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The stable code of a refusal.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// Somebody who sends requests; `cookie` is their session.
#[derive(Debug, Clone, Default)]
pub struct Client {
    pub address: String,
    pub cookie: String,
}

impl Client {
    pub fn at(&self, address: &str) -> Client {
        Client {
            address: address.to_owned(),
            cookie: self.cookie.clone(),
        }
    }

    pub async fn get(&self, path: &str) -> Option<Answer> {
        self.send("GET", path, &[], b"", None).await
    }

    pub async fn post(&self, path: &str, body: &Value, tear: Option<Tear>) -> Option<Answer> {
        let kind = [("content-type", "application/json")];
        self.send("POST", path, &kind, body.to_string().as_bytes(), tear).await
    }

    /// Signs in; the session.
    pub async fn sign_in(&mut self, login: &str, password: &str) {
        let body = json!({ "login": login, "password": password });
        let answer = self.post("/api/v1/session", &body, None).await.expect("an answer");
        assert!(answer.ok(), "{login}: {}", String::from_utf8_lossy(&answer.body));
        let cookie = answer.header("set-cookie").expect("a cookie");
        self.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    }

    /// None: no whole answer came, so nothing is known of what was done.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        tear: Option<Tear>,
    ) -> Option<Answer> {
        let asked = self.talk(method, path, headers, body, tear);
        tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?
    }

    async fn talk(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        tear: Option<Tear>,
    ) -> std::io::Result<Option<Answer>> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\nx-wangge-client: desk\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.address,
            self.cookie,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        if tear == Some(Tear::Head) {
            stream.write_all(&head.as_bytes()[..head.len() / 2]).await?;
            return Ok(None);
        }
        stream.write_all(head.as_bytes()).await?;
        if tear == Some(Tear::Body) {
            stream.write_all(&body[..body.len() / 2]).await?;
            return Ok(None);
        }
        stream.write_all(body).await?;
        if tear == Some(Tear::BeforeAnswer) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        if tear == Some(Tear::InAnswer) {
            stream.read_exact(&mut [0; 1]).await?;
            return Ok(None);
        }
        stream.read_to_end(&mut bytes).await?;
        Ok(parse(&bytes))
    }
}

/// An answer is whole when it has as many bytes as it said.
fn parse(bytes: &[u8]) -> Option<Answer> {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let headers = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let status = headers.split(' ').nth(1)?.parse().ok()?;
    let answer = Answer {
        status,
        headers,
        body: bytes[at + 4..].to_vec(),
    };
    let said = answer.header("content-length").and_then(|text| text.parse().ok());
    (said.unwrap_or(0) == answer.body.len()).then_some(answer)
}
