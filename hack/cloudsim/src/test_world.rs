//! A small cloud and a signing client, for this crate's own tests.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;

use crate::cloud::{Cloud, Lost};
use crate::identity::NewAccessKey;
use crate::rpc::{Rpc, form, sign_v3};
use crate::settings::Settings;
use crate::world::{Eni, EniType, Instance, NewEni, NewInstance, NewVSwitch, NewVpc};

/// One VPC, one vSwitch, one instance with a secondary ENI of four secondary IPs, one key.
pub struct TestWorld {
    pub cloud: Cloud,
    pub instance: Instance,
    pub eni: Eni,
    pub key: (String, String),
    nonce: std::cell::Cell<u32>,
}

/// Status and body of an answer.
pub type Answered = (u16, Value);

impl TestWorld {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
        let cloud = Cloud::new(settings);
        let vpc = cloud.add_vpc(NewVpc::default()).unwrap();
        let vswitch = NewVSwitch {
            id: Some("vsw-1".to_owned()),
            vpc_id: vpc.id,
            cidr: "10.0.1.0/24".to_owned(),
            ..NewVSwitch::default()
        };
        let vswitch = cloud.add_vswitch(vswitch).unwrap();
        let instance = NewInstance {
            id: Some("i-1".to_owned()),
            vswitch_id: vswitch.id.clone(),
            role: Some("node-role".to_owned()),
            ..NewInstance::default()
        };
        let instance = cloud.add_instance(instance).unwrap();
        let eni = NewEni {
            vswitch_id: vswitch.id,
            kind: EniType::Secondary,
            instance_id: Some(instance.id.clone()),
            secondary_count: 4,
            ..NewEni::default()
        };
        let eni = cloud.add_eni(eni).unwrap();
        let key = cloud.add_access_key(NewAccessKey::default());
        Self {
            cloud,
            instance,
            eni,
            key: (key.id, key.secret),
            nonce: 0.into(),
        }
    }

    /// The `n`th private IP of the ENI; 0 is the primary one.
    pub fn ip(&self, n: usize) -> String {
        self.eni.ips[n].ip.to_string()
    }

    /// A VPC call, signed V3; panics if the answer is lost.
    pub async fn call(&self, action: &str, args: &[(&str, &str)]) -> Answered {
        self.try_call(action, args).await.unwrap()
    }

    pub async fn try_call(&self, action: &str, args: &[(&str, &str)]) -> Result<Answered, Lost> {
        self.send(self.signed(action, args)).await
    }

    pub async fn send(&self, request: Request<Bytes>) -> Result<Answered, Lost> {
        Ok(read(&self.cloud.api(request).await?))
    }

    /// The same, with the answer's body; panics unless it is a 200.
    pub async fn ok(&self, action: &str, args: &[(&str, &str)]) -> Value {
        let (status, body) = self.call(action, args).await;
        assert_eq!(status, 200, "{action}: {body}");
        body
    }

    /// The status and code of a refusal.
    pub async fn refusal(&self, action: &str, args: &[(&str, &str)]) -> (u16, String) {
        let (status, body) = self.call(action, args).await;
        assert_ne!(status, 200, "{action} was not refused: {body}");
        (status, body["Code"].as_str().unwrap().to_owned())
    }

    /// A request for any action of any product, signed V3 with the world's key.
    pub fn signed(&self, action: &str, args: &[(&str, &str)]) -> Request<Bytes> {
        let version = match action {
            "DescribeNetworkInterfaces" => crate::ecs::VERSION,
            "AssumeRoleWithOIDC" => crate::sts::VERSION,
            _ => crate::vpc::VERSION,
        };
        self.signed_as(version, action, args, (&self.key.0, &self.key.1), None)
    }

    pub fn signed_as(
        &self,
        version: &str,
        action: &str,
        args: &[(&str, &str)],
        (key, secret): (&str, &str),
        token: Option<&str>,
    ) -> Request<Bytes> {
        self.nonce.set(self.nonce.get() + 1);
        let mut args: Vec<_> = args
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        if !args.iter().any(|(name, _)| name == "RegionId") {
            args.push(("RegionId".to_owned(), "cn-hangzhou".to_owned()));
        }
        let clock = self.cloud.clock();
        let mut request = Request::builder()
            .method("POST")
            .uri(format!("/?{}", form::canonical(args.iter())))
            .header("host", "vpc.test")
            .header("x-acs-action", action)
            .header("x-acs-version", version)
            .header("x-acs-date", self.cloud.iso(clock.now()))
            .header(
                "x-acs-signature-nonce",
                format!("nonce-{}", self.nonce.get()),
            );
        let mut names =
            "host;x-acs-action;x-acs-date;x-acs-signature-nonce;x-acs-version".to_owned();
        if let Some(token) = token {
            request = request.header("x-acs-security-token", token);
            names = names.replace("x-acs-signature", "x-acs-security-token;x-acs-signature");
        }
        let request = request.body(Bytes::new()).unwrap();
        sign(request, &names, key, secret)
    }

    /// Allocates an EIP; returns its id.
    pub async fn allocate(&self) -> String {
        let body = self.ok("AllocateEipAddress", &[]).await;
        body["AllocationId"].as_str().unwrap().to_owned()
    }

    /// Begins to bind an EIP to an IP of the ENI.
    pub async fn associate(&self, eip: &str, ip: &str) -> Answered {
        self.call("AssociateEipAddress", &self.place(eip, ip)).await
    }

    pub async fn unassociate(&self, eip: &str, ip: &str) -> Answered {
        self.call("UnassociateEipAddress", &self.place(eip, ip))
            .await
    }

    pub fn place<'a>(&'a self, eip: &'a str, ip: &'a str) -> [(&'a str, &'a str); 4] {
        [
            ("AllocationId", eip),
            ("InstanceId", &self.eni.id),
            ("InstanceType", "NetworkInterface"),
            ("PrivateIpAddress", ip),
        ]
    }

    /// Allocates and binds, and waits until it is in use.
    pub async fn bound(&self, n: usize) -> String {
        let eip = self.allocate().await;
        let (status, body) = self.associate(&eip, &self.ip(n)).await;
        assert_eq!(status, 200, "{body}");
        crate::clock::sleep(2_000).await;
        eip
    }

    /// The EIP as Describe shows it; null if it does not.
    pub async fn look(&self, eip: &str) -> Value {
        let body = self
            .ok("DescribeEipAddresses", &[("AllocationId", eip)])
            .await;
        body["EipAddresses"]["EipAddress"][0].clone()
    }

    /// Its status as Describe shows it; empty if it does not.
    pub async fn status(&self, eip: &str) -> String {
        self.look(eip).await["Status"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// A control call; panics unless it is a 200.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, body) = self.try_control(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {body}");
        body
    }

    pub async fn try_control(&self, method: &str, path: &str, body: Value) -> Answered {
        let body = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(body)
            .unwrap();
        read(&self.cloud.control(request).await)
    }

    /// A metadata request; status and text.
    pub async fn metadata(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (u16, String) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::new()).unwrap();
        let response = self
            .cloud
            .metadata(&self.instance.id, request)
            .await
            .unwrap();
        (
            response.status().as_u16(),
            String::from_utf8(response.body().to_vec()).unwrap(),
        )
    }

    /// A metadata page; panics unless it is a 200.
    pub async fn page(&self, path: &str) -> String {
        let (status, text) = self.metadata("GET", path, &[]).await;
        assert_eq!(status, 200, "{path}");
        text
    }
}

/// Adds the `Authorization` header.
pub fn sign(request: Request<Bytes>, names: &str, key: &str, secret: &str) -> Request<Bytes> {
    let list: Vec<String> = names.split(';').map(str::to_owned).collect();
    let (mut head, body) = request.into_parts();
    let copy = Request::from_parts(head.clone(), body.clone());
    let text = sign_v3::string_to_sign(&Rpc::parse(copy), &list);
    let signature = sign_v3::signature(secret, &text);
    let value =
        format!("ACS3-HMAC-SHA256 Credential={key},SignedHeaders={names},Signature={signature}");
    head.headers.insert("authorization", value.parse().unwrap());
    Request::from_parts(head, body)
}

pub fn read(response: &Response<Bytes>) -> Answered {
    let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    (response.status().as_u16(), body)
}
