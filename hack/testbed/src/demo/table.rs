//! What the demo prints: a table, how to look around, one JSON object.

use serde::Serialize;
use serde_json::{Value, json};

use super::DemoError;
use super::story::Told;
use crate::world::World;

/// How to reach a world that stays.
#[derive(Debug, Serialize)]
pub struct Kept {
    kubeconfig: String,
    region: String,
    vpc_id: String,
    /// `host:port` for plain http.
    cloud_endpoint: String,
    control_endpoint: String,
    access_key_id: String,
    access_key_secret: String,
    /// An image on the nodes that serves HTTP on $PORT; none where nodes are played.
    test_image: Option<String>,
    #[serde(skip)]
    kubectl: String,
    #[serde(skip)]
    logs: String,
}

impl Kept {
    /// Reads it off the world, with an `AccessKey` of its own for whoever looks around.
    pub async fn of(world: &World, light: bool) -> Result<Self, DemoError> {
        let cloud = world.cloud();
        let key = cloud.create_access_key().await?;
        Ok(Self {
            kubeconfig: world.plane.kubeconfig.to_string_lossy().into_owned(),
            region: cloud.region.clone(),
            vpc_id: cloud.vpc.clone(),
            cloud_endpoint: cloud.api.clone(),
            control_endpoint: cloud.control.clone(),
            access_key_id: key.id,
            access_key_secret: key.secret,
            test_image: (!light).then(|| "localhost/eipd-test:dev".to_owned()),
            kubectl: world
                .paths
                .program("kubectl")
                .to_string_lossy()
                .into_owned(),
            logs: if light {
                format!("less {}", world.dir().join("log/agent-0.log").display())
            } else {
                "kubectl -n eipd logs -l app.kubernetes.io/name=eipd".to_owned()
            },
        })
    }

    /// Says how to look around.
    pub fn explain(&self) {
        eprintln!("\nThe world stays. Look around:");
        eprintln!("  export KUBECONFIG={}", self.kubeconfig);
        eprintln!("  alias kubectl={}", self.kubectl);
        eprintln!("  kubectl get nodes,podeips,pods -A -o wide");
        eprintln!("  {}", self.logs);
        eprintln!(
            "  curl {}/          # what the cloud's control door can do",
            self.control_endpoint
        );
        eprintln!("  curl {}/eips", self.control_endpoint);
        eprintln!("Remove it with: hack/demo --down\n");
    }
}

/// Prints the pods and the calls.
pub fn print(told: &Told) {
    println!(
        "{:<24} {:<16} {:<26} {:<16} BOUND AFTER",
        "POD", "PRIVATE IP", "ENI", "EIP"
    );
    for pod in &told.pods {
        let seconds = format!("{:.2} s", pod.bound_after_seconds);
        println!(
            "{:<24} {:<16} {:<26} {:<16} {seconds}",
            pod.name, pod.private_ip, pod.eni, pod.eip
        );
    }
    println!("\n{:<32} CALLS", "CLOUD");
    for (action, count) in &told.cloud_calls {
        println!("{action:<32} {count}");
    }
    println!("\nEIPs left in the cloud: {}", told.eips_left);
}

/// The one line of `--json`.
pub fn json(told: &Told, kept: Option<&Kept>) -> Value {
    let mut object = json!(told);
    if let (Some(object), Some(Value::Object(kept))) =
        (object.as_object_mut(), kept.map(|kept| json!(kept)))
    {
        object.extend(kept);
    }
    object
}
