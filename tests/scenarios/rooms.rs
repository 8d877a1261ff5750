//! Direct and team rooms: agents alone, and of those only the members.

use std::time::Duration;

use parlour_protocol::client::Client;
use parlour_protocol::frame::{ErrorCode, RoomKind, ServerFrame, View};
use parlour_protocol::{ClientFrame, Id, VERSION};
use parlour_tests::database::{connect, hold_rooms};
use parlour_tests::office::{Colleague, direct_room, team_room};
use parlour_tests::wire::Upgrade;
use parlour_tests::{Answer, Node, Office, Request, Visitor, Wire, id};
use sqlx::Executor as _;

/// The answer to each way in, without what names the room.
async fn knocks(colleague: &mut Colleague, room: Id) -> Vec<String> {
    let browser = &mut colleague.browser;
    let mut heard = Vec::new();
    let page = |answer: Answer| format!("{} {}", answer.status, answer.text());
    heard.push(page(browser.get(&format!("/rooms/{room}")).await));
    heard.push(page(
        browser
            .read(&format!("/api/v1/rooms/{room}/messages"))
            .await,
    ));
    heard.push(page(browser.get(&format!("/tickets/{room}")).await));
    heard.push(page(browser.read(&format!("/api/v1/tickets/{room}")).await));
    let me = colleague.id.text();
    for (path, fields) in [
        ("messages", [("text", "let me in"), ("cid", &id().text())]),
        ("members", [("agent", me.as_str()), ("", "")]),
        ("leave", [("", ""), ("", "")]),
    ] {
        let answer = browser
            .form(&format!("/rooms/{room}/{path}"), &fields)
            .await;
        heard.push(page(answer));
    }
    let answer = browser
        .form(&format!("/rooms/{room}/members/{me}/remove"), &[])
        .await;
    heard.push(page(answer));

    let mut wire = colleague.wire().await;
    for frame in [
        ClientFrame::Join { room, after: None },
        ClientFrame::Join {
            room,
            after: Some(1),
        },
        ClientFrame::Typing { room, on: true },
        ClientFrame::Receipt {
            room,
            delivered: 1,
            read: 1,
        },
        ClientFrame::History {
            room,
            before: 0,
            after: 0,
        },
        ClientFrame::History {
            room,
            before: 0,
            after: 1,
        },
    ] {
        wire.send(&frame).await;
        heard.push(format!("{:?}", wire.error().await));
    }
    wire.say(room, &[(id(), "let me in")], false).await;
    let (code, retry, _) = wire.error().await;
    heard.push(format!("{code:?} {retry}"));
    assert_eq!(code, ErrorCode::UnknownRoom);

    // A cursor of `hello` is a join.
    let token = colleague.token().await;
    let upgrade = Upgrade::new(
        colleague.browser.address(),
        &colleague.browser.origin(),
        &token,
    );
    let mut wire = Wire::open(&colleague.name, upgrade).await.unwrap();
    let cursors = vec![parlour_protocol::frame::Cursor { room, seq: 1 }];
    wire.send(&ClientFrame::Hello {
        v: VERSION,
        view: View::Runs,
        epoch: None,
        cursors,
    })
    .await;
    heard.push(format!("{:?}", wire.error().await));
    assert!(!wire.received.contains("\"t\":\"page\""));
    heard
        .into_iter()
        .map(|text| text.replace(&room.text(), "ROOM"))
        .collect()
}

/// Lines 19 and 35: who is no member gets the answer of a room that does not exist, the owner included.
#[tokio::test]
async fn nobody_else_reads_a_direct_room() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let mut anna = office.invite("Anna", "agent").await;
    let ben = office.invite("Ben", "admin").await;
    let room = direct_room(&mut anna.browser, ben.id).await;
    assert_eq!(
        direct_room(&mut ben.browser.clone(), anna.id).await,
        room,
        "two agents have one direct room"
    );

    let (a, b) = (anna.dashboard().await, ben.dashboard().await);
    a.join(room).await;
    b.join(room).await;
    a.say_in(room, "canary-direct").await;
    b.expect(room, "canary-direct").await;
    b.types(room);
    a.expect_typing(room, b.id(), true).await;
    b.say_in(room, "canary-answer").await;
    a.expect(room, "canary-answer").await;
    let kind = a
        .until("the room", |brain| Some(brain.room(room)?.state()?.kind))
        .await;
    assert_eq!(kind, RoomKind::Direct);

    let owner = office.owner.dashboard().await;
    let foreign = knocks(&mut office.owner, room).await;
    let unknown = knocks(&mut office.owner, id()).await;
    assert_eq!(foreign, unknown);
    for path in ["/rooms", "/tickets", "/agents", "/api/v1/tickets"] {
        let answer = office.owner.browser.get(path).await;
        assert!(!answer.text().contains("canary"), "{path}");
    }
    a.say_in(room, "canary-end").await;
    // The sentinel: what the owner gets of an ordinary ticket comes after everything above.
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("sentinel").await;
    owner.join(ticket).await;
    owner.expect(ticket, "sentinel").await;
    let received = owner.received();
    assert!(
        !received.contains("canary") && !received.contains(&room.text()),
        "{received}"
    );
    assert_eq!(
        a.texts(room),
        b.texts(room),
        "nothing was written by the knocks"
    );
}

