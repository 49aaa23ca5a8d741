//! SMS through Kannel: its bearerbox, its smsbox and its fakesmsc as real processes on loopback, a whole conversation between a phone and
//! the server. The contract itself, with all that must not happen, is in `sms.rs`.

use crate::cases::people;
use crate::kit::{TestApp, config};
use crate::sms::{MATTER, SECRET, answered, number_in, only_case};
use db::Backend;
use serde_json::Value;
use server::platform::config::{Config, Secret, Sms, SmsKind};
use server::platform::jobs;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
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

/// Ports nobody listens on now.
fn free_ports<const N: usize>() -> [u16; N] {
    let held: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// The gateway: bearerbox and smsbox, and a network that is played.
struct Kannel {
    network: u16,
    smsbox: Process,
    bearerbox: Process,
}

impl Kannel {
    /// As `docs/operations` shows it; long texts put together by Kannel, or handed on in parts.
    async fn start(folder: &Path, server: SocketAddr, sendsms: u16, puts_together: bool) -> Kannel {
        let [admin, boxes, network] = free_ports();
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
            network,
            smsbox,
            bearerbox,
        }
    }
}

/// A place with Kannel in front of it, and a phone.
struct Talk {
    app: TestApp,
    kannel: Kannel,
    phone: Option<Process>,
    _folder: tempfile::TempDir,
}

impl Talk {
    async fn start(puts_together: bool) -> Talk {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let [sendsms] = free_ports();
        let sms = Sms {
            kind: SmsKind::Kannel,
            url: format!("http://127.0.0.1:{sendsms}/cgi-bin/sendsms"),
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
        let kannel = Kannel::start(folder.path(), server, sendsms, puts_together).await;
        Talk {
            app,
            kannel,
            phone: None,
            _folder: folder,
        }
    }

    /// The phone sends; it stays to hear.
    fn sends(&mut self, kind: &str, text: &str) {
        self.phone = None;
        let port = self.kannel.network.to_string();
        let message = format!("{PHONE} {OURS} {kind} {text}");
        self.phone = Some(Process::start(
            FAKESMSC,
            &["-H", "127.0.0.1", "-r", &port, "-m", "1", "-i", "0.01", &message],
        ));
    }

    /// The next text that reaches the phone, its parts put together.
    async fn hears(&mut self) -> String {
        let mut parts: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        let mut total = 1;
        let wait = async {
            while parts.len() < total {
                self.app.app.clock().advance_ms(2_000);
                jobs::run_due(&self.app.app).await.expect("the jobs run");
                let phone = self.phone.as_mut().expect("a phone");
                let Ok(Some(line)) = timeout(LOOK, phone.lines.recv()).await else {
                    continue;
                };
                let Some((_, message)) = line.split_once("Got message ") else {
                    continue;
                };
                let message = message.split_once('<').unwrap().1.strip_suffix('>').unwrap();
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
        self.sends("ucs2", &ucs2);
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
                let log = admin.get("/api/v1/sms/messages?limit=100").await.ok()["items"]
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
    talk.sends("udh-text", "%05%00%03%07%02%02 +three+weeks+now");
    talk.kannel.bearerbox.says("smsc_fake: new message received").await;
    talk.kannel.smsbox.says("Status line: <HTTP/1.1 200").await;
    talk.sends("udh-text", "%05%00%03%07%02%01 The+street+light+is+out");
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
