//! Limits of an EIP's own attributes: bandwidth, name, description.

use crate::rpc::ApiError;

/// Highest bandwidth in Mbit/s by charge types; none = the combination does not exist.
pub fn bandwidth_limit(charge_type: &str, internet_charge_type: &str) -> Option<u32> {
    match (charge_type, internet_charge_type) {
        ("PostPaid", "PayByBandwidth") => Some(500),
        ("PostPaid", "PayByTraffic") => Some(200),
        ("PrePaid", "PayByBandwidth") => Some(1_000),
        _ => None,
    }
}

/// Reads and checks a bandwidth.
pub fn bandwidth(
    text: &str,
    charge_type: &str,
    internet_charge_type: &str,
) -> Result<u32, ApiError> {
    let malformed = || {
        ApiError::refused(
            "InvalidBandwidth.Malformed",
            "Specified Bandwidth is not a valid number.",
        )
    };
    let value: u32 = text.parse().map_err(|_| malformed())?;
    let limit = bandwidth_limit(charge_type, internet_charge_type).ok_or_else(|| {
        ApiError::invalid(
            "InternetChargeType",
            "not available with this InstanceChargeType",
        )
    })?;
    match value {
        0 => Err(malformed()),
        value if value > limit => Err(ApiError::refused(
            "InvalidComponent.EipBandwidthMax",
            format!("The specified Bandwidth is over the maximum of {limit} Mbit/s."),
        )),
        value => Ok(value),
    }
}

/// Checks a name or description: its length, and that it does not look like an address.
pub fn text(argument: &str, value: &str, most: usize) -> Result<(), ApiError> {
    if value.chars().count() > most {
        return Err(ApiError::invalid(
            argument,
            format!("over {most} characters"),
        ));
    }
    if value.starts_with("http://") || value.starts_with("https://") {
        return Err(ApiError::invalid(
            argument,
            "begins with http:// or https://",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bandwidth_limits_depend_on_how_it_is_paid() {
        let code = |text, traffic| bandwidth(text, "PostPaid", traffic).map_err(|e| e.code);
        assert_eq!(code("500", "PayByBandwidth"), Ok(500));
        assert_eq!(
            code("501", "PayByBandwidth"),
            Err("InvalidComponent.EipBandwidthMax".into())
        );
        assert_eq!(code("200", "PayByTraffic"), Ok(200));
        assert_eq!(
            code("201", "PayByTraffic"),
            Err("InvalidComponent.EipBandwidthMax".into())
        );
        assert_eq!(
            code("0", "PayByTraffic"),
            Err("InvalidBandwidth.Malformed".into())
        );
        assert_eq!(
            code("5M", "PayByTraffic"),
            Err("InvalidBandwidth.Malformed".into())
        );
        assert!(bandwidth("5", "PrePaid", "PayByTraffic").is_err());
        assert_eq!(bandwidth("1000", "PrePaid", "PayByBandwidth"), Ok(1_000));
    }
}