/// A visitor's token opens neither rooms of agents nor the staff room of her own ticket.
#[tokio::test]
async fn visitors_enter_no_room_of_agents() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let anna = office.invite("Anna", "agent").await;
    let direct = direct_room(&mut office.owner.browser, anna.id).await;
    let team = team_room(&mut office.owner.browser, "Kitchen", &[anna.id]).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let staff = parlour_tests::office::staff_room(&mut office.owner.browser, ticket).await;
    let mut wire = Wire::of(&visitor).await;
    let unknown = visitor
        .read(&format!("/api/v1/rooms/{}/messages", id()))
        .await;
    for room in [direct, team, staff] {
        for frame in [
            ClientFrame::Join { room, after: None },
            ClientFrame::Typing { room, on: true },
            ClientFrame::Receipt {
                room,
                delivered: 1,
                read: 1,
            },
            ClientFrame::History {
                room,
                before: 0,
                after: 0,
            },
        ] {
            wire.send(&frame).await;
            assert_eq!(wire.error().await.0, ErrorCode::UnknownRoom, "{frame:?}");
        }
        wire.say(room, &[(id(), "x")], false).await;
        assert_eq!(wire.error().await.0, ErrorCode::UnknownRoom);
        // Opening a ticket under a room's id takes nothing over.
        wire.say(room, &[(id(), "x")], true).await;
        let (code, retry, _) = wire.error().await;
        assert!(
            !retry && matches!(code, ErrorCode::UnknownRoom | ErrorCode::Conflict),
            "{code:?}"
        );
        let answer = visitor
            .read(&format!("/api/v1/rooms/{room}/messages"))
            .await;
        assert_eq!(
            (answer.status, answer.text()),
            (unknown.status, unknown.text())
        );
    }
    assert!(!wire.received.contains("\"t\":\"page\""));
    // Her token opens no route of agents.
    for path in [
        "/api/v1/tickets",
        "/api/v1/agents",
        "/api/v1/sites",
        "/api/v1/account",
    ] {
        assert_eq!(visitor.read(path).await.status, 401, "{path}");
    }
    let request =
        Request::get("/tickets").header("authorization", &format!("Bearer {}", visitor.token()));
    assert_eq!(
        request.send(node.address()).await.status,
        303,
        "to the sign-in page"
    );
}

/// Whoever is removed from a team room sees nothing more within a second, and sees it all again when added.
#[tokio::test]
async fn who_is_removed_sees_nothing_more() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let mut anna = office.invite("Anna", "agent").await;
    let mut ben = office.invite("Ben", "agent").await;
    let room = team_room(&mut anna.browser, "Kitchen", &[ben.id]).await;
    let direct = direct_room(&mut anna.browser, ben.id).await;
    let (a, b) = (anna.dashboard().await, ben.dashboard().await);
    for agent in [&a, &b] {
        agent.join(room).await;
        agent.join(direct).await;
    }
    a.say_in(room, "before").await;
    b.expect(room, "before").await;

    let path = format!("/rooms/{room}/members/{}/remove", ben.id);
    assert_eq!(anna.browser.form(&path, &[]).await.status, 303);
    a.say_in(room, "canary-after").await;
    a.types(room);
    a.say_in(direct, "sentinel").await;
    b.expect(direct, "sentinel").await;
    let received = b.received();
    assert!(!received.contains("canary-after"), "{received}");
    b.expect_refusal("the loss of the room", |(code, of, _)| {
        *code == ErrorCode::UnknownRoom && *of == Some(room)
    })
    .await;
    b.until("the room to be gone", |brain| {
        brain
            .room(room)
            .is_none_or(|room| room.entries().is_empty())
            .then_some(())
    })
    .await;
    let mut browser = ben.browser.clone();
    for answer in [
        browser.get(&format!("/rooms/{room}")).await,
        browser
            .read(&format!("/api/v1/rooms/{room}/messages"))
            .await,
        browser
            .form(
                &format!("/rooms/{room}/messages"),
                &[("text", "x"), ("cid", &id().text())],
            )
            .await,
    ] {
        assert_eq!(answer.status, 404);
        assert!(!answer.text().contains("canary"));
    }
    let mut wire = ben.wire().await;
    wire.say(room, &[(id(), "still there?")], false).await;
    assert_eq!(wire.error().await.0, ErrorCode::UnknownRoom);

    let path = format!("/rooms/{room}/members");
    assert_eq!(
        anna.browser
            .form(&path, &[("agent", &ben.id.text())])
            .await
            .status,
        303
    );
    b.join(room).await;
    b.expect(room, "canary-after").await;
    b.say_in(room, "back again").await;
    a.expect(room, "back again").await;
    assert_eq!(a.texts(room), b.texts(room));
    assert!(
        a.texts(room).iter().any(|text| text == "*Removed*")
            && a.texts(room).iter().any(|text| text == "*Added*")
    );
}

