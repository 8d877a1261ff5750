//! The command line: what it says when it cannot go on, and what it does beside a running server.

use parlour_tests::command::parlour;
use parlour_tests::database::{connect, file, only_sqlite};
use parlour_tests::office::{PASSWORD, link_in};
use parlour_tests::{Browser, Node, Office, Visitor};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_data_folder_that_cannot_be_written_is_one_sentence() {
    if only_sqlite("a folder for the file") {
        return;
    }
    let folder = parlour_tests::node::folder();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    for path in [file.join("data"), "/proc/parlour".into(), file] {
        let outcome = parlour(&["serve"], &path, &[]).await;
        let sentence = outcome.sentence();
        assert!(sentence.contains(&path.display().to_string()), "{sentence}");
    }
    // Root may write anywhere, so this only shows itself to others.
    let closed = folder.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o500)).unwrap();
    let is_root = std::fs::write(closed.join("probe"), "").is_ok();
    if !is_root {
        let _ = parlour(&["serve"], &closed, &[]).await.sentence();
    }
}

#[tokio::test]
async fn a_port_in_use_is_one_sentence() {
    let folder = parlour_tests::node::folder();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let outcome = parlour(&["serve"], folder.path(), &[("PARLOUR_ADDR", &address)]).await;
    let sentence = outcome.sentence();
    assert!(
        sentence.contains(&address) && sentence.contains("in use"),
        "{sentence}"
    );
    let outcome = parlour(
        &["serve"],
        folder.path(),
        &[("PARLOUR_ADDR", "192.0.2.1:80")],
    )
    .await;
    assert!(outcome.sentence().contains("192.0.2.1:80"));
}

#[tokio::test]
async fn a_second_server_on_the_same_data_refuses() {
    if only_sqlite("the lock on the data folder") {
        return;
    }
    let node = Node::start().await;
    for command in ["serve", "migrate"] {
        let outcome = parlour(&[command], node.data(), &[]).await;
        let sentence = outcome.sentence();
        assert!(
            sentence.contains(&node.data().display().to_string()),
            "{sentence}"
        );
    }
    node.assert_well().await;
}

#[tokio::test]
async fn a_database_that_is_none_is_one_sentence() {
    if only_sqlite("a damaged file") {
        return;
    }
    let mut node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    visitor.open("hello").await;
    let (status, _) = node.terminate().await;
    assert!(status.success());
    let file = file(node.data());
    assert!(
        length_of_log(&file) == 0,
        "a graceful stop left a part in the log"
    );
    let good = std::fs::read(&file).unwrap();
    let mut torn = good.clone();
    torn[..100].fill(0x5a);
    let mut garbled = good.clone();
    let length = garbled.len();
    garbled[4_096..length.min(4_096 * 6)].fill(0xff);
    let half = good[..good.len() / 2 + 100].to_vec();
    for (what, bytes) in [
        ("not a database", b"this is no database at all".repeat(300)),
        ("torn", torn),
        ("garbled", garbled),
        ("half", half),
    ] {
        for leftover in std::fs::read_dir(node.data()).unwrap() {
            let path = leftover.unwrap().path();
            if path.to_string_lossy().contains("-wal") || path.to_string_lossy().contains("-shm") {
                std::fs::remove_file(path).unwrap();
            }
        }
        std::fs::write(&file, bytes).unwrap();
        for command in [
            &["serve"][..],
            &["site", "list"],
            &["agent", "list"],
            &["migrate"],
        ] {
            let outcome = parlour(command, node.data(), &[]).await;
            assert!(
                outcome.code.is_some_and(|code| code != 0),
                "{what}: {command:?} {outcome:?}"
            );
            let sentence = outcome.sentence();
            assert!(
                sentence.contains(&file.display().to_string()),
                "{what}: {sentence}"
            );
        }
    }
    std::fs::write(&file, good).unwrap();
    node.start_again().await;
    node.assert_well().await;
}

