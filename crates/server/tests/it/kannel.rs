//! SMS through Kannel: its bearerbox, its smsbox and its fakesmsc as real processes on loopback, a whole conversation between a phone and
//! the server. The contract itself, with all that must not happen, is in `sms.rs`.
//!
//! fakesmsc is told at its start what to send, and bearerbox loses what is on its way to one that leaves. So each text is sent by a fakesmsc of
//! its own over a line to bearerbox that stays for the whole conversation ([`Network`]); what the phone hears is read at that line.

use crate::cases::people;
use crate::kit::{TestApp, config};
use crate::sms::{MATTER, SECRET, answered, number_in, only_case};
use db::Backend;
use serde_json::Value;
use server::platform::config::{Config, Secret, Sms, SmsKind};
use server::platform::jobs;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

const FAKESMSC: &str = "/usr/lib/kannel/test/fakesmsc";
const PHONE: &str = "13800001234";
const OURS: &str = "12345";
/// What is waited for comes within this, or the test fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one look waits for a line.
const LOOK: Duration = Duration::from_millis(50);

/// A process whose output is read line by line; killed at the end.
struct Process {
    child: Child,
    lines: UnboundedReceiver<String>,
}

impl Process {
    fn start(program: &str, arguments: &[&str]) -> Process {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}; script/setup installs Kannel"));
        let (sender, lines) = unbounded_channel();
        let output = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in output.split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        Process { child, lines }
    }

    /// The next line that holds a text.
    async fn says(&mut self, text: &str) -> String {
        let wait = async {
            loop {
                match self.lines.recv().await {
                    Some(line) if line.contains(text) => return line,
                    Some(_) => {}
                    None => panic!("it ended without saying {text:?}"),
                }
            }
        };
        timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("{text:?} was never said"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ports tried so far in this process.
static TRIED: AtomicU16 = AtomicU16::new(0);

/// Ports nobody listens on, below those the system gives to connections by itself; other ones in each process and for each test.
async fn free_ports<const N: usize>() -> [u16; N] {
    let mut ports = Vec::new();
    while ports.len() < N {
        let port = 20_000 + (std::process::id() % 1_200) as u16 * 10 + TRIED.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
            ports.push(port);
        }
    }
    ports.try_into().unwrap()
}

/// The line between bearerbox and the phones.
struct Network {
    heard: Lines<tokio::io::BufReader<OwnedReadHalf>>,
    to_bearerbox: OwnedWriteHalf,
    phones: TcpListener,
}

impl Network {
    async fn join(port: u16) -> Network {
        let (reader, to_bearerbox) = TcpStream::connect(("127.0.0.1", port)).await.unwrap().into_split();
        Network {
            heard: tokio::io::BufReader::new(reader).lines(),
            to_bearerbox,
            phones: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    /// A fakesmsc sends one message.
    async fn carry(&mut self, message: &str) {
        let port = self.phones.local_addr().unwrap().port().to_string();
        let _phone = Process::start(
            FAKESMSC,
            &["-H", "127.0.0.1", "-r", &port, "-m", "1", "-i", "0.01", message],
        );
        let wait = async {
            let (phone, _) = self.phones.accept().await.unwrap();
            let sent = tokio::io::BufReader::new(phone).lines().next_line().await.unwrap();
            let sent = sent.expect("fakesmsc sends a line") + "\n";
            self.to_bearerbox.write_all(sent.as_bytes()).await.unwrap();
        };
        timeout(PATIENCE, wait).await.expect("fakesmsc sends nothing");
    }
}

/// The gateway: bearerbox and smsbox, and a network that is played.
struct Kannel {
    network: Network,
    smsbox: Process,
    bearerbox: Process,
}

impl Kannel {
    /// As `docs/operations` shows it; long texts put together by Kannel, or handed on in parts.
    async fn start(folder: &Path, server: SocketAddr, ports: [u16; 4], puts_together: bool) -> Kannel {
        let [sendsms, admin, boxes, network] = ports;
        let file = folder.join("kannel.conf");
        let store = folder.join("store").display().to_string();
        let text = format!(
            "group = core\nadmin-port = {admin}\nadmin-password = x\nadmin-interface = 127.0.0.1\nsmsbox-port = {boxes}\nbox-allow-ip = 127.0.0.1\n\
             store-type = file\nstore-location = {store}\ndlr-storage = internal\nsms-combine-concatenated-mo = {puts_together}\n\n\
             group = smsc\nsmsc = fake\nsmsc-id = fake\nport = {network}\nconnect-allow-ip = 127.0.0.1\n\n\
             group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {sendsms}\nsendsms-interface = 127.0.0.1\nhttp-request-retry = 3\n\
             http-queue-delay = 1\n\n\
             group = sendsms-user\nusername = wangge\npassword = handover\nmax-messages = 20\nconcatenation = true\nuser-allow-ip = 127.0.0.1\n\n\
             group = sms-service\nkeyword = default\ncatch-all = true\nmax-messages = 0\nomit-empty = true\nsend-sender = true\n\
             post-url = \"http://kannel:{}@{server}/sms/kannel/in?id=%I\"\n",
            SECRET.replace(' ', "-"),
        );
        std::fs::write(&file, text).unwrap();
        let file = file.display().to_string();
        let mut bearerbox = Process::start("/usr/sbin/bearerbox", &[&file]);
        bearerbox.says("Start-up done").await;
        let smsbox = Process::start("/usr/sbin/smsbox", &[&file]);
        bearerbox.says("Client connected from").await;
        Kannel {
            network: Network::join(network).await,
            smsbox,
            bearerbox,
        }
    }
}

/// A place with Kannel in front of it, and a phone.
struct Talk {
    app: TestApp,
    kannel: Kannel,
    _folder: tempfile::TempDir,
}

impl Talk {
    async fn start(puts_together: bool) -> Talk {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let ports = free_ports().await;
        let sms = Sms {
            kind: SmsKind::Kannel,
            url: format!("http://127.0.0.1:{}/cgi-bin/sendsms", ports[0]),
            secret: Secret(SECRET.replace(' ', "-")),
            user: "wangge".into(),
            password: Secret("handover".into()),
            sender: OURS.into(),
            callback: format!("http://{server}"),
            ..Sms::default()
        };
        let app = TestApp::with(
            Backend::Sqlite,
            Config {
                sms: Some(sms),
                ..config()
            },
        )
        .await;
        jobs::run_due(&app.app).await.expect("the recurring jobs are put");
        app.listen(listener);
        let folder = tempfile::tempdir().unwrap();
        let kannel = Kannel::start(folder.path(), server, ports, puts_together).await;
        Talk {
            app,
            kannel,
            _folder: folder,
        }
    }

    /// The phone sends.
    async fn sends(&mut self, kind: &str, text: &str) {
        let message = format!("{PHONE} {OURS} {kind} {text}");
        self.kannel.network.carry(&message).await;
    }

    /// The next text that reaches the phone, its parts put together.
    async fn hears(&mut self) -> String {
        let mut parts: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        let mut total = 1;
        let wait = async {
            while parts.len() < total {
                self.app.app.clock().advance_ms(2_000);
                jobs::run_due(&self.app.app).await.expect("the jobs run");
                let Ok(heard) = timeout(LOOK, self.kannel.network.heard.next_line()).await else {
                    continue;
                };
                let message = heard.unwrap().expect("bearerbox keeps the line");
                let words: Vec<&str> = message.splitn(4, ' ').collect();
                assert_eq!((words[0], words[1]), (OURS, PHONE), "{message}");
                let (seq, coded) = match words[2] {
                    "udh" => {
                        let (header, data) = words[3].split_once(" data ").unwrap();
                        let header = unescaped(header);
                        total = usize::from(header[4]);
                        (header[5], data)
                    }
                    _ => (1, words[3]),
                };
                parts.insert(seq, unescaped(coded));
            }
        };
        timeout(PATIENCE, wait).await.expect("the phone hears nothing");
        let bytes: Vec<u8> = parts.into_values().flatten().collect();
        // What the basic alphabet has comes as it is, anything else in pairs.
        if bytes.is_ascii() && !bytes.contains(&0) {
            return String::from_utf8(bytes).unwrap();
        }
        let units: Vec<u16> = bytes
            .chunks(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        String::from_utf16(&units).unwrap()
    }

    /// Chinese, as a phone sends it.
    async fn says(&mut self, text: &str) -> String {
        let ucs2: String = text
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .map(|byte| format!("%{byte:02x}"))
            .collect();
        self.sends("ucs2", &ucs2).await;
        self.hears().await
    }

    /// Waits until the administrator's log is as wanted.
    async fn logged(&self, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let admin = self.app.login_as("system_admin", None).await;
        let mut tick = tokio::time::interval(LOOK);
        let mut last = Vec::new();
        let wait = async {
            loop {
                tick.tick().await;
                self.app.app.clock().advance_ms(2_000);
                jobs::run_due(&self.app.app).await.expect("the jobs run");
                let log = admin.get("/api/v1/dialogue/sms/messages?limit=100").await.ok()["items"]
                    .as_array()
                    .unwrap()
                    .clone();
                if wanted(&log) {
                    return log;
                }
                last = log;
            }
        };
        match timeout(PATIENCE, wait).await {
            Ok(log) => log,
            Err(_) => panic!("the log never says so: {last:?}"),
        }
    }
}

/// `%` and two digits are a byte, `+` a blank, anything else is itself.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        if *first == b'%' {
            let hex = std::str::from_utf8(&more[..2]).unwrap();
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            rest = &more[2..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = more;
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_conversation_goes_through_kannel() {
    let mut talk = Talk::start(true).await;
    let people = people(&talk.app).await;
    let opened = talk.says(MATTER).await;
    let number = number_in(&opened);
    assert!(opened.contains("查询码"), "{opened}");
    let case = only_case(&people).await;
    let state = talk.says("进度").await;
    assert!(state.starts_with(&number), "{state}");

    answered(&people, &case, "已责令停止，今晚起不会再有油烟。").await;
    let mut news = talk.hears().await;
    while !news.contains("1-5") {
        news = talk.hears().await;
    }
    assert!(news.contains(&number), "{news}");
    let state = talk.says(&format!("进度 {number}")).await;
    assert!(state.contains("今晚起不会再有油烟"), "{state}");
    let rated = talk.says("2").await;
    assert!(rated.contains("2 分"), "{rated}");
    let again = talk.says("不满意 昨晚又有油烟").await;
    assert!(again.contains("重新办理"), "{again}");
    let seen = people.dispatcher.get(&format!("/api/v1/cases/{case}")).await.ok();
    assert_eq!(seen["state"], "handling", "{seen}");
    let stopped = talk.says("退订").await;
    assert!(stopped.contains("已退订"), "{stopped}");

    // What the network reported is known of every message.
    let log = talk
        .logged(|log| log.iter().all(|m| m["direction"] == "in" || m["state"] == "delivered"))
        .await;
    let long = log
        .iter()
        .filter(|m| m["direction"] == "out" && m["parts"].as_i64() > Some(1))
        .count();
    assert!(long > 0, "long Chinese answers went out in parts: {log:?}");
    talk.app.remove().await;
}

/// Where Kannel does not put the parts of a long text together, the server does, whatever order they come in.
#[tokio::test(flavor = "multi_thread")]
async fn parts_that_kannel_hands_on_are_put_together_here() {
    let mut talk = Talk::start(false).await;
    let people = people(&talk.app).await;
    // fakesmsc sends headers with plain texts only; Chinese parts are in `sms.rs`.
    talk.sends("udh-text", "%05%00%03%07%02%02 +three+weeks+now").await;
    talk.kannel.bearerbox.says("smsc_fake: new message received").await;
    talk.kannel.smsbox.says("Status line: <HTTP/1.1 200").await;
    talk.sends("udh-text", "%05%00%03%07%02%01 The+street+light+is+out")
        .await;
    let opened = talk.hears().await;
    assert!(opened.contains("number"), "{opened}");
    let case = only_case(&people).await;
    let seen = people.dispatcher.get(&format!("/api/v1/cases/{case}")).await.ok();
    assert_eq!(
        seen["body"].as_str().map(|b| b.replace('+', " ")).as_deref(),
        Some("The street light is out three weeks now")
    );
    talk.app.remove().await;
}
