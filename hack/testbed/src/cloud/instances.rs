//! The instances that a world's nodes are, each with its primary ENI and what its pods are wired to.

use std::net::Ipv4Addr;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Cloud, CloudError, ROLE, form, text};
use crate::node::{Instance, OwnEni, Wiring};

impl Cloud {
    /// Adds an instance whose pods get `addresses` addresses: on one ENI, or on as many.
    pub async fn create_instance(
        &self,
        index: usize,
        addresses: usize,
        wiring: Wiring,
    ) -> Result<Instance, CloudError> {
        let order =
            json!({"vswitch_id": self.vswitch, "role": ROLE, "hostname": format!("node-{index}")});
        let instance_id = text(&self.post("/instances", &order).await?, "id");
        let enis: Vec<Eni> = self.read("/enis").await?;
        let primary = enis
            .into_iter()
            .find(|eni| eni.instance_id.as_deref() == Some(&*instance_id));
        let primary = primary
            .ok_or_else(|| CloudError::Silent(format!("no primary ENI for {instance_id}")))?;
        let address = primary.own();
        let mut instance = Instance {
            index,
            name: format!("{}.{address}", self.region),
            instance_id,
            region: self.region.clone(),
            zone: self.zone.clone(),
            address,
            mac: primary.mac,
            wiring,
            pod_eni: String::new(),
            pod_addresses: Vec::new(),
            own_enis: Vec::new(),
        };
        self.wire(&mut instance, addresses).await?;
        Ok(instance)
    }

    async fn wire(&self, instance: &mut Instance, addresses: usize) -> Result<(), CloudError> {
        if instance.wiring == Wiring::Shared {
            let order = json!({"secondary_count": addresses});
            let pods = self.eni(instance, &order).await?;
            let secondary = pods.ips.iter().filter(|ip| !ip.primary);
            instance.pod_addresses = secondary.map(|ip| ip.ip).collect();
            instance.pod_eni = pods.id;
            return Ok(());
        }
        let kind = match instance.wiring {
            Wiring::Member => {
                self.eni(instance, &json!({"type": "Trunk"})).await?;
                "Member"
            }
            Wiring::Shared | Wiring::Exclusive => "Secondary",
        };
        for _ in 0..addresses {
            let eni = self.eni(instance, &json!({"type": kind})).await?;
            instance.own_enis.push(OwnEni {
                address: eni.own(),
                id: eni.id,
                mac: eni.mac,
            });
        }
        Ok(())
    }

    /// A further ENI of the instance.
    async fn eni(&self, instance: &Instance, order: &Value) -> Result<Eni, CloudError> {
        let mut order = order.clone();
        order["vswitch_id"] = self.vswitch.clone().into();
        order["instance_id"] = instance.instance_id.clone().into();
        form("/enis", self.post("/enis", &order).await?)
    }
}

/// An ENI as far as it matters here.
#[derive(Deserialize)]
struct Eni {
    id: String,
    mac: String,
    instance_id: Option<String>,
    ips: Vec<PrivateIp>,
}

#[derive(Deserialize)]
struct PrivateIp {
    ip: Ipv4Addr,
    primary: bool,
}

impl Eni {
    /// Its primary address.
    fn own(&self) -> Ipv4Addr {
        let primary = self.ips.iter().find(|ip| ip.primary);
        primary.map_or(Ipv4Addr::UNSPECIFIED, |ip| ip.ip)
    }
}
