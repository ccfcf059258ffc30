//! One call: what is sent, what is read back, and what an error keeps.

use std::sync::Mutex;

use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::ExposeSecret;

use super::*;
use crate::cloud::credentials::{Configured, Source};
use crate::domain::ids::EipId;

type Outcome = Result<Response<Bytes>, TransportError>;

/// What was sent, and the next answers.
#[derive(Clone, Default)]
struct Door(Arc<Mutex<Traffic>>);

#[derive(Default)]
struct Traffic {
    sent: Vec<Request<Bytes>>,
    answers: Vec<BoxFuture<'static, Outcome>>,
}

impl Door {
    fn answering(answers: Vec<BoxFuture<'static, Outcome>>) -> Self {
        Self(Arc::new(Mutex::new(Traffic {
            sent: Vec::new(),
            answers,
        })))
    }

    fn sent(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut self.0.lock().unwrap().sent)
    }

    fn rpc(&self, sources: Vec<Box<dyn Source>>) -> Rpc {
        let clock = Clock::starting_at("2026-11-23T00:00:00Z".parse().unwrap());
        let door = self.clone();
        let exchange = move |req: Request<Bytes>| {
            let mut door = door.0.lock().unwrap();
            door.sent.push(req);
            door.answers.remove(0)
        };
        Rpc {
            exchange: Arc::new(exchange),
            credentials: Credentials::new(sources, clock.clone()),
            clock,
            endpoint: Endpoint::parse("vpc-vpc.cn-beijing.aliyuncs.com").unwrap(),
            version: "2016-04-28",
            deadline: DEADLINE,
            metrics: Metrics::new(),
        }
    }

    fn configured(&self) -> Rpc {
        let (access_key_id, access_key_secret) = ("id".to_owned(), "s3cret".into());
        self.rpc(vec![Box::new(Configured {
            access_key_id,
            access_key_secret,
        })])
    }
}

fn json(status: u16, body: &str) -> BoxFuture<'static, Outcome> {
    let answer = Response::builder()
        .status(status)
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    std::future::ready(Ok(answer)).boxed()
}

async fn one(answer: BoxFuture<'static, Outcome>) -> Result<Answer, CloudError> {
    Door::answering(vec![answer])
        .configured()
        .call("ReleaseEipAddress", &Args::new())
        .await
}

