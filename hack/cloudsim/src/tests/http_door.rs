//! The HTTP doors on loopback, served and asked in one runtime.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::listeners::{Door, NewListener};
use crate::test_world::TestWorld;

fn listen(world: &TestWorld, door: Door) -> SocketAddr {
    let address = "127.0.0.1:0".parse().unwrap();
    world
        .cloud
        .listen(NewListener {
            door,
            address,
            netns: None,
        })
        .unwrap()
        .order
        .address
}

/// Sends one request; everything that came back until the connection closed.
async fn ask(address: SocketAddr, text: String) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A connection broken by order may end in a reset: what came before it counts.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

/// A signed call as text.
fn call(world: &TestWorld, action: &str) -> String {
    let request = world.signed(action, &[]);
    let mut text = format!("POST {} HTTP/1.1\r\nconnection: close\r\n", request.uri());
    for (name, value) in request.headers() {
        let _ = write!(text, "{name}: {}\r\n", value.to_str().unwrap());
    }
    text + "content-length: 0\r\n\r\n"
}

#[tokio::test]
async fn http_door_serves_the_api() {
    let world = TestWorld::new();
    let api = listen(&world, Door::Api);
    let answer = ask(api, call(&world, "AllocateEipAddress")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("203.0.113.1"));
    assert!(world.cloud.calls()[0].listener.ends_with(&api.to_string()));
}

#[tokio::test]
async fn http_door_of_the_metadata_service_knows_its_instance() {
    let world = TestWorld::new();
    let address = listen(
        &world,
        Door::Metadata {
            instance: "i-1".into(),
        },
    );
    let answer = ask(address, get("/latest/meta-data/instance-id")).await;
    assert!(answer.ends_with("\r\n\r\ni-1"), "{answer}");
}

#[tokio::test]
async fn http_door_breaks_the_connection_of_a_lost_answer() {
    let world = TestWorld::new();
    let api = listen(&world, Door::Api);
    let fault = json!({"action": "AllocateEipAddress", "fault": {"kind": "lose"}});
    world.control("POST", "/faults", fault).await;
    assert_eq!(ask(api, call(&world, "AllocateEipAddress")).await, "");
    assert_eq!(world.cloud.eips().len(), 1);
}

#[tokio::test]
async fn http_door_opens_and_closes_listeners_by_control() {
    let world = TestWorld::new();
    let control = listen(&world, Door::Control);
    assert!(ask(control, get("/")).await.contains("POST /listeners"));
    let order = json!({"door": "metadata", "instance": "i-1", "address": "127.0.0.1:0"});
    let opened = world.control("POST", "/listeners", order).await;
    let address: SocketAddr = opened["address"].as_str().unwrap().parse().unwrap();
    assert!(
        ask(address, get("/latest/meta-data/instance-id"))
            .await
            .contains("200 OK")
    );
    let listed = world.control("GET", "/listeners", Value::Null).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let path = format!("/listeners/{}", opened["id"]);
    world.control("DELETE", &path, Value::Null).await;
    tokio::task::yield_now().await;
    assert!(TcpStream::connect(address).await.is_err());
    assert_eq!(world.try_control("DELETE", &path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn http_door_refuses_a_bad_address_or_namespace() {
    let world = TestWorld::new();
    let taken = listen(&world, Door::Api);
    let orders = [
        json!({"door": "api", "address": taken.to_string()}),
        json!({"door": "api", "address": "127.0.0.1:0", "netns": "/run/netns/no-such"}),
    ];
    for order in orders {
        assert_eq!(world.try_control("POST", "/listeners", order).await.0, 409);
    }
    let bad = json!({"door": "cellar", "address": "127.0.0.1:0"});
    assert_eq!(world.try_control("POST", "/listeners", bad).await.0, 400);
}
