//! The kinds of trouble a cloud call can meet, told from the error's code (never from its HTTP status alone).

use crate::telemetry::metrics::CloudOutcome;

/// What kind of trouble an error is: what the caller should do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// A rate limit was hit: wait, and let the pace know.
    Throttled,
    /// Something passing is in the way: retry soon.
    Busy,
    /// The token was used with other arguments: take another token, never other arguments.
    IdempotentMismatch,
    /// The first call with this token is still running: repeat it later, unchanged.
    TokenInProgress,
    /// The account bought too often: a fleet-wide breaker; it may last for days.
    FrequentPurchase,
    /// The account's quota is full: wait slowly.
    Quota,
    /// The ENI holds as many EIPs as it can.
    PlaceFull,
    /// The cloud has no such address left: wait slowly.
    Capacity,
    /// The account owes or is locked: somebody must pay.
    Money,
    /// The private IP has an EIP or a DNAT entry already.
    AlreadyBound,
    /// What was asked for holds already.
    AlreadyDone,
    /// The EIP or the instance is in a state that does not allow it: look, then plan again.
    WrongState,
    /// There is no such EIP.
    NotFound,
    /// There is no such ENI, or it has no such private IP.
    PlaceNotFound,
    /// The EIP's ports above 1024 are SNAT's.
    SnatPorts,
    /// There is no such bandwidth package.
    PackageNotFound,
    /// The address belongs to an IP prefix of its ENI; the cloud binds no EIP there.
    Prefix,
    /// The RAM policy, or the owner of the thing, does not allow it.
    Denied,
    /// The credentials are expired or revoked.
    CredentialsExpired,
    /// The signature does not fit: the secret is wrong.
    CredentialsWrong,
    /// The clock is over 15 minutes off the cloud's.
    Skew,
    /// There is nothing to sign with.
    NoCredentials,
    /// The cloud cannot be reached; the call did not happen.
    NotSent,
    /// The call may have happened.
    NoAnswer,
    /// The answer is not one of this API: wrong endpoint, or a change on the cloud's side.
    Unreadable,
    /// It will fail until somebody changes something: an Event, then retried slowly.
    Permanent,
}

impl From<Class> for CloudOutcome {
    fn from(class: Class) -> Self {
        match class {
            Class::Throttled => Self::Throttled,
            Class::Quota | Class::PlaceFull | Class::FrequentPurchase => Self::Quota,
            Class::Denied
            | Class::CredentialsExpired
            | Class::CredentialsWrong
            | Class::NoCredentials
            | Class::Skew => Self::Denied,
            Class::NotFound | Class::PlaceNotFound | Class::PackageNotFound => Self::NotFound,
            Class::Busy | Class::WrongState | Class::TokenInProgress => Self::Busy,
            Class::NotSent | Class::NoAnswer | Class::Unreadable => Self::Unanswered,
            Class::IdempotentMismatch
            | Class::Capacity
            | Class::Money
            | Class::AlreadyBound
            | Class::AlreadyDone
            | Class::Prefix
            | Class::SnatPorts
            | Class::Permanent => Self::Refused,
        }
    }
}

/// The class of an error code. Codes are the wire's own, misspelled as they are there.
///
/// An unknown code is [`Class::Permanent`] below HTTP 500 and [`Class::Busy`] from there on.
/// Source: the error tables of the VPC API's pages (July 2026 copies) and what Terraform's provider retries.
pub fn classify(code: &str, status: u16) -> Class {
    by_prefix(code)
        .or_else(|| generic(code))
        .or_else(|| credentials(code))
        .or_else(|| means(code))
        .or_else(|| binding(code))
        .or_else(|| package(code))
        .or_else(|| forwarding(code))
        .unwrap_or(if status >= 500 {
            Class::Busy
        } else {
            Class::Permanent
        })
}

fn by_prefix(code: &str) -> Option<Class> {
    let starts = |prefix| code.starts_with(prefix);
    if starts("Throttling") || code == "Rejected.Throttling" {
        Some(Class::Throttled)
    } else if starts("InvalidSecurityToken") {
        Some(Class::CredentialsExpired)
    } else if starts("InsufficientBalance") || starts("PAY.") || starts("PAYFOR.") {
        Some(Class::Money)
    } else {
        None
    }
}

fn generic(code: &str) -> Option<Class> {
    Some(match code {
        "ServiceUnavailable"
        | "InternalError"
        | "UnknownError"
        | "SystemBusy"
        | "OperationFailed.SystemBusy"
        | "OperationConflict"
        | "TaskConflict"
        | "VPC_TASK_CONFLICT"
        | "ResourceQueryError"
        | "OperationFailed.InvokeInnerApi"
        | "SignatureNonceUsed" => Class::Busy,
        "LastTokenProcessing" | "OperationFailed.LastTokenProcessing" => Class::TokenInProgress,
        "IdempotentParameterMismatch" | "IdempotentFailed" => Class::IdempotentMismatch,
        _ => return None,
    })
}

fn credentials(code: &str) -> Option<Class> {
    Some(match code {
        "MissingSecurityToken" | "InvalidAccessKeyId.NotFound" | "InvalidAccessKeyId.Inactive" => {
            Class::CredentialsExpired
        }
        "SignatureDoesNotMatch" | "IncompleteSignature" | "InvalidSignatureMethod" => {
            Class::CredentialsWrong
        }
        "InvalidTimeStamp.Expired" => Class::Skew,
        "Forbidden"
        | "Forbidden.RAM"
        | "Forbidden.SubUser"
        | "Forbidden.NotSupportRAM"
        | "NoPermission"
        | "InvalidUserType.NotSupported"
        | "OperationDenied.Unauthorized"
        | "AuthenticationFail.NoPermission" => Class::Denied,
        _ => return None,
    })
}

