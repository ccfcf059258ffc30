//! The real transport against sockets of our own on loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use super::*;

/// A server that reads a request and answers each connection with `text`; "" hangs up. Counts requests.
async fn server(text: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, count) = (
        listener.local_addr().unwrap(),
        Arc::new(AtomicUsize::new(0)),
    );
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(text.as_bytes()).await;
        }
    });
    (address, count)
}

async fn send(address: SocketAddr) -> Result<Response<Bytes>, TransportError> {
    let req = Request::post(format!("http://{address}/?Secret=x"))
        .body(Bytes::new())
        .unwrap();
    Wire::new().unwrap().exchange(req).await
}

#[tokio::test]
async fn an_answer_comes_back_whole() {
    let (address, _) =
        server("HTTP/1.1 404 Not Found\r\nx-a: b\r\ncontent-length: 3\r\n\r\nabc").await;
    let answer = send(address).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.body().as_ref()),
        (404, b"abc".as_ref())
    );
    assert_eq!(answer.headers()["x-a"], "b");
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    // Bound and not listening: nobody else can get the port meanwhile.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let error = send(address).await.unwrap_err();
    assert!(matches!(error, TransportError::NotSent(_)), "{error:?}");
    assert!(!error.to_string().contains("Secret"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_no_answer_and_no_second_try() {
    for text in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
        "nonsense\r\n\r\n",
    ] {
        let (address, count) = server(text).await;
        let error = send(address).await.unwrap_err();
        assert!(
            matches!(error, TransportError::NoAnswer(_)),
            "{text:?}: {error:?}"
        );
        assert!(!error.to_string().contains("Secret"), "{error}");
        assert_eq!(count.load(Ordering::SeqCst), 1, "{text:?}");
    }
}

#[tokio::test]
async fn a_tls_failure_was_not_sent() {
    let (address, _) = server("HTTP/1.1 200 OK\r\n\r\n").await;
    let req = Request::post(format!("https://{address}/"))
        .body(Bytes::new())
        .unwrap();
    let error = Wire::new().unwrap().exchange(req).await.unwrap_err();
    assert!(matches!(error, TransportError::NotSent(_)), "{error:?}");
}

/// A server with a certificate of its own making.
async fn stranger() -> SocketAddr {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    address
}

#[tokio::test]
async fn who_shows_a_certificate_that_the_system_does_not_trust_is_told_nothing() {
    let address = stranger().await;
    let request = Request::post(format!("https://{address}/?Secret=x"));
    let request = request.body(Bytes::new()).unwrap();
    let error = Wire::new().unwrap().exchange(request).await.unwrap_err();
    assert!(matches!(error, TransportError::NotSent(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("UnknownIssuer"), "{text}");
    assert!(!text.contains("Secret"), "{text}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (address, count) =
        server("HTTP/1.1 307 Moved\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(send(address).await.unwrap().status().as_u16(), 307);
    assert_eq!(count.load(Ordering::SeqCst), 1);
}
