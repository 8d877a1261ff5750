//! What a service manager does with a server: it hands over the listening socket, hears how the
//! server is, and puts another one in its place.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use parlour_tests::node::{HANDS_OVER, binary, folder};
use parlour_tests::{Node, Office, Visitor, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixDatagram};
use tokio::process::Command;

/// Whoever comes while one server has gone and the next has not begun waits, and is served.
#[tokio::test]
async fn an_inherited_socket_outlives_the_server() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut node = Node::with().inherits(&socket).start().await;
    let address = socket.local_addr().unwrap();
    assert_eq!(node.address(), address);
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("before").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    for round in 0..2 {
        let (status, _) = node.terminate().await;
        assert_eq!(status.code(), Some(0));
        let mut early = TcpStream::connect(address).await.unwrap();
        let request = "GET /healthz HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";
        early.write_all(request.as_bytes()).await.unwrap();
        node.start_again().await;
        let mut answer = String::new();
        within("the answer", early.read_to_string(&mut answer))
            .await
            .unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let text = format!("after {round}");
        visitor.say(&text).await;
        agent.expect(ticket, &text).await;
    }
    assert_eq!(agent.texts(ticket), ["before", "after 0", "after 1"]);
}

/// What is no TCP socket that listens is one sentence.
#[tokio::test]
async fn a_socket_that_does_not_listen_is_one_sentence() {
    let data = folder();
    let listening = TcpListener::bind("127.0.0.1:0").unwrap();
    let connected = std::net::TcpStream::connect(listening.local_addr().unwrap()).unwrap();
    let wrong: [OwnedFd; 3] = [
        std::fs::File::open("/dev/null").unwrap().into(),
        std::net::UdpSocket::bind("127.0.0.1:0").unwrap().into(),
        connected.into(),
    ];
    for fd in wrong {
        let [shell, words @ ..] = HANDS_OVER;
        let output = Command::new(shell)
            .args(words)
            .arg(binary())
            .arg("serve")
            .env("LISTEN_FDS", "1")
            .env("PARLOUR_DATA", data.path())
            .stdin(Stdio::from(fd))
            .kill_on_drop(true)
            .output();
        let output = within("the refusal", output).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("LISTEN_FDS"), "{said}");
    }
}

/// Ready when it serves, alive while it does, and stopping when it is asked to.
#[tokio::test]
async fn the_service_manager_is_told() {
    let folder = folder();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let mut node = Node::with()
        .set("NOTIFY_SOCKET", path.display())
        .set("WATCHDOG_USEC", 500_000)
        .start()
        .await;
    let ready = hears(&manager, "READY=1").await;
    let url = format!("STATUS=Serving http://{}", node.address());
    assert!(ready.contains(&url), "{ready}");
    for _ in 0..3 {
        hears(&manager, "WATCHDOG=1").await;
    }
    let (status, _) = node.terminate().await;
    assert_eq!(status.code(), Some(0));
    hears(&manager, "STOPPING=1").await;
}

/// The next thing that it says with this in it.
async fn hears(manager: &UnixDatagram, what: &str) -> String {
    let mut said = [0; 1_024];
    within(what, async {
        loop {
            let length = manager.recv(&mut said).await.unwrap();
            let text = String::from_utf8_lossy(&said[..length]);
            if text.lines().any(|line| line == what) {
                return text.into_owned();
            }
        }
    })
    .await
}
