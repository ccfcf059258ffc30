//! Every documented code with its class, and what users read.

use super::*;

/// Codes as the API's error tables spell them.
const TABLE: &[(Class, &[&str])] = &[
    (
        Class::Throttled,
        &[
            "Throttling",
            "Throttling.User",
            "Throttling.Api",
            "Rejected.Throttling",
        ],
    ),
    (
        Class::Busy,
        &[
            "ServiceUnavailable",
            "InternalError",
            "UnknownError",
            "OperationFailed.SystemBusy",
            "SystemBusy",
            "OperationConflict",
            "OrderFailed.ConcurrentOperate",
            "OperationFailed.InvokeInnerApi",
            "TaskConflict",
            "InvalidAction.Denied",
            "OperationFailed.EcsMigrating",
            "ResourceQueryError",
            "TaskConflict.AssociateGlobalAccelerationInstance",
            "VPC_TASK_CONFLICT",
            "EipOperation.TooFrequently",
            "OperationFailed.DistibuteLock",
            "BandwidthPackageOperation.conflict",
            "SignatureNonceUsed",
            "IncorretForwardEntryStatus",
            "IncorrectStatus.ForwardEntry",
            "IncorrectStatus.NATGW",
            "OperationUnsupported.EipInBinding",
        ],
    ),
    (
        Class::TokenInProgress,
        &["LastTokenProcessing", "OperationFailed.LastTokenProcessing"],
    ),
    (
        Class::IdempotentMismatch,
        &["IdempotentParameterMismatch", "IdempotentFailed"],
    ),
    (Class::FrequentPurchase, &["FrequentPurchase.EIP"]),
    (
        Class::Quota,
        &[
            "QuotaExceeded.Eip",
            "QuotaExceeded.LargeSpecEip",
            "ORDER.QUANTITY_INVALID",
            "OperationFailed.QuotaNotEnough",
            "IpInstanceId.QuotaExceeded",
            "QuotaExceeded",
        ],
    ),
    (
        Class::PlaceFull,
        &["InvalidEip.EipQuotaExceeded", "QuotaExceed.MultiBindedEip"],
    ),
    (
        Class::Capacity,
        &[
            "OperationFailed.InsufficientEIP",
            "OperationFailed.ResourceNotEnough",
            "ResourceNotEnough.PublicIpAddressPool",
            "ReserveIpFail",
        ],
    ),
    (
        Class::Money,
        &[
            "InsufficientBalance",
            "InsufficientBalance.Eip",
            "PAY.INSUFFICIENT_BALANCE",
            "PAYFOR.CREDIT_PAY_INSUFFICIENT_BALANCE",
            "CreditPayInsufficientBalance",
            "OperationFailed.CreditPayInsufficientBalance",
            "AccountMoneyValidateError",
            "OperationFailed.AccountMoneyInvalid",
            "OperationFailed.RiskControl",
            "OperationFailed.BasicInfoUncompleted",
            "SYSTEM.SALE_VALIDATE_UNEXPECTED_ERROR",
            "Forbidden.FinancialLocked",
            "InvalidEIPStatus.BizDisabled",
            "NATGATEWAY_FINANCIALLOCKED",
            "IpInstanceId.BizStatusInvalid",
            "BandwidthPackageId.InvalidBizStatus",
        ],
    ),
    (
        Class::AlreadyBound,
        &[
            "InvalidAssociation.Duplicated",
            "ResourceAlreadyAssociated.IpAddress",
            "BIND_INSTANCE_HAVE_PORTMAP_OR_BIND_EIP",
            "EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP",
            "OperationFailed.HavipBoundPortmap",
            "OperationUnsupported.ForwardEntry",
            "Forbidden.Already.Bounded",
            "Forbindden",
        ],
    ),
    (
        Class::AlreadyDone,
        &[
            "IpInstanceId.AlreadyInBandwidthPackage",
            "OperationUnsupported.IpNotInCbwp",
            "IpInstanceId.NotBandwidthPackage",
        ],
    ),
    (
        Class::WrongState,
        &[
            "IncorrectStatus",
            "IncorrectEipStatus",
            "IncorrectInstanceStatus",
            "InvalidBindingStatus",
            "InvalidStatus.EniStatusNotSupport",
            "InvalidStatus.EcsStatusNotSupport",
            "InvalidStatus.NotAllow",
            "InvalidStatus.InstanceHasBandWidth",
            "InvalidStatus.SnatOrDnat",
            "IncorrectStatus.NatGateway",
            "IncorrectStatus.Eip",
            "IncorrectStatus.ResourceStatus",
            "InvalidIpStatus.HasBeenUsedBySnatTable",
            "InvalidIpStatus.HasBeenUsedByForwardEntry",
            "DependencyViolation.SnatEntry",
        ],
    ),
    (
        Class::NotFound,
        &[
            "InvalidAllocationId.NotFound",
            "InvalidIpInstanceId.NotFound",
            "InvalidResourceId.NotFound",
            "InvalidForwardEntryId.NotFound",
            "ResourceNotFound.ForwardEntry",
        ],
    ),
    (
        Class::PlaceNotFound,
        &[
            "InvalidInstanId.NotFound",
            "InvalidInstanceId.NotFound",
            "InvalidEniId.NotFound",
            "InvalidBindInstance.NotFound",
            "InvalidNicOrVm.NotFound",
            "InvalidInstance.NotExist",
            "InvalidParams.NotFound",
            "OperationFailed.InstanceNotExist",
            "InvalidForwardTableId.NotFound",
            "InvalidExternalIp.NotFound",
            "InvalidIp.NotInNatgw",
            "Invalid.natgwNotExist",
            "InvalidRouteTableId.NotFound",
        ],
    ),
    (
        Class::PackageNotFound,
        &[
            "InvalidBandwidthPackageId.NotFound",
            "InvalidBandwidthPackage.NotExist",
        ],
    ),
    (
        Class::Prefix,
        &[
            "OperationFailed.IpPrefixConflict",
            "UnsupportedFeature.EipBindPrefixIp",
        ],
    ),
    (
        Class::Denied,
        &[
            "Forbidden.RAM",
            "Forbidden",
            "NoPermission",
            "OperationDenied.Unauthorized",
        ],
    ),
    (
        Class::CredentialsExpired,
        &[
            "InvalidSecurityToken.Expired",
            "InvalidSecurityToken.Malformed",
            "InvalidSecurityToken.MismatchWithAccessKey",
            "MissingSecurityToken",
            "InvalidAccessKeyId.NotFound",
            "InvalidAccessKeyId.Inactive",
        ],
    ),
    (
        Class::CredentialsWrong,
        &[
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "InvalidSignatureMethod",
        ],
    ),
    (Class::Skew, &["InvalidTimeStamp.Expired"]),
    (
        Class::Permanent,
        &[
            "Forbbiden",
            "MissingParameter",
            "InvalidParameter",
            "InvalidParameter.EniInstanceId",
            "InvalidParameter.Mismatch",
            "InvalidBandwidth.Malformed",
            "InvalidComponent.EipBandwidthMax",
            "InvalidRegion.NotSupport",
            "InvalidResourceGroupId",
            "IllegalParam.Isp",
            "ResourceNotFound.PublicIpAddressPool",
            "TokenVerfiy.Failed",
            "OperationDenied.NotOpenDdosOriginProtectService",
            "Mode.Conflict",
            "Mode.NotSupport",
            "OperationFailed.EipBindModeConflict",
            "Eni.Attached",
            "InvalidInstanceType.ValueNotSupported",
            "OperationDenied",
            "OperationDenied.VpcIpv4GatewayEnabled",
            "InvalidRegionId.NotFound",
            "Forbidden.RegionNotFound",
            "Forbidden.ChargeTypeIsPrepaid",
            "InvalidOperation.DeletionProtection",
            "Forbidden.ReleaseSegmentEip",
            "InvalidIAssociatedInstanceType.ValueNotSupported",
            "InvalidApi.NotFound",
            "InvalidTimeStamp.Format",
            "DryRunOperation",
            "QuotaExceeded.TagsPerResource",
            "InvalidTagKey",
            "InvalidTagValue",
            "Duplicate.TagKey",
            "OrderError.EIP",
            "OperationDenied.SecurityProtectionTypesInconsistent",
            "IpInstanceId.ChargeType.NotSupport",
            "IpInstanceId.InvalidIpInternetChargeType",
            "BandwidthPackageId.InvalidBandwidth",
            "OperationUnsupported.IpType",
            "OperationFailed.ZoneIdInconsistent",
            "AttrMismatching.BandwidthPackageIpVersion",
            "EIP_BIND_NATGATEWAY",
            "OperationFailed.SnatPoolIp",
            "InvalidIP.IpInSnatPool",
            "DependencyViolation.ip",
            "DependencyViolation.RouteEntry",
            "OperationUnsupported.EipBindRemote",
            "InvalidIpInstanceId.Malformed",
            "InvalidVpc.Indeterminacy",
            "SomethingNew",
        ],
    ),
];

