"""The Python V3 SDKs (alibabacloud_vpc20160428 and its sisters): ACS3-HMAC-SHA256, typed answers."""

import base64
import json
import time

from cloud import PUBLIC, REGION, same, until
from registry import cases_of
from typed import check, complete

case = cases_of("python_v3")


class Sdk:
    """The clients, with one key; each call's body checked against its declared types."""

    def __init__(self, cloud, key=None):
        # Imported here: the list of tests is made without the SDKs.
        from alibabacloud_ecs20140526 import client as ecs, models as ecs_models
        from alibabacloud_sts20150401 import client as sts, models as sts_models
        from alibabacloud_tea_openapi.utils_models import Config
        from alibabacloud_vpc20160428 import client as vpc, models as vpc_models

        key = key or cloud.key
        config = Config(access_key_id=key["id"], access_key_secret=key["secret"], security_token=key.get("token"),
                        endpoint=cloud.endpoint, protocol="http", region_id=REGION)
        anonymous = Config(endpoint=cloud.endpoint, protocol="http", region_id=REGION)
        self.vpc, self.vpc_models = vpc.Client(config), vpc_models
        self.ecs, self.ecs_models = ecs.Client(config), ecs_models
        self.sts, self.sts_models = sts.Client(anonymous), sts_models
        self.signed_sts = sts.Client(config)

    def call(self, method, request):
        response = method(request)
        same(response.status_code, 200)
        assert response.body.request_id, "no RequestId"
        return check(response.body)

    def allocate(self, **fields):
        request = self.vpc_models.AllocateEipAddressRequest(region_id=REGION, **fields)
        return self.call(self.vpc.allocate_eip_address, request)

    def describe(self, **fields):
        request = self.vpc_models.DescribeEipAddressesRequest(region_id=REGION, **fields)
        return self.call(self.vpc.describe_eip_addresses, request)

    def eip(self, allocation_id):
        return self.describe(allocation_id=allocation_id).eip_addresses.eip_address[0]

    def associate(self, **fields):
        request = self.vpc_models.AssociateEipAddressRequest(
            region_id=REGION, instance_type="NetworkInterface", **fields)
        return self.call(self.vpc.associate_eip_address, request)

    def release(self, allocation_id):
        request = self.vpc_models.ReleaseEipAddressRequest(region_id=REGION, allocation_id=allocation_id)
        return self.call(self.vpc.release_eip_address, request)


def error_of(call):
    """The exception of a call that must fail."""
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("it did not fail")


def pairs(tags):
    return {tag.key: tag.value for tag in tags}


@case("AllocateEipAddress")
def allocate(cloud):
    sdk = Sdk(cloud)
    tag = sdk.vpc_models.AllocateEipAddressRequestTag
    fields = dict(bandwidth="7", internet_charge_type="PayByTraffic", instance_charge_type="PostPaid", isp="BGP",
                  name="two words", description="a+b & c=d/e ~ äöü 100%", client_token="token-1",
                  tag=[tag(key="owner", value="a b"), tag(key="empty", value="")])
    body = complete(sdk.allocate(**fields), "order_id")
    assert body.allocation_id.startswith("eip-")
    assert body.eip_address.startswith(PUBLIC), body.eip_address
    seen = sdk.eip(body.allocation_id)
    same((seen.ip_address, seen.bandwidth, seen.name), (body.eip_address, "7", "two words"))
    same((seen.description, seen.internet_charge_type), (fields["description"], "PayByTraffic"))
    same(pairs(seen.tags.tag), {"owner": "a b", "empty": ""})
    same(sdk.allocate(**fields).allocation_id, body.allocation_id)
    same(len(cloud.call("GET", "/eips")), 1)


@case("AssociateEipAddress")
def associate(cloud):
    sdk, eip = Sdk(cloud), cloud.allocated()
    ip = cloud.pod_ips[1]
    complete(sdk.associate(allocation_id=eip["id"], instance_id=cloud.eni["id"], private_ip_address=ip,
                           client_token="bind-1"))
    same(sdk.eip(eip["id"]).status, "Associating")
    seen = until(lambda: (now := sdk.eip(eip["id"])).status == "InUse" and now)
    same((seen.instance_id, seen.instance_type), (cloud.eni["id"], "NetworkInterface"))
    same((seen.private_ip_address, seen.instance_region_id, seen.mode), (ip, REGION, "NAT"))


