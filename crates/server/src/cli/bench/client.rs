//! The bench's HTTP client: one kept-open connection, as little work as possible, so that the server is what is measured.

use super::CliError;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Largest answer that is read.
const MOST_BYTES: usize = 8 << 20;

/// One connection.
pub struct Client {
    stream: TcpStream,
    host: String,
    cookie: String,
    buffer: Vec<u8>,
}

/// An answer: status, cookie it sets, body.
struct Answer {
    status: u16,
    cookie: Option<String>,
    body: Vec<u8>,
}

impl Client {
    /// Connects.
    pub async fn connect(address: &str) -> Result<Client, CliError> {
        let stream = TcpStream::connect(address).await.map_err(CliError::new)?;
        stream.set_nodelay(true).map_err(CliError::new)?;
        Ok(Client {
            stream,
            host: address.to_owned(),
            cookie: String::new(),
            buffer: Vec::new(),
        })
    }

    /// A second connection with the same session.
    pub async fn again(&self) -> Result<Client, CliError> {
        let mut client = Client::connect(&self.host).await?;
        client.cookie = self.cookie.clone();
        Ok(client)
    }

    /// Signs in and keeps the session.
    pub async fn sign_in(&mut self, login: &str, password: &str) -> Result<(), CliError> {
        let answer = self
            .send(
                "POST",
                "/api/v1/session",
                Some(&json!({ "login": login, "password": password })),
            )
            .await?;
        let cookie = answer.cookie.filter(|_| answer.status == 200);
        self.cookie = cookie.ok_or_else(|| CliError(format!("{login} could not sign in: {}", answer.status)))?;
        Ok(())
    }

    /// The JSON at a path.
    pub async fn get(&mut self, path: &str) -> Result<Value, CliError> {
        let answer = self.send("GET", path, None).await?;
        parse(path, &answer)
    }

    /// How many bytes a path answers with, whatever they are.
    pub async fn fetch(&mut self, path: &str) -> Result<usize, CliError> {
        let answer = self.send("GET", path, None).await?;
        succeeded(path, &answer)?;
        Ok(answer.body.len())
    }

    /// The JSON answered to a body.
    pub async fn post(&mut self, path: &str, body: &Value) -> Result<Value, CliError> {
        let answer = self.send("POST", path, Some(body)).await?;
        parse(path, &answer)
    }

    /// Asks for a stream of events; its lines come by [`Client::line`].
    pub async fn listen(&mut self, path: &str) -> Result<(), CliError> {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\nx-wangge-client: desk\r\n\r\n",
            self.host, self.cookie
        );
        self.stream.write_all(head.as_bytes()).await.map_err(CliError::new)?;
        let first = self.line().await?;
        if first.split(' ').nth(1) != Some("200") {
            return Err(CliError(format!("{path} answered {first}")));
        }
        while !self.line().await?.is_empty() {}
        Ok(())
    }

    /// The next line of a stream. The sizes of its chunks come as lines of their own; whoever reads it knows what they look for. May be
    /// dropped while it waits: nothing is lost.
    pub async fn line(&mut self) -> Result<String, CliError> {
        loop {
            if let Some(end) = find(&self.buffer, b"\n") {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            self.more().await?;
        }
    }

    /// The JSON answered to a file.
    pub async fn upload(&mut self, path: &str, file: &str) -> Result<Value, CliError> {
        let answer = self.put("POST", path, "text/csv", file).await?;
        parse(path, &answer)
    }

    async fn send(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, CliError> {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.put(method, path, "application/json", &body).await
    }

    async fn put(&mut self, method: &str, path: &str, kind: &str, body: &str) -> Result<Answer, CliError> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\nx-wangge-client: desk\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            self.host,
            self.cookie,
            body.len()
        );
        self.stream.write_all(head.as_bytes()).await.map_err(CliError::new)?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Answer, CliError> {
        self.buffer.clear();
        let head_end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let header = |name: &str| {
            head.lines().find_map(|line| {
                line.split_once(':')
                    .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.trim().to_owned())
            })
        };
        let cookie = header("set-cookie").map(|value| value.split(';').next().unwrap_or_default().to_owned());
        let body = match header("content-length").and_then(|length| length.parse::<usize>().ok()) {
            Some(length) => self.sized(head_end, length).await?,
            None => self.chunked(head_end).await?,
        };
        Ok(Answer { status, cookie, body })
    }

    async fn sized(&mut self, start: usize, length: usize) -> Result<Vec<u8>, CliError> {
        while self.buffer.len() < start + length {
            self.more().await?;
        }
        Ok(self.buffer[start..start + length].to_vec())
    }

    async fn chunked(&mut self, mut at: usize) -> Result<Vec<u8>, CliError> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(end) = find(&self.buffer[at..], b"\r\n") {
                    break end;
                }
                self.more().await?;
            };
            let text = String::from_utf8_lossy(&self.buffer[at..at + line]).into_owned();
            let size = usize::from_str_radix(text.trim(), 16).map_err(|_| CliError("a chunk without a size".into()))?;
            at += line + 2;
            while self.buffer.len() < at + size + 2 {
                self.more().await?;
            }
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&self.buffer[at..at + size]);
            at += size + 2;
        }
    }

    async fn more(&mut self) -> Result<(), CliError> {
        if self.buffer.len() > MOST_BYTES {
            return Err(CliError("the answer is too long".into()));
        }
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => Err(CliError("the server closed the connection".into())),
            Ok(_) => Ok(()),
            Err(error) => Err(CliError::new(error)),
        }
    }
}

fn succeeded(path: &str, answer: &Answer) -> Result<(), CliError> {
    if (200..300).contains(&answer.status) {
        return Ok(());
    }
    Err(CliError(format!(
        "{path} answered {}: {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    )))
}

fn parse(path: &str, answer: &Answer) -> Result<Value, CliError> {
    succeeded(path, answer)?;
    serde_json::from_slice(&answer.body).map_err(|error| CliError(format!("{path}: {error}")))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