/// Whoever leaves is out, and the room goes on.
#[tokio::test]
async fn leaving_is_a_removal() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let mut anna = office.invite("Anna", "agent").await;
    let room = team_room(&mut office.owner.browser, "Kitchen", &[anna.id]).await;
    assert_eq!(
        anna.browser
            .form(&format!("/rooms/{room}/leave"), &[])
            .await
            .status,
        303
    );
    assert_eq!(
        anna.browser.get(&format!("/rooms/{room}")).await.status,
        404
    );
    assert_eq!(
        office
            .owner
            .browser
            .get(&format!("/rooms/{room}"))
            .await
            .status,
        200
    );
    // A direct room cannot be left, and nobody is added to it.
    let direct = direct_room(&mut office.owner.browser, anna.id).await;
    let answer = office
        .owner
        .browser
        .form(&format!("/rooms/{direct}/leave"), &[])
        .await;
    assert_ne!(answer.status, 500);
    let ben = office.invite("Ben", "agent").await;
    let _ = office
        .owner
        .browser
        .form(
            &format!("/rooms/{direct}/members"),
            &[("agent", &ben.id.text())],
        )
        .await;
    assert_eq!(
        ben.browser
            .clone()
            .get(&format!("/rooms/{direct}"))
            .await
            .status,
        404
    );
    assert_eq!(
        anna.browser.get(&format!("/rooms/{direct}")).await.status,
        200
    );
}

/// Who asks for a room and is cut off before the answer has made it all the same: its members are
/// let in with the commit.
#[tokio::test]
async fn a_room_whose_maker_is_cut_off_opens_to_its_members() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let mut anna = office.invite("Anna", "agent").await;
    let desk = anna.dashboard().await;
    let mut lock = connect(node.data()).await;
    for _ in 0..10 {
        // Another writer keeps the room from being stored until its maker is gone.
        hold_rooms(&mut lock).await;
        let request = Request::post("/rooms")
            .form(&[("name", "Kitchen"), ("members", &anna.id.text())])
            .cookie(&office.owner.browser)
            .header("origin", &node.origin())
            .header("sec-fetch-site", "same-origin");
        let answer = request.try_send(node.address());
        let cut = tokio::time::timeout(Duration::from_millis(300), answer).await;
        assert!(cut.is_err(), "it was answered before it could be stored");
        lock.execute("rollback").await.unwrap();

        let after = team_room(&mut office.owner.browser, "Garden", &[anna.id]).await;
        let listed = |room: Id| {
            move |brain: &Client| {
                let mut rooms = brain.rooms().iter();
                rooms.any(|listed| listed.room == room).then_some(())
            }
        };
        desk.until("the room made after it", listed(after)).await;
        let token = anna.token().await;
        let upgrade = Upgrade::new(node.address(), &node.origin(), &token);
        let ServerFrame::Welcome { rooms, .. } =
            Wire::open("Anna", upgrade).await.unwrap().hello().await
        else {
            panic!("no welcome");
        };
        for room in &rooms {
            desk.until("every room of hers", listed(room.room)).await;
        }
        if anna.browser.get("/rooms").await.text().contains("Kitchen") {
            return;
        }
    }
    panic!("no request was cut off while it waited for the database");
}