@case("UnassociateEipAddress")
def unassociate(cloud):
    sdk, ip = Sdk(cloud), cloud.pod_ips[0]
    eip = cloud.bound(ip)
    request = sdk.vpc_models.UnassociateEipAddressRequest(
        region_id=REGION, allocation_id=eip["id"], instance_id=cloud.eni["id"], instance_type="NetworkInterface",
        private_ip_address=ip, client_token="unbind-1")
    complete(sdk.call(sdk.vpc.unassociate_eip_address, request))
    same(sdk.eip(eip["id"]).status, "Unassociating")
    seen = until(lambda: (now := sdk.eip(eip["id"])).status == "Available" and now)
    same((seen.instance_id, seen.instance_type, seen.private_ip_address), ("", "", ""))


@case("ReleaseEipAddress")
def release(cloud):
    sdk, eip = Sdk(cloud), cloud.allocated()
    complete(sdk.release(eip["id"]))
    gone = until(lambda: (now := sdk.describe(allocation_id=eip["id"])).total_count == 0 and now)
    same(gone.eip_addresses.eip_address, [])


@case("DescribeEipAddresses")
def describe(cloud):
    sdk = Sdk(cloud)
    cloud.bound(cloud.pod_ips[0])
    tagged = cloud.allocated(**{"Tag.1.Key": "owner", "Tag.1.Value": "me"})
    page = complete(sdk.describe(page_size=1, page_number=2))
    same((page.total_count, page.page_number, page.page_size), (2, 2, 1))
    same(len(page.eip_addresses.eip_address), 1)
    for seen in sdk.describe().eip_addresses.eip_address:
        complete(seen)
    tag = sdk.vpc_models.DescribeEipAddressesRequestTag
    one = sdk.describe(tag=[tag(key="owner", value="me")], status="Available", dry_run=False)
    same([seen.allocation_id for seen in one.eip_addresses.eip_address], [tagged["id"]])
    here = sdk.describe(associated_instance_type="NetworkInterface", associated_instance_id=cloud.eni["id"])
    same([seen.status for seen in here.eip_addresses.eip_address], ["InUse"])


@case("TagResources")
def tag_resources(cloud):
    sdk, eip = Sdk(cloud), cloud.allocated()
    tag = sdk.vpc_models.TagResourcesRequestTag
    request = sdk.vpc_models.TagResourcesRequest(
        region_id=REGION, resource_type="EIP", resource_id=[eip["id"]],
        tag=[tag(key="eipd-cluster", value="c 1"), tag(key="other", value="2")])
    complete(sdk.call(sdk.vpc.tag_resources, request))
    same(pairs(sdk.eip(eip["id"]).tags.tag), {"eipd-cluster": "c 1", "other": "2"})


@case("UnTagResources")
def untag_resources(cloud):
    sdk = Sdk(cloud)
    eip = cloud.allocated(**{"Tag.1.Key": "a", "Tag.1.Value": "1", "Tag.2.Key": "b", "Tag.2.Value": "2"})
    request = sdk.vpc_models.UnTagResourcesRequest(
        region_id=REGION, resource_type="EIP", resource_id=[eip["id"]], tag_key=["a"], all=False)
    complete(sdk.call(sdk.vpc.un_tag_resources, request))
    same(pairs(sdk.eip(eip["id"]).tags.tag), {"b": "2"})


@case("ListTagResources")
def list_tag_resources(cloud):
    sdk = Sdk(cloud)
    ids = [cloud.allocated(**{"Tag.1.Key": "k", "Tag.1.Value": str(n)})["id"] for n in range(3)]
    tag, seen, token = sdk.vpc_models.ListTagResourcesRequestTag, {}, None
    for _ in range(3):
        request = sdk.vpc_models.ListTagResourcesRequest(
            region_id=REGION, resource_type="EIP", tag=[tag(key="k")], max_results=2, next_token=token)
        body = complete(sdk.call(sdk.vpc.list_tag_resources, request))
        for item in body.tag_resources.tag_resource:
            complete(item)
            same((item.resource_type, item.tag_key), ("EIP", "k"))
            seen[item.resource_id] = item.tag_value
        token = body.next_token
        if not token:
            break
    same(seen, {id: str(n) for n, id in enumerate(ids)})