fn refused(code: &str, message: &str, status: u16) -> CloudError {
    CloudError::Refused {
        action: "AssociateEipAddress",
        status,
        code: code.into(),
        message: message.into(),
        request_id: RequestId::new("REQ-1"),
        retry_after: None,
    }
}

#[test]
fn every_documented_code_has_its_class() {
    for (class, codes) in TABLE {
        for code in *codes {
            assert_eq!(refused(code, "", 400).class(), *class, "{code}");
        }
    }
}

#[test]
fn a_known_code_keeps_its_class_whatever_the_http_status() {
    for status in [400, 403, 404, 429, 500, 503] {
        assert_eq!(
            refused("Throttling.User", "", status).class(),
            Class::Throttled
        );
        assert_eq!(
            refused("QuotaExceeded.Eip", "", status).class(),
            Class::Quota
        );
    }
}

#[test]
fn an_unknown_code_is_passing_only_from_500_on() {
    assert_eq!(refused("SomethingNew", "", 503).class(), Class::Busy);
    assert_eq!(refused("SomethingNew", "", 404).class(), Class::Permanent);
}

#[test]
fn a_retry_after_is_throttling_under_any_code() {
    let mut error = refused("SomethingNew", "", 400);
    if let CloudError::Refused { retry_after, .. } = &mut error {
        *retry_after = Some(Duration::from_secs(3));
    }
    assert_eq!(
        (error.class(), error.retry_after()),
        (Class::Throttled, Some(Duration::from_secs(3)))
    );
}