/// A copy of the one file is the whole of it, also when a backup had it open.
#[tokio::test]
async fn a_graceful_stop_folds_the_log_into_the_file() {
    if only_sqlite("a log beside the file") {
        return;
    }
    let mut node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    visitor.open("hello").await;
    let mut backup = connect(node.data()).await;
    sqlx::query("select count(*) from messages")
        .execute(&mut backup)
        .await
        .unwrap();
    assert!(length_of_log(&file(node.data())) > 0);
    let (status, _) = node.terminate().await;
    assert!(status.success());
    assert_eq!(length_of_log(&file(node.data())), 0);
}

fn length_of_log(file: &Path) -> u64 {
    std::fs::metadata(file.with_extension("db-wal")).map_or(0, |log| log.len())
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    if only_sqlite("the file of a newer version") {
        return;
    }
    let mut node = Node::start().await;
    node.terminate().await;
    let mut connection = connect(node.data()).await;
    sqlx::query("insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (9999, 'later', true, x'00', 0)")
        .execute(&mut connection)
        .await
        .unwrap();
    drop(connection);
    for command in [&["serve"][..], &["migrate"], &["site", "list"]] {
        let outcome = parlour(command, node.data(), &[]).await;
        let sentence = outcome.sentence();
        assert!(
            sentence.contains("newer") && sentence.contains("9999"),
            "{sentence}"
        );
    }
}

#[tokio::test]
async fn a_wrong_setting_names_itself_its_value_and_what_is_expected() {
    let folder = parlour_tests::node::folder();
    for (variable, value, expected) in [
        ("PARLOUR_ADDR", "here", "127.0.0.1:8080"),
        ("PARLOUR_PUBLIC_URL", "chat.example.com", "https://"),
        ("PARLOUR_HEARTBEAT_MS", "fast", "whole number"),
        ("PARLOUR_SEND_RATE", "0", "whole number"),
        ("PARLOUR_LOG", "parlour_server=loud", "filter"),
        ("PARLOUR_LOG_FORMAT", "xml", "json"),
        ("PARLOUR_TRUSTED_PROXIES", "everybody", "networks"),
        ("PARLOUR_SIGN_IN_IDLE", "soon", "14d"),
    ] {
        let outcome = parlour(&["serve"], folder.path(), &[(variable, value)]).await;
        let sentence = outcome.sentence();
        for part in [variable, value, expected] {
            assert!(sentence.contains(part), "{part} is missing: {sentence}");
        }
    }
    // Flags beat the environment.
    let outcome = parlour(
        &["serve", "--addr", "there"],
        folder.path(),
        &[("PARLOUR_ADDR", "here")],
    )
    .await;
    assert!(outcome.sentence().contains("there"));
    let file = folder.path().join("parlour.toml");
    std::fs::write(&file, "adr = \"127.0.0.1:0\"\n").unwrap();
    let outcome = parlour(
        &["serve", "--config", file.to_str().unwrap()],
        folder.path(),
        &[],
    )
    .await;
    assert!(outcome.sentence().contains("adr"));
}

#[tokio::test]
async fn every_command_has_a_help() {
    let folder = parlour_tests::node::folder();
    for command in [
        &[][..],
        &["serve"],
        &["migrate"],
        &["setup-link"],
        &["site"],
        &["site", "list"],
        &["site", "add"],
        &["site", "show"],
        &["agent"],
        &["agent", "list"],
        &["agent", "invite"],
        &["agent", "reset-link"],
        &["agent", "disable"],
        &["agent", "enable"],
    ] {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let outcome = parlour(&arguments, folder.path(), &[]).await.success();
        assert!(outcome.out.contains("Usage: parlour"), "{}", outcome.out);
        for setting in ["PARLOUR_ADDR", "PARLOUR_DATA", "PARLOUR_PUBLIC_URL"] {
            assert!(
                outcome.out.contains(setting),
                "{setting} in the help of {command:?}"
            );
        }
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "help touches no data"
    );
    let outcome = parlour(&["srve"], folder.path(), &[]).await;
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.err.contains("serve"), "{}", outcome.err);
}

