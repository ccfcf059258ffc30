//! Where each service of the cloud listens: product and region give a host, VPC-internal unless told otherwise.

use std::collections::BTreeMap;
use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, Scheme};

/// A service that eipd calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    Vpc,
    Ecs,
    Sts,
}

/// Which of a service's hosts to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// Reachable from inside a VPC, without Internet access.
    #[default]
    Internal,
    Public,
}

/// Configuration: region, network, and hosts given by hand.
#[derive(Debug, Clone)]
pub struct Endpoints {
    pub region: String,
    pub network: Network,
    /// `host[:port]` (https) or a URL without a path, by service.
    pub overrides: BTreeMap<Service, String>,
}

/// A server to call: scheme, host, port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    authority: Authority,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("endpoint {0:?} is not host, host:port, or a URL without a path")]
    Malformed(String),
    #[error("endpoint {0:?}: plain http is accepted to a loopback address only; use https")]
    PlainHttp(String),
    #[error("{0:?} is no region id")]
    Region(String),
}

impl Service {
    /// The API version that eipd speaks with it.
    pub fn version(self) -> &'static str {
        match self {
            Self::Vpc => "2016-04-28",
            Self::Ecs => "2014-05-26",
            Self::Sts => "2015-04-01",
        }
    }

    fn product(self) -> &'static str {
        match self {
            Self::Vpc => "vpc",
            Self::Ecs => "ecs",
            Self::Sts => "sts",
        }
    }
}

impl Endpoints {
    /// VPC-internal hosts of `region`.
    pub fn internal(region: impl Into<String>) -> Self {
        Self {
            region: region.into(),
            network: Network::Internal,
            overrides: BTreeMap::new(),
        }
    }

    /// Where `service` listens.
    pub fn of(&self, service: Service) -> Result<Endpoint, EndpointError> {
        match self
            .overrides
            .get(&service)
            .filter(|given| !given.is_empty())
        {
            Some(given) => Endpoint::parse(given),
            None => Endpoint::parse(&self.host(service)?),
        }
    }

    fn host(&self, service: Service) -> Result<String, EndpointError> {
        let region = self.region.as_str();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if region.is_empty() || !region.chars().all(plain) {
            return Err(EndpointError::Region(region.to_owned()));
        }
        let product = service.product();
        Ok(match (self.network, exception(service, region)) {
            (Network::Internal, _) => format!("{product}-vpc.{region}.aliyuncs.com"),
            (Network::Public, Some(host)) => host.to_owned(),
            (Network::Public, None) => format!("{product}.{region}.aliyuncs.com"),
        })
    }
}

/// Public hosts that do not follow the rule (maps in Alibaba's own SDKs: vpc20160428 7.2.2, ecs20140526 7.11.8,
/// sts20150401 1.2.0).
fn exception(service: Service, region: &str) -> Option<&'static str> {
    match (service, region) {
        (Service::Vpc, "cn-hangzhou") => Some("vpc.aliyuncs.com"),
        (Service::Ecs, "cn-hangzhou") => Some("ecs-cn-hangzhou.aliyuncs.com"),
        (Service::Sts, "ap-south-1" | "ap-southeast-2") => Some("sts.aliyuncs.com"),
        _ => None,
    }
}