@case("ModifyEipAddressAttribute")
def modify(cloud):
    sdk, eip = Sdk(cloud), cloud.allocated()
    request = sdk.vpc_models.ModifyEipAddressAttributeRequest(
        region_id=REGION, allocation_id=eip["id"], bandwidth="20", name="new name", description="new")
    complete(sdk.call(sdk.vpc.modify_eip_address_attribute, request))
    seen = sdk.eip(eip["id"])
    same((seen.bandwidth, seen.name, seen.description), ("20", "new name", "new"))


@case("AddCommonBandwidthPackageIp")
def add_to_package(cloud):
    sdk, eip = Sdk(cloud), cloud.allocated()
    request = sdk.vpc_models.AddCommonBandwidthPackageIpRequest(
        region_id=REGION, bandwidth_package_id=cloud.package["id"], ip_instance_id=eip["id"], ip_type="EIP")
    complete(sdk.call(sdk.vpc.add_common_bandwidth_package_ip, request))
    seen = sdk.eip(eip["id"])
    same((seen.bandwidth_package_id, seen.bandwidth), (cloud.package["id"], "100"))
    same((seen.bandwidth_package_type, seen.bandwidth_package_bandwidth), ("CommonBandwidthPackage", "100"))


@case("RemoveCommonBandwidthPackageIp")
def remove_from_package(cloud):
    sdk, eip = Sdk(cloud), cloud.allocated()
    cloud.call("POST", f"/eips/{eip['id']}", {"do": "join_package", "package": cloud.package["id"]})
    same(sdk.eip(eip["id"]).bandwidth_package_id, cloud.package["id"])
    request = sdk.vpc_models.RemoveCommonBandwidthPackageIpRequest(
        region_id=REGION, bandwidth_package_id=cloud.package["id"], ip_instance_id=eip["id"])
    complete(sdk.call(sdk.vpc.remove_common_bandwidth_package_ip, request))
    same(sdk.eip(eip["id"]).bandwidth_package_id, "")


@case("DescribeVSwitches")
def describe_vswitches(cloud):
    sdk = Sdk(cloud)
    request = sdk.vpc_models.DescribeVSwitchesRequest(
        region_id=REGION, vpc_id=cloud.vpc["id"], v_switch_id=cloud.vswitch["id"], page_size=50)
    body = complete(sdk.call(sdk.vpc.describe_vswitches, request))
    same((body.total_count, body.page_number, body.page_size), (1, 1, 50))
    [seen] = body.v_switches.v_switch
    complete(seen)
    same((seen.v_switch_id, seen.vpc_id, seen.zone_id), (cloud.vswitch["id"], cloud.vpc["id"], f"{REGION}-i"))
    same((seen.cidr_block, seen.available_ip_address_count), ("10.0.1.0/24", 252 - 4))
    same((seen.status, seen.v_switch_name, pairs(seen.tags.tag)), ("Available", "nodes", {"team": "net"}))


@case("DescribeNetworkInterfaces")
def describe_enis(cloud):
    sdk = Sdk(cloud)
    eip = cloud.bound(cloud.pod_ips[0])
    request = sdk.ecs_models.DescribeNetworkInterfacesRequest(
        region_id=REGION, private_ip_address=[cloud.pod_ips[0]], v_switch_id=cloud.vswitch["id"], max_results=10)
    body = complete(sdk.call(sdk.ecs.describe_network_interfaces, request))
    [seen] = body.network_interface_sets.network_interface_set
    same((seen.network_interface_id, seen.mac_address, seen.type), (cloud.eni["id"], cloud.eni["mac"], "Secondary"))
    same((seen.instance_id, seen.attachment.instance_id), (cloud.instance["id"], cloud.instance["id"]))
    same((seen.v_switch_id, seen.vpc_id, seen.status), (cloud.vswitch["id"], cloud.vpc["id"], "InUse"))
    ips = {ip.private_ip_address: ip for ip in seen.private_ip_sets.private_ip_set}
    same({ip: item.primary for ip, item in ips.items()}, {ip["ip"]: ip["primary"] for ip in cloud.eni["ips"]})
    public = ips[cloud.pod_ips[0]].associated_public_ip
    same((public.allocation_id, public.public_ip_address), (eip["id"], eip["ip"]))
    same(seen.security_group_ids.security_group_id, ["sg-test"])
    same({tag.tag_key: tag.tag_value for tag in seen.tags.tag}, {"team": "net"})


def oidc_token(**claims):
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    now = int(time.time())
    payload = {"iss": "https://issuer.test", "sub": "system:serviceaccount:eipd:eipd", "aud": ["sts.aliyuncs.com"],
               "iat": now, "exp": now + 600, **claims}
    return f"{part({'alg': 'RS256'})}.{part(payload)}.{part('signature')}"