#[test]
fn only_what_never_left_or_was_answered_is_known_not_to_happen() {
    let (action, cause) = ("ReleaseEipAddress", String::new());
    let page = |status| CloudError::Unreadable {
        action,
        status,
        detail: "<html>".into(),
        request_id: None,
    };
    assert!(
        CloudError::NoAnswer {
            action,
            cause: cause.clone()
        }
        .may_have_happened()
    );
    assert!(page(502).may_have_happened() && page(200).may_have_happened());
    assert!(refused("ServiceUnavailable", "", 504).may_have_happened());
    assert!(!CloudError::NotSent { action, cause }.may_have_happened());
    assert!(!page(403).may_have_happened());
    assert!(!refused("InternalError", "", 500).may_have_happened());
    assert_eq!(
        (page(502).class(), page(200).class()),
        (Class::NoAnswer, Class::Unreadable)
    );
}

#[test]
fn users_read_what_happened_and_the_request_id() {
    let text = refused(
        "IncorrectEipStatus",
        "The EIP is\nnot\u{1b}[31m ready.",
        400,
    )
    .to_string();
    assert_eq!(
        text,
        r"AssociateEipAddress: IncorrectEipStatus: The EIP is\nnot\u{1b}[31m ready. (HTTP 400, RequestId REQ-1)"
    );
    let long = refused("X", &"ä".repeat(5_000), 400).to_string();
    assert!(long.len() < 600 && long.contains("...") && long.ends_with("RequestId REQ-1)"));
}