#[tokio::test(start_paused = true)]
async fn a_call_is_a_signed_post_with_its_arguments_in_the_query() {
    let door = Door::answering(vec![json(200, r#"{"RequestId":"R1","X":1}"#)]);
    let args = vec![
        ("AllocationId".to_owned(), "eip-1".to_owned()),
        ("A".to_owned(), "b c".to_owned()),
    ];
    let answer = door
        .configured()
        .call("ReleaseEipAddress", &args)
        .await
        .unwrap();
    assert_eq!(
        (answer.request_id.as_str(), &answer.body["X"]),
        ("R1", &Value::from(1))
    );
    let sent = door.sent().remove(0);
    assert_eq!(
        sent.uri(),
        "https://vpc-vpc.cn-beijing.aliyuncs.com/?A=b%20c&AllocationId=eip-1"
    );
    let header = |name| sent.headers()[name].to_str().unwrap();
    assert_eq!(header("host"), "vpc-vpc.cn-beijing.aliyuncs.com");
    assert_eq!(header("x-acs-action"), "ReleaseEipAddress");
    assert_eq!(header("x-acs-version"), "2016-04-28");
    assert_eq!(header("x-acs-date"), "2026-11-23T00:00:00Z");
    assert!(header("authorization").starts_with("ACS3-HMAC-SHA256 Credential=id,"));
    assert!(
        !format!("{sent:?}").contains("Signature="),
        "a request can be printed"
    );
}

#[tokio::test(start_paused = true)]
async fn silence_is_no_answer_within_the_deadline() {
    let began = clock::now();
    let error = one(std::future::pending().boxed()).await.unwrap_err();
    assert!(matches!(error, CloudError::NoAnswer { .. }));
    assert_eq!(clock::now() - began, DEADLINE);
    assert_eq!(
        error.to_string(),
        "ReleaseEipAddress: no answer: none within 10s"
    );
}

#[tokio::test(start_paused = true)]
async fn what_never_left_is_told_from_what_may_have_arrived() {
    let not_sent = TransportError::NotSent("refused".to_owned());
    let no_answer = TransportError::NoAnswer("reset".to_owned());
    let error = one(std::future::ready(Err(not_sent)).boxed())
        .await
        .unwrap_err();
    assert!(matches!(error, CloudError::NotSent { .. }));
    let error = one(std::future::ready(Err(no_answer)).boxed())
        .await
        .unwrap_err();
    assert!(matches!(error, CloudError::NoAnswer { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_keeps_code_message_and_request_id() {
    for body in [
        r#"{"RequestId":"R2","HostId":"h","Code":"TaskConflict","Message":"later","Recommend":"x"}"#,
        r#"{"requestId":"R2","code":"TaskConflict","message":"later"}"#,
    ] {
        let error = one(json(409, body)).await.unwrap_err();
        let text = "ReleaseEipAddress: TaskConflict: later (HTTP 409, RequestId R2)";
        assert_eq!(error.to_string(), text);
        assert_eq!(error.request_id().map(RequestId::as_str), Some("R2"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_apis_is_unreadable() {
    for (status, body) in [
        (502, "<html>Bad gateway</html>"),
        (200, "OK"),
        (200, "[]"),
        (500, r#"{"x":1}"#),
        (503, ""),
    ] {
        let error = one(json(status, body)).await.unwrap_err();
        assert!(matches!(error, CloudError::Unreadable { .. }), "{error:?}");
        assert!(error.may_have_happened());
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_carries_how_long_to_wait() {
    let mut answer = Response::new(Bytes::from(
        r#"{"RequestId":"R","Code":"Throttling.User","Message":"m"}"#,
    ));
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer
        .headers_mut()
        .insert("x-acs-retry-after", "999999999".parse().unwrap());
    let error = one(std::future::ready(Ok(answer)).boxed())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.retry_after()),
        (Class::Throttled, Some(Duration::from_mins(2)))
    );
}

#[tokio::test(start_paused = true)]
async fn a_signature_refusal_that_repeats_the_request_shows_no_secret() {
    let body = r#"{"RequestId":"R","Code":"SignatureDoesNotMatch","Message":"yours: [s3cret]"}"#;
    let error = one(json(400, body)).await.unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains("s3cret"),
        "{error:?}"
    );
    let error = one(json(502, "s3cret in a page")).await.unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains("s3cret"),
        "{error:?}"
    );
}

/// Temporary keys, others at each load.
struct Rolling(Mutex<u32>);

impl Source for Rolling {
    fn name(&self) -> &'static str {
        "rolling"
    }

    fn load(&self) -> BoxFuture<'_, Result<Option<Keys>, String>> {
        let mut n = self.0.lock().unwrap();
        *n += 1;
        let keys = Keys {
            access_key_id: format!("id-{n}"),
            secret: format!("s-{n}").into(),
            token: Some(format!("t-{n}").into()),
            expires: Some("2026-11-23T06:00:00Z".parse().unwrap()),
        };
        assert_eq!(keys.secret.expose_secret(), format!("s-{n}"));
        std::future::ready(Ok(Some(keys))).boxed()
    }
}

fn expired() -> BoxFuture<'static, Outcome> {
    json(
        400,
        r#"{"RequestId":"R","Code":"InvalidSecurityToken.Expired","Message":"m"}"#,
    )
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_are_renewed_once_and_the_call_repeated() {
    let door = Door::answering(vec![expired(), json(200, r#"{"RequestId":"R"}"#)]);
    let rpc = door.rpc(vec![Box::new(Rolling(Mutex::new(0)))]);
    rpc.call("ReleaseEipAddress", &Args::new()).await.unwrap();
    let sent = door.sent();
    let header = |n: usize, name| sent[n].headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header(0, "x-acs-security-token"), "t-1");
    assert_eq!(header(1, "x-acs-security-token"), "t-2");
    assert_ne!(
        header(0, "x-acs-signature-nonce"),
        header(1, "x-acs-signature-nonce")
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_refusal_is_the_end_of_it() {
    let door = Door::answering(vec![expired(), expired()]);
    let rpc = door.rpc(vec![Box::new(Rolling(Mutex::new(0)))]);
    let error = rpc
        .call("ReleaseEipAddress", &Args::new())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), door.sent().len()),
        (Class::CredentialsExpired, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn configured_keys_that_are_refused_are_not_tried_twice() {
    let door = Door::answering(vec![expired()]);
    let error = door
        .configured()
        .call("ReleaseEipAddress", &Args::new())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), door.sent().len()),
        (Class::CredentialsExpired, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn credentials_that_do_not_come_are_no_call() {
    struct Silent;
    impl Source for Silent {
        fn name(&self) -> &'static str {
            "silent"
        }
        fn load(&self) -> BoxFuture<'_, Result<Option<Keys>, String>> {
            std::future::pending().boxed()
        }
    }
    let door = Door::default();
    let error = door
        .rpc(vec![Box::new(Silent)])
        .call("ReleaseEipAddress", &Args::new())
        .await;
    let error = error.unwrap_err();
    assert!(!error.may_have_happened() && door.sent().is_empty());
    assert_eq!(error.class(), Class::NoCredentials);
}

#[tokio::test(start_paused = true)]
async fn a_look_for_nothing_asks_nothing() {
    let door = Door::default();
    let vpc = crate::cloud::Vpc::new(door.configured(), "cn-beijing");
    assert!(vpc.look(&[]).await.unwrap().is_empty());
    assert!(door.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn ids_are_asked_for_once_each_and_fifty_at_a_time() {
    let page = r#"{"RequestId":"R","TotalCount":0,"EipAddresses":{"EipAddress":[]}}"#;
    let door = Door::answering(vec![json(200, page), json(200, page)]);
    let vpc = crate::cloud::Vpc::new(door.configured(), "cn-beijing");
    let ids: Vec<_> = (0..60)
        .chain(0..60)
        .map(|n| EipId::new(format!("eip-{n:02}")))
        .collect();
    vpc.look(&ids).await.unwrap();
    let counts = door
        .sent()
        .iter()
        .map(|req| req.uri().query().unwrap().matches("eip-").count())
        .collect::<Vec<_>>();
    assert_eq!(counts, [50, 10]);
}
