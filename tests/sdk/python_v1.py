"""The older Python SDK (aliyun-python-sdk-core and -vpc): HMAC-SHA1 in the query, answers as JSON text.

Its answers have no types, so each is read by the V3 model of the same call: that also shows stray and misspelt fields.
"""

import importlib
import json

from cloud import PUBLIC, REGION, same, until
from registry import cases_of
from typed import complete, known

case = cases_of("python_v1")


class Sdk:
    """One client; `call(action, Argument=value)` builds the request by its setters."""

    def __init__(self, cloud, key=None):
        # Imported here: the list of tests is made without the SDKs.
        from aliyunsdkcore.client import AcsClient

        key = key or cloud.key
        self.endpoint = cloud.endpoint
        self.client = AcsClient(key["id"], key["secret"], REGION, auto_retry=False)

    def raw(self, action, **arguments):
        module = importlib.import_module(f"aliyunsdkvpc.request.v20160428.{action}Request")
        request = getattr(module, f"{action}Request")()
        for name, value in arguments.items():
            getattr(request, f"set_{name}")(value)
        return self.send(request)

    def send(self, request):
        request.set_endpoint(self.endpoint)
        request.set_protocol_type("http")
        return json.loads(self.client.do_action_with_exception(request))

    def call(self, action, **arguments):
        from alibabacloud_vpc20160428 import models

        body = self.raw(action, **arguments)
        assert body["RequestId"], "no RequestId"
        return known(body, getattr(models, f"{action}ResponseBody")().from_map(body))

    def eip(self, allocation_id):
        return self.call("DescribeEipAddresses", AllocationId=allocation_id).eip_addresses.eip_address[0]

    def error(self, action, **arguments):
        """The exception of a call that must fail: code, status, request id."""
        from aliyunsdkcore.acs_exception.exceptions import ServerException

        try:
            self.raw(action, **arguments)
        except ServerException as error:
            return error.get_error_code(), error.get_http_status(), error.get_request_id()
        raise AssertionError("it did not fail")


def pairs(tags):
    return {tag.key: tag.value for tag in tags}


@case("AllocateEipAddress")
def allocate(cloud):
    sdk = Sdk(cloud)
    arguments = dict(Bandwidth="7", InternetChargeType="PayByTraffic", Name="two words", ClientToken="token-1",
                     Description="a+b & c=d/e ~ äöü 100%",
                     Tags=[{"Key": "owner", "Value": "a b"}, {"Key": "empty", "Value": ""}])
    body = complete(sdk.call("AllocateEipAddress", **arguments), "order_id")
    assert body.eip_address.startswith(PUBLIC), body.eip_address
    seen = sdk.eip(body.allocation_id)
    same((seen.bandwidth, seen.name, seen.description), ("7", "two words", arguments["Description"]))
    same(pairs(seen.tags.tag), {"owner": "a b", "empty": ""})
    same(sdk.call("AllocateEipAddress", **arguments).allocation_id, body.allocation_id)
    same(len(cloud.call("GET", "/eips")), 1)


@case("AssociateEipAddress")
def associate(cloud):
    sdk, eip, ip = Sdk(cloud), cloud.allocated(), cloud.pod_ips[1]
    sdk.call("AssociateEipAddress", AllocationId=eip["id"], InstanceId=cloud.eni["id"], PrivateIpAddress=ip,
             InstanceType="NetworkInterface", ClientToken="bind-1")
    same(sdk.eip(eip["id"]).status, "Associating")
    seen = until(lambda: (now := sdk.eip(eip["id"])).status == "InUse" and now)
    same((seen.instance_id, seen.private_ip_address), (cloud.eni["id"], ip))


@case("UnassociateEipAddress")
def unassociate(cloud):
    sdk, ip = Sdk(cloud), cloud.pod_ips[0]
    eip = cloud.bound(ip)
    sdk.call("UnassociateEipAddress", AllocationId=eip["id"], InstanceId=cloud.eni["id"], PrivateIpAddress=ip,
             InstanceType="NetworkInterface", ClientToken="unbind-1")
    same(sdk.eip(eip["id"]).status, "Unassociating")
    until(lambda: sdk.eip(eip["id"]).status == "Available")


@case("ReleaseEipAddress")
def release(cloud):
    sdk, eip = Sdk(cloud), cloud.allocated()
    sdk.call("ReleaseEipAddress", AllocationId=eip["id"])
    until(lambda: sdk.call("DescribeEipAddresses", AllocationId=eip["id"]).total_count == 0)


@case("DescribeEipAddresses")
def describe(cloud):
    sdk = Sdk(cloud)
    cloud.bound(cloud.pod_ips[0])
    tagged = cloud.allocated(**{"Tag.1.Key": "owner", "Tag.1.Value": "me"})
    page = sdk.call("DescribeEipAddresses", PageSize=1, PageNumber=2)
    same((page.total_count, page.page_number, page.page_size), (2, 2, 1))
    for seen in sdk.call("DescribeEipAddresses").eip_addresses.eip_address:
        complete(seen)
    one = sdk.call("DescribeEipAddresses", Tags=[{"Key": "owner", "Value": "me"}], Status="Available")
    same([seen.allocation_id for seen in one.eip_addresses.eip_address], [tagged["id"]])


