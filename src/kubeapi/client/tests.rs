//! The client as it is built for production, against a server on loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, WatchParams};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const THROTTLED: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"slow down","reason":"TooManyRequests","code":429}"#;

/// Answers every request with `head` and `body`, and then keeps the connection open in silence.
async fn server(head: &str, body: &str) -> (kube::Config, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = format!("HTTP/1.1 {head}\r\ncontent-type: application/json\r\n{body}");
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            counted.fetch_add(1, Ordering::Relaxed);
            let _ = stream.write_all(answer.as_bytes()).await;
            open.push(stream);
        }
    });
    (
        kube::Config::new(format!("http://{address}").parse().unwrap()),
        requests,
    )
}

fn kube(config: kube::Config, clock: &Clock, silence: Duration) -> Kube {
    let client = connect_within(config, clock, None, silence).unwrap();
    Kube::new(client, Duration::from_secs(5), Metrics::new())
}

#[tokio::test]
async fn a_refused_call_is_sent_once_and_teaches_the_time() {
    let body = format!(
        "date: Mon, 23 Nov 2037 00:00:00 GMT\r\ncontent-length: {}\r\n\r\n{THROTTLED}",
        THROTTLED.len()
    );
    let (config, requests) = server("429 Too Many Requests", &body).await;
    let clock = Clock::new();
    let kube = kube(config, &clock, SILENCE);
    let api: Api<ConfigMap> = Api::default_namespaced(kube.client().clone());
    let error = kube
        .call("get", "configmaps", api.get("x"))
        .await
        .unwrap_err();
    assert_eq!(error, KubeError::Busy("slow down".to_owned()));
    assert_eq!(
        requests.load(Ordering::Relaxed),
        1,
        "kube would try fifteen times more"
    );
    assert!(
        clock.wall().to_string().starts_with("2037-11-23T00:00:0"),
        "{}",
        clock.wall()
    );
}

#[tokio::test]
async fn a_watch_that_goes_silent_is_an_error() {
    let (config, _) = server("200 OK", "transfer-encoding: chunked\r\n\r\n").await;
    let kube = kube(config, &Clock::new(), Duration::from_millis(300));
    let api: Api<ConfigMap> = Api::default_namespaced(kube.client().clone());
    let watch = async {
        let mut events = api.watch(&WatchParams::default(), "0").await?.boxed();
        events.next().await.transpose()
    };
    let ended = clock::timeout(Duration::from_secs(10), watch).await;
    assert!(matches!(ended, Ok(Err(_))), "{ended:?}");
}

#[tokio::test]
async fn a_call_that_hangs_ends_at_its_deadline_and_may_have_happened() {
    let (config, _) = server("200 OK", "content-length: 1000\r\n\r\n{").await;
    let client = connect_within(config, &Clock::new(), None, SILENCE).unwrap();
    let kube = Kube::new(client, Duration::from_millis(300), Metrics::new());
    let api: Api<ConfigMap> = Api::default_namespaced(kube.client().clone());
    let error = kube
        .call("get", "configmaps", api.get("x"))
        .await
        .unwrap_err();
    assert!(matches!(error, KubeError::NoAnswer(_)), "{error:?}");
}

#[tokio::test]
async fn a_limited_client_sends_no_faster_than_that() {
    let body = format!(
        "connection: close\r\ncontent-length: {}\r\n\r\n{THROTTLED}",
        THROTTLED.len()
    );
    let (config, requests) = server("429 Too Many Requests", &body).await;
    let limit = Some(Throttle::new(20.0, 2));
    let client = connect_within(config, &Clock::new(), limit, SILENCE).unwrap();
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    let began = clock::now();
    let calls = (0..6).map(|_| api.get("x"));
    let answers = futures::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(requests.load(Ordering::Relaxed), 6);
    let took = clock::now() - began;
    assert!(took >= Duration::from_millis(195), "{took:?}"); // two at once, four at 50 ms
}
