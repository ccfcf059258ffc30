//! ack-extend-network-controller as far as others can see it: records in its form, and the stamps it puts on them.

use super::ApiServer;
use super::json::{self, at, set, text};
use super::refusal::Refusal;
use super::time as clock;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The owner mark that it writes, not always.
const MARK: [&str; 3] = ["metadata", "annotations", "k8s.aliyun.com/eip-controller"];
const NAME: &str = "ack-extend-network-controller";

/// A record as it writes one: its finalizer, no label, no owner; `Follow` and `Auto` unless told otherwise.
#[derive(Clone, Debug)]
pub struct EncRecord {
    object: Value,
}

/// A running controller; it ends when this is dropped.
pub struct Enc {
    task: JoinHandle<()>,
}

impl EncRecord {
    /// The record of the pod of that name, naming that EIP.
    pub fn new(namespace: &str, name: &str, eip: &str) -> Self {
        let object = json!({
            "apiVersion": "alibabacloud.com/v1beta1", "kind": "PodEIP",
            "metadata": {
                "namespace": namespace, "name": name,
                "finalizers": ["podeip-controller.alibabacloud.com/finalizer"],
            },
            "spec": {
                "allocationID": eip,
                "allocationType": { "releaseStrategy": "Follow", "type": "Auto" },
            },
        });
        Self { object }
    }

    /// With the owner mark.
    #[must_use]
    pub fn marked(self) -> Self {
        self.field(&MARK, NAME)
    }

    /// Of an EIP that the user named.
    #[must_use]
    pub fn named(self) -> Self {
        self.field(&["spec", "allocationType", "type"], "Static")
    }

    /// Of an EIP that stays for so long after its pod (a Go duration).
    #[must_use]
    pub fn ttl(self, after: &str) -> Self {
        self.field(&["spec", "allocationType", "releaseStrategy"], "TTL")
            .field(&["spec", "allocationType", "releaseAfter"], after)
    }

    /// Of an EIP that stays.
    #[must_use]
    pub fn never(self) -> Self {
        self.field(&["spec", "allocationType", "releaseStrategy"], "Never")
    }

    /// Its status says that the EIP, with that public address, stands there.
    #[must_use]
    pub fn bound(self, address: &str, eni: &str, ip: &str) -> Self {
        let status = json!({
            "eipAddress": address,
            "internetChargeType": "PayByTraffic",
            "isp": "BGP",
            "networkInterfaceID": eni,
            "privateIPAddress": ip,
            "resourceGroupID": "rg-default",
            "status": "InUse",
        });
        self.field(&["status"], status)
    }

    /// When its pod was last seen, RFC 3339.
    #[must_use]
    pub fn last_seen(self, at: &str) -> Self {
        self.field(&["status", "podLastSeen"], at)
    }

    /// Any other field, by its path.
    #[must_use]
    pub fn field(mut self, path: &[&str], value: impl Into<Value>) -> Self {
        set(&mut self.object, path, value);
        self
    }
}

impl ApiServer {
    /// Creates a record in that controller's form; gives its uid.
    pub fn create_enc_record(&self, record: &EncRecord) -> Result<String, Refusal> {
        let record = self.create(&record.object)?;
        Ok(json::uid(&record).to_owned())
    }

    /// Starts the controller: now and each `period` it stamps all its records.
    pub fn run_enc(&self, period: Duration) -> Enc {
        let api = self.clone();
        let task = tokio::spawn(async move {
            loop {
                api.stamp_enc_records();
                clock::sleep(period).await;
            }
        });
        Enc { task }
    }

    /// Stamps its records once: podLastSeen is now.
    pub fn stamp_enc_records(&self) {
        let now = self.timestamp();
        for record in self.list("podeips").iter().filter(|record| is_its(record)) {
            let (namespace, name) = (json::namespace(record), json::name(record));
            // A refusal means that the record is gone meanwhile.
            drop(self.edit("podeips", namespace, name, |record| {
                set(record, &["status", "podLastSeen"], now.as_str());
            }));
        }
    }
}

/// It knows nothing of eipd but the owner mark.
fn is_its(record: &Value) -> bool {
    let mark = at(record, "/metadata/annotations")
        .get(MARK[2])
        .and_then(Value::as_str);
    !text(record, "/spec/allocationID").is_empty() && mark.is_none_or(|mark| mark == NAME)
}

impl Enc {
    /// It is uninstalled: its records stay as they are.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Enc {
    fn drop(&mut self) {
        self.task.abort();
    }
}