@case("TagResources")
def tag_resources(cloud):
    sdk, eip = Sdk(cloud), cloud.allocated()
    sdk.call("TagResources", ResourceType="EIP", ResourceIds=[eip["id"]],
             Tags=[{"Key": "eipd-cluster", "Value": "c 1"}, {"Key": "other", "Value": "2"}])
    same(pairs(sdk.eip(eip["id"]).tags.tag), {"eipd-cluster": "c 1", "other": "2"})


@case("UnTagResources")
def untag_resources(cloud):
    sdk = Sdk(cloud)
    eip = cloud.allocated(**{"Tag.1.Key": "a", "Tag.1.Value": "1", "Tag.2.Key": "b", "Tag.2.Value": "2"})
    sdk.call("UnTagResources", ResourceType="EIP", ResourceIds=[eip["id"]], TagKeys=["a"])
    same(pairs(sdk.eip(eip["id"]).tags.tag), {"b": "2"})
    sdk.call("UnTagResources", ResourceType="EIP", ResourceIds=[eip["id"]], All=True)
    same(pairs(sdk.eip(eip["id"]).tags.tag), {})


@case("ListTagResources")
def list_tag_resources(cloud):
    sdk = Sdk(cloud)
    eip = cloud.allocated(**{"Tag.1.Key": "a", "Tag.1.Value": "1"})
    body = complete(sdk.call("ListTagResources", ResourceType="EIP", ResourceIds=[eip["id"]]))
    [seen] = body.tag_resources.tag_resource
    same((seen.resource_id, seen.tag_key, seen.tag_value), (eip["id"], "a", "1"))


@case("ModifyEipAddressAttribute")
def modify(cloud):
    sdk, eip = Sdk(cloud), cloud.allocated()
    sdk.call("ModifyEipAddressAttribute", AllocationId=eip["id"], Bandwidth="20", Name="new name")
    seen = sdk.eip(eip["id"])
    same((seen.bandwidth, seen.name), ("20", "new name"))


@case("AddCommonBandwidthPackageIp")
def add_to_package(cloud):
    sdk, eip = Sdk(cloud), cloud.allocated()
    sdk.call("AddCommonBandwidthPackageIp", BandwidthPackageId=cloud.package["id"], IpInstanceId=eip["id"])
    same(sdk.eip(eip["id"]).bandwidth_package_id, cloud.package["id"])


@case("RemoveCommonBandwidthPackageIp")
def remove_from_package(cloud):
    sdk, eip = Sdk(cloud), cloud.allocated()
    cloud.call("POST", f"/eips/{eip['id']}", {"do": "join_package", "package": cloud.package["id"]})
    sdk.call("RemoveCommonBandwidthPackageIp", BandwidthPackageId=cloud.package["id"], IpInstanceId=eip["id"])
    same(sdk.eip(eip["id"]).bandwidth_package_id, "")


@case("DescribeVSwitches")
def describe_vswitches(cloud):
    body = Sdk(cloud).call("DescribeVSwitches", VpcId=cloud.vpc["id"], VSwitchId=cloud.vswitch["id"])
    [seen] = body.v_switches.v_switch
    complete(seen)
    same((seen.v_switch_id, seen.zone_id, seen.cidr_block), (cloud.vswitch["id"], f"{REGION}-i", "10.0.1.0/24"))


@case("DescribeNetworkInterfaces")
def describe_enis(cloud):
    """There is no package for ECS here: the SDK's CommonRequest, which takes any action."""
    from alibabacloud_ecs20140526.models import DescribeNetworkInterfacesResponseBody
    from aliyunsdkcore.request import CommonRequest

    cloud.bound(cloud.pod_ips[0])
    request = CommonRequest(domain=cloud.endpoint, version="2014-05-26", action_name="DescribeNetworkInterfaces")
    request.set_method("POST")
    request.add_query_param("RegionId", REGION)
    request.add_query_param("PrivateIpAddress.1", cloud.pod_ips[0])
    body = Sdk(cloud).send(request)
    body = known(body, DescribeNetworkInterfacesResponseBody().from_map(body))
    [seen] = body.network_interface_sets.network_interface_set
    same((seen.network_interface_id, seen.instance_id), (cloud.eni["id"], cloud.instance["id"]))


@case("errors_have_code_status_and_request_id")
def errors(cloud):
    code, status, request_id = Sdk(cloud).error("ReleaseEipAddress", AllocationId="eip-none")
    same((code, status), ("InvalidAllocationId.NotFound", 404))
    [call] = cloud.call("GET", "/calls?action=ReleaseEipAddress")
    same(request_id, call["request_id"])


@case("a_wrong_secret_is_refused")
def wrong_secret(cloud):
    """This SDK compares the server's string to sign with its own: equal means that only the secret is wrong."""
    code, status, _ = Sdk(cloud, {"id": cloud.key["id"], "secret": "wrong"}).error("DescribeEipAddresses")
    same((code, status), ("InvalidAccessKeySecret", 400))


@case("a_throttled_call_says_so")
def throttled(cloud):
    sdk = Sdk(cloud)
    cloud.call("PATCH", "/settings", {"rates": {"AllocateEipAddress": 1}})
    sdk.call("AllocateEipAddress")
    code, status, _ = sdk.error("AllocateEipAddress")
    same((code, status), ("Throttling.User", 400))