impl Endpoint {
    /// Reads `host[:port]` (https) or `https://host[:port]`; `http://` only to loopback.
    pub fn parse(given: &str) -> Result<Self, EndpointError> {
        let malformed = || EndpointError::Malformed(given.to_owned());
        let url = if given.contains("://") {
            given.to_owned()
        } else {
            format!("https://{given}")
        };
        let parts = url.parse::<Uri>().map_err(|_| malformed())?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(malformed());
        };
        let bare = parts.path_and_query.is_none_or(|path| path == "/");
        if !bare || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(malformed());
        }
        if scheme == Scheme::HTTPS || (scheme == Scheme::HTTP && is_loopback(authority.host())) {
            Ok(Self { scheme, authority })
        } else if scheme == Scheme::HTTP {
            Err(EndpointError::PlainHttp(given.to_owned()))
        } else {
            Err(malformed())
        }
    }

    /// The value of the Host header, with the port where one is given.
    pub fn host(&self) -> &str {
        self.authority.as_str()
    }

    /// The root path with `query`, which is encoded already.
    pub fn uri(&self, query: &str) -> Result<Uri, http::Error> {
        let path = if query.is_empty() {
            "/".to_owned()
        } else {
            format!("/?{query}")
        };
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(network: Network, region: &str, service: Service) -> String {
        let endpoints = Endpoints {
            network,
            ..Endpoints::internal(region)
        };
        endpoints.of(service).unwrap().host().to_owned()
    }

    #[test]
    fn internal_by_default_also_where_the_public_name_is_odd() {
        let internal = |s| host(Network::Internal, "cn-hangzhou", s);
        assert_eq!(internal(Service::Vpc), "vpc-vpc.cn-hangzhou.aliyuncs.com");
        assert_eq!(internal(Service::Ecs), "ecs-vpc.cn-hangzhou.aliyuncs.com");
        assert_eq!(internal(Service::Sts), "sts-vpc.cn-hangzhou.aliyuncs.com");
    }

    #[test]
    fn public_follows_the_rule_and_its_exceptions() {
        let public = |r, s| host(Network::Public, r, s);
        assert_eq!(
            public("cn-beijing", Service::Vpc),
            "vpc.cn-beijing.aliyuncs.com"
        );
        assert_eq!(public("cn-hangzhou", Service::Vpc), "vpc.aliyuncs.com");
        assert_eq!(
            public("cn-hangzhou", Service::Ecs),
            "ecs-cn-hangzhou.aliyuncs.com"
        );
        assert_eq!(public("ap-south-1", Service::Sts), "sts.aliyuncs.com");
    }

    #[test]
    fn overrides_win_and_empty_ones_do_not_count() {
        let mut endpoints = Endpoints::internal("cn-beijing");
        endpoints
            .overrides
            .insert(Service::Vpc, "http://127.0.0.1:8080".into());
        endpoints.overrides.insert(Service::Ecs, String::new());
        let vpc = endpoints.of(Service::Vpc).unwrap();
        assert_eq!(vpc.uri("A=1").unwrap(), "http://127.0.0.1:8080/?A=1");
        assert_eq!(
            endpoints.of(Service::Ecs).unwrap().host(),
            "ecs-vpc.cn-beijing.aliyuncs.com"
        );
    }

    #[test]
    fn plain_http_goes_to_loopback_only() {
        for given in [
            "http://127.0.0.1:1",
            "http://127.9.9.9",
            "http://[::1]:80",
            "http://localhost:1/",
        ] {
            assert!(Endpoint::parse(given).is_ok(), "{given}");
        }
        for given in [
            "http://10.0.0.1",
            "http://vpc.aliyuncs.com",
            "http://127.0.0.1.example.com",
        ] {
            let plain = Err(EndpointError::PlainHttp(given.to_owned()));
            assert_eq!(Endpoint::parse(given), plain, "{given}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for given in [
            "",
            "https://",
            "ftp://127.0.0.1",
            "https://a/b",
            "https://u:p@host",
            "a b",
            "host?x=1",
        ] {
            let malformed = Err(EndpointError::Malformed(given.to_owned()));
            assert_eq!(Endpoint::parse(given), malformed, "{given}");
        }
    }

    #[test]
    fn a_region_cannot_smuggle_a_host() {
        for region in ["", "cn-x.evil.example/", "cn hangzhou", "CN"] {
            let refused = Endpoints::internal(region).of(Service::Vpc);
            assert_eq!(refused, Err(EndpointError::Region(region.to_owned())));
        }
    }
}