def assume_role(cloud, sdk, token):
    cloud.call("POST", "/roles", {"name": "eipd", "allowed": ["vpc:DescribeEipAddresses"]})
    cloud.call("POST", "/oidc-providers", {"name": "ack", "issuer": "https://issuer.test"})
    account = cloud.call("GET", "/settings")["account_id"]
    request = sdk.sts_models.AssumeRoleWithOIDCRequest(
        role_arn=f"acs:ram::{account}:role/eipd", oidcprovider_arn=f"acs:ram::{account}:oidc-provider/ack",
        oidctoken=token, role_session_name="eipd", duration_seconds=900)
    return sdk.call(sdk.sts.assume_role_with_oidc, request)


@case("AssumeRoleWithOIDC")
def assume_role_with_oidc(cloud):
    sdk = Sdk(cloud)
    body = complete(assume_role(cloud, sdk, oidc_token()))
    complete(body.credentials)
    complete(body.assumed_role_user)
    complete(body.oidctoken_info)
    same(body.oidctoken_info.subject, "system:serviceaccount:eipd:eipd")
    assert body.assumed_role_user.arn.endswith(":role/eipd/eipd"), body.assumed_role_user.arn
    given = body.credentials
    theirs = Sdk(cloud, {"id": given.access_key_id, "secret": given.access_key_secret, "token": given.security_token})
    same(theirs.describe().total_count, 0)
    refused = error_of(theirs.allocate)
    same((refused.code, refused.status_code), ("Forbidden.RAM", 403))
    expired = error_of(lambda: assume_role(cloud, sdk, oidc_token(exp=int(time.time()) - 10)))
    same(expired.code, "AuthenticationFail.OIDCToken.Expired")


@case("GetCallerIdentity")
def get_caller_identity(cloud):
    account = cloud.call("GET", "/settings")["account_id"]
    whose = lambda sdk: complete(sdk.call(lambda _: sdk.signed_sts.get_caller_identity(), None), "role_id")
    user = whose(Sdk(cloud))
    same((user.account_id, user.identity_type), (account, "RAMUser"))
    given = assume_role(cloud, Sdk(cloud), oidc_token()).credentials
    theirs = Sdk(cloud, {"id": given.access_key_id, "secret": given.access_key_secret, "token": given.security_token})
    role = theirs.call(lambda _: theirs.signed_sts.get_caller_identity(), None)
    same((role.account_id, role.identity_type), (account, "AssumedRoleUser"))
    assert ":assumed-role/eipd/" in role.arn, role.arn


@case("errors_have_code_status_and_request_id")
def errors(cloud):
    from alibabacloud_tea_openapi.exceptions import ClientException, ServerException

    sdk = Sdk(cloud)
    error = error_of(lambda: sdk.release("eip-none"))
    assert isinstance(error, ClientException), repr(error)
    same((error.code, error.status_code), ("InvalidAllocationId.NotFound", 404))
    [call] = cloud.call("GET", "/calls?action=ReleaseEipAddress")
    same(error.request_id, call["request_id"])
    cloud.refuse("AllocateEipAddress", 500, "InternalError")
    error = error_of(sdk.allocate)
    assert isinstance(error, ServerException), repr(error)
    same((error.code, error.status_code), ("InternalError", 500))


@case("a_wrong_secret_is_refused")
def wrong_secret(cloud):
    error = error_of(Sdk(cloud, {"id": cloud.key["id"], "secret": "wrong"}).describe)
    same((error.code, error.status_code), ("SignatureDoesNotMatch", 400))
    error = error_of(Sdk(cloud, {"id": "LTAInobody", "secret": cloud.key["secret"]}).describe)
    same((error.code, error.status_code), ("InvalidAccessKeyId.NotFound", 404))


@case("a_throttled_call_says_so")
def throttled(cloud):
    from alibabacloud_tea_openapi.exceptions import ThrottlingException

    sdk = Sdk(cloud)
    cloud.call("PATCH", "/settings", {"rates": {"AllocateEipAddress": 1}, "throttle_retry_after": True})
    sdk.allocate()
    error = error_of(sdk.allocate)
    assert isinstance(error, ThrottlingException), repr(error)
    same((error.code, error.status_code), ("Throttling.User", 400))
    assert error.retry_after > 0, error.retry_after