/// Sites and agents are administered beside a running server, which sees it at once.
#[tokio::test]
async fn commands_work_beside_a_running_server() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let run = async |arguments: &[&str]| parlour(arguments, node.data(), &[]).await;

    let added = run(&[
        "site",
        "add",
        "Second",
        "--origin",
        "http://second.test",
        "--color",
        "#aa0000",
    ])
    .await
    .success();
    let line = added
        .out
        .lines()
        .find(|line| line.starts_with("Key:"))
        .unwrap()
        .to_owned();
    let key = line.split_whitespace().nth(1).unwrap().to_owned();
    assert!(
        added.out.contains(&format!("{}/w/{key}.js", node.origin())),
        "{}",
        added.out
    );
    let sites = office
        .owner
        .browser
        .read("/api/v1/sites")
        .await
        .expect(200)
        .json();
    let second = sites
        .as_array()
        .unwrap()
        .iter()
        .find(|site| site["key"] == key.as_str())
        .unwrap();
    let site = parlour_tests::Site {
        id: parlour_tests::office::id_of(&second["id"]),
        key: key.clone(),
        origin: "http://second.test".into(),
    };
    let visitor = Visitor::arrive(&node, &site).await;
    visitor.open("from the second site").await;
    assert!(
        run(&["site", "list"])
            .await
            .success()
            .out
            .contains("Second")
    );
    assert!(
        run(&["site", "show", &key])
            .await
            .success()
            .out
            .contains("http://second.test")
    );
    assert!(
        run(&["site", "show", "nothing"])
            .await
            .sentence()
            .contains("nothing")
    );
    let refused = run(&["site", "add", "Third", "--origin", "third.test"]).await;
    assert!(refused.sentence().contains("third.test"));

    let invited = run(&["agent", "invite", "carla@office.test"])
        .await
        .success();
    let link = link_in(&invited.out, "/invite/");
    let carla = parlour_tests::office::accept(
        Browser::new(node.address()),
        &link,
        "Carla",
        "carla@office.test",
    )
    .await;
    assert!(
        run(&["agent", "list"])
            .await
            .success()
            .out
            .contains("carla@office.test")
    );
    let socket = carla.dashboard().await;
    let disabled = run(&["agent", "disable", "carla@office.test"]).await;
    assert_eq!(disabled.code, Some(0), "{disabled:?}");
    socket
        .expect_close(parlour_protocol::close::UNAUTHORIZED)
        .await;
    assert_eq!(
        carla.browser.clone().read("/api/v1/account").await.status,
        401
    );
    let enabled = run(&["agent", "enable", "carla@office.test"]).await;
    assert_eq!(enabled.code, Some(0), "{enabled:?}");

    let reset = run(&["agent", "reset-link", "olivia@office.test"])
        .await
        .success();
    let link = link_in(&reset.out, "/reset/");
    let mut browser = Browser::new(node.address());
    assert_eq!(
        browser
            .form(&link, &[("password", "a wholly new password")])
            .await
            .status,
        303
    );
    assert_eq!(
        office.owner.browser.read("/api/v1/account").await.status,
        401,
        "the old sign-in is over"
    );
    let mut browser = Browser::new(node.address());
    for (password, status) in [(PASSWORD, 401), ("a wholly new password", 200)] {
        let body = serde_json::json!({ "email": "olivia@office.test", "password": password });
        assert_eq!(
            browser.call("POST", "/api/v1/sign-ins", &body).await.status,
            status
        );
    }
    assert!(
        run(&["agent", "reset-link", "nobody@office.test"])
            .await
            .sentence()
            .contains("nobody@office.test")
    );
    // There is an owner, so there is nothing to set up.
    let _ = run(&["setup-link"]).await.sentence();
    node.assert_well().await;
}

/// A new set-up link makes the older one void.
#[tokio::test]
async fn a_new_setup_link_voids_the_old_one() {
    let node = Node::start().await;
    let old = node.setup_path();
    let made = parlour(&["setup-link"], node.data(), &[]).await.success();
    assert!(made.out.starts_with(&node.origin()), "{}", made.out);
    let new = link_in(&made.out, "/setup/");
    let mut browser = Browser::new(node.address());
    assert_eq!(browser.get(&old).await.status, 404);
    assert_eq!(browser.get(&new).await.status, 200);
}