/// Quota, stock and money: what `AllocateEipAddress` meets.
fn means(code: &str) -> Option<Class> {
    Some(match code {
        "FrequentPurchase.EIP" => Class::FrequentPurchase,
        "OrderFailed.ConcurrentOperate" => Class::Busy,
        "QuotaExceeded.Eip"
        | "QuotaExceeded.LargeSpecEip"
        | "QuotaExceeded"
        | "ORDER.QUANTITY_INVALID"
        | "OperationFailed.QuotaNotEnough" => Class::Quota,
        "OperationFailed.InsufficientEIP"
        | "OperationFailed.ResourceNotEnough"
        | "ResourceNotEnough.PublicIpAddressPool"
        | "ReserveIpFail" => Class::Capacity,
        "CreditPayInsufficientBalance"
        | "OperationFailed.CreditPayInsufficientBalance"
        | "AccountMoneyValidateError"
        | "OperationFailed.AccountMoneyInvalid"
        | "OperationFailed.RiskControl"
        | "OperationFailed.BasicInfoUncompleted"
        | "SYSTEM.SALE_VALIDATE_UNEXPECTED_ERROR"
        | "Forbidden.FinancialLocked"
        | "NATGATEWAY_FINANCIALLOCKED"
        | "InvalidEIPStatus.BizDisabled" => Class::Money,
        _ => return None,
    })
}

/// Associate, Unassociate, Release, Modify, tags, and looks at network interfaces.
fn binding(code: &str) -> Option<Class> {
    Some(match code {
        "InvalidAction.Denied"
        | "OperationFailed.EcsMigrating"
        | "TaskConflict.AssociateGlobalAccelerationInstance" => Class::Busy,
        "IncorrectStatus"
        | "IncorrectEipStatus"
        | "IncorrectStatus.Eip"
        | "IncorrectStatus.ResourceStatus"
        | "IncorrectStatus.NatGateway"
        | "IncorrectInstanceStatus"
        | "InvalidBindingStatus"
        | "InvalidStatus.EniStatusNotSupport"
        | "InvalidStatus.EcsStatusNotSupport"
        | "InvalidStatus.NotAllow"
        | "InvalidStatus.InstanceHasBandWidth"
        | "InvalidStatus.SnatOrDnat"
        | "InvalidIpStatus.HasBeenUsedBySnatTable"
        | "InvalidIpStatus.HasBeenUsedByForwardEntry"
        | "DependencyViolation.SnatEntry" => Class::WrongState,
        "InvalidAssociation.Duplicated"
        | "ResourceAlreadyAssociated.IpAddress"
        | "BIND_INSTANCE_HAVE_PORTMAP_OR_BIND_EIP"
        | "EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP"
        | "OperationFailed.HavipBoundPortmap" => Class::AlreadyBound,
        "InvalidEip.EipQuotaExceeded" | "QuotaExceed.MultiBindedEip" => Class::PlaceFull,
        "OperationFailed.IpPrefixConflict" | "UnsupportedFeature.EipBindPrefixIp" => Class::Prefix,
        "InvalidAllocationId.NotFound"
        | "InvalidIpInstanceId.NotFound"
        | "InvalidResourceId.NotFound" => Class::NotFound,
        "InvalidInstanId.NotFound"
        | "InvalidEniId.NotFound"
        | "InvalidInstanceId.NotFound"
        | "InvalidBindInstance.NotFound"
        | "InvalidNicOrVm.NotFound"
        | "InvalidInstance.NotExist"
        | "InvalidParams.NotFound"
        | "OperationFailed.InstanceNotExist" => Class::PlaceNotFound,
        _ => return None,
    })
}

/// Shared bandwidth packages.
fn package(code: &str) -> Option<Class> {
    Some(match code {
        "EipOperation.TooFrequently"
        | "OperationFailed.DistibuteLock"
        | "BandwidthPackageOperation.conflict" => Class::Busy,
        "IpInstanceId.AlreadyInBandwidthPackage"
        | "OperationUnsupported.IpNotInCbwp"
        | "IpInstanceId.NotBandwidthPackage" => Class::AlreadyDone,
        "IpInstanceId.QuotaExceeded" => Class::Quota,
        "IpInstanceId.BizStatusInvalid" | "BandwidthPackageId.InvalidBizStatus" => Class::Money,
        "InvalidBandwidthPackageId.NotFound" | "InvalidBandwidthPackage.NotExist" => {
            Class::PackageNotFound
        }
        _ => return None,
    })
}

/// Forward entries and NAT gateways.
fn forwarding(code: &str) -> Option<Class> {
    Some(match code {
        "IncorretForwardEntryStatus"
        | "IncorrectStatus.ForwardEntry"
        | "IncorrectStatus.NATGW"
        | "OperationUnsupported.EipInBinding" => Class::Busy,
        "OperationUnsupported.ForwardEntry" | "Forbidden.Already.Bounded" | "Forbindden" => {
            Class::AlreadyBound
        }
        "Forbidden.ExternalIp.UsedInSnatTable" => Class::SnatPorts,
        "InvalidForwardEntryId.NotFound" | "ResourceNotFound.ForwardEntry" => Class::NotFound,
        "InvalidForwardTableId.NotFound"
        | "InvalidExternalIp.NotFound"
        | "InvalidIp.NotInNatgw"
        | "Invalid.natgwNotExist"
        | "InvalidNatGatewayId.NotFound"
        | "InvalidRouteTableId.NotFound" => Class::PlaceNotFound,
        _ => return None,
    })
}
