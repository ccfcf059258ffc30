"""NAT gateways, forward entries and route tables by both Python SDKs."""

import python_v1
import python_v3
from cloud import REGION, same, until
from registry import cases_of
from typed import complete

case_v1, case_v3 = cases_of("python_v1"), cases_of("python_v3")
TABLE, GATEWAY = "ftb-1", "ngw-1"


def plant(cloud):
    """A gateway with one EIP, to which the VPC's default route leads, and short settle times; the EIP's address."""
    cloud.call("PATCH", "/settings", {"settle": {"forward_create_ms": 150, "forward_delete_ms": 150}})
    cloud.call("POST", "/nat-gateways", {"id": GATEWAY, "forward_table_id": TABLE, "vswitch_id": cloud.vswitch["id"]})
    route = {"vpc_id": cloud.vpc["id"], "next_hop_type": "NatGateway", "next_hop_id": GATEWAY}
    cloud.call("POST", "/routes", route)
    eip = cloud.allocated()
    cloud.call("POST", f"/eips/{eip['id']}", {"do": "bind_nat", "gateway": GATEWAY})
    return eip["ip"]


def asked(cloud, ip):
    return dict(forward_table_id=TABLE, external_ip=ip, external_port="512", internal_ip=cloud.pod_ips[0],
                internal_port="80", ip_protocol="TCP", forward_entry_name="eipd-one", client_token="token-1")


class Nat(python_v3.Sdk):
    """The calls of this file, typed."""

    def ask(self, action, method, **fields):
        request = getattr(self.vpc_models, f"{action}Request")(region_id=REGION, **fields)
        return self.call(getattr(self.vpc, method), request)

    def create(self, **fields):
        return self.ask("CreateForwardEntry", "create_forward_entry", **fields)

    def entries(self, **fields):
        body = self.ask("DescribeForwardTableEntries", "describe_forward_table_entries", **fields)
        return complete(body).forward_table_entries.forward_table_entry


@case_v3("DescribeNatGateways")
def gateways(cloud):
    ip, sdk = plant(cloud), Nat(cloud)
    body = complete(sdk.ask("DescribeNatGateways", "describe_nat_gateways", vpc_id=cloud.vpc["id"]))
    (gateway,) = body.nat_gateways.nat_gateway
    complete(gateway, "access_mode", "availability_mode", "ip_prefix_list")
    complete(gateway.nat_gateway_private_info)
    same((gateway.nat_gateway_id, gateway.forward_table_ids.forward_table_id), (GATEWAY, [TABLE]))
    (listed,) = gateway.ip_lists.ip_list
    same((complete(listed).ip_address, listed.using_status), (ip, "Idle"))


@case_v3("CreateForwardEntry")
def create(cloud):
    fields, sdk = asked(cloud, plant(cloud)), Nat(cloud)
    entry = complete(sdk.create(**fields)).forward_entry_id
    (seen,) = sdk.entries(forward_table_id=TABLE)
    same((complete(seen).status, seen.ip_protocol, seen.external_port), ("Pending", "tcp", "512"))
    other = fields | dict(external_port="513", internal_port="81", client_token="token-2")
    same(python_v3.error_of(lambda: sdk.create(**other)).code, "IncorretForwardEntryStatus")
    until(lambda: sdk.entries(nat_gateway_id=GATEWAY)[0].status == "Available")
    same(sdk.create(**fields).forward_entry_id, entry)
    same(len(sdk.entries(forward_table_id=TABLE, forward_entry_name="eipd-one")), 1)


@case_v3("DeleteForwardEntry")
def delete(cloud):
    fields, sdk = asked(cloud, plant(cloud)), Nat(cloud)
    entry = sdk.create(**fields).forward_entry_id
    until(lambda: sdk.entries(forward_table_id=TABLE)[0].status == "Available")
    names = dict(forward_table_id=TABLE, forward_entry_id=entry)
    complete(sdk.ask("DeleteForwardEntry", "delete_forward_entry", **names))
    same(sdk.entries(forward_table_id=TABLE)[0].status, "Deleting")
    until(lambda: not sdk.entries(forward_table_id=TABLE))
    gone = python_v3.error_of(lambda: sdk.ask("DeleteForwardEntry", "delete_forward_entry", **names))
    same(gone.code, "InvalidForwardEntryId.NotFound")


@case_v3("DescribeRouteTableList")
def tables(cloud):
    plant(cloud)
    sdk = Nat(cloud)
    body = complete(sdk.ask("DescribeRouteTableList", "describe_route_table_list", vpc_id=cloud.vpc["id"]))
    (table,) = body.router_table_list.router_table_list_type
    same(complete(table).v_switch_ids.v_switch_id, [cloud.vswitch["id"]])
    routes = sdk.ask("DescribeRouteEntryList", "describe_route_entry_list", route_table_id=table.route_table_id,
                     destination_cidr_block="0.0.0.0/0", max_result=100)
    (route,) = complete(routes).route_entrys.route_entry
    complete(route, "gmt_modified", "service_type")
    (hop,) = route.next_hops.next_hop
    same((hop.next_hop_type, hop.next_hop_id), ("NatGateway", GATEWAY))


@case_v1("CreateForwardEntry")
def by_query(cloud):
    ip, sdk = plant(cloud), python_v1.Sdk(cloud)
    fields = dict(ForwardTableId=TABLE, ExternalIp=ip, ExternalPort="512", InternalIp=cloud.pod_ips[0],
                  InternalPort="80", IpProtocol="UDP", ForwardEntryName="eipd-one")
    entry = sdk.call("CreateForwardEntry", **fields).forward_entry_id
    found = lambda: sdk.call("DescribeForwardTableEntries", ForwardTableId=TABLE).forward_table_entries.forward_table_entry
    until(lambda: found()[0].status == "Available")
    same(found()[0].ip_protocol, "udp")
    same(len(sdk.call("DescribeNatGateways", NatGatewayId=GATEWAY).nat_gateways.nat_gateway), 1)
    sdk.call("DeleteForwardEntry", ForwardTableId=TABLE, ForwardEntryId=entry)
    until(lambda: not found())
    code, status, _ = sdk.error("DeleteForwardEntry", ForwardTableId="ftb-none", ForwardEntryId=entry)
    same((code, status), ("InvalidForwardTableId.NotFound", 404))
