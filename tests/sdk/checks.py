"""The checks of typed.py themselves: each kind of wrong answer that an SDK takes without a word is found."""

from registry import cases_of
from typed import check, complete, known

case = cases_of("checks")

GOOD = {
    "TotalCount": 1, "PageNumber": 1, "PageSize": 10, "RequestId": "r",
    "EipAddresses": {"EipAddress": [{"AllocationId": "eip-1", "SecondLimited": False, "Tags": {"Tag": []}}]},
}


def read(answer):
    from alibabacloud_vpc20160428.models import DescribeEipAddressesResponseBody

    return DescribeEipAddressesResponseBody().from_map(answer)


def with_eip(**fields):
    return {**GOOD, "EipAddresses": {"EipAddress": [{**GOOD["EipAddresses"]["EipAddress"][0], **fields}]}}


def fails(checking, word):
    try:
        checking()
    except (AssertionError, AttributeError, TypeError) as error:
        assert word in str(error), error
        return
    raise AssertionError("it was not found")


@case("a_good_answer_passes")
def good(_cloud):
    complete(read(GOOD))
    known(GOOD, read(GOOD))


@case("a_wrong_type_is_found")
def wrong_type(_cloud):
    fails(lambda: check(read(with_eip(AllocationId=7))), "allocation_id")
    fails(lambda: check(read(with_eip(SecondLimited="false"))), "second_limited")
    fails(lambda: check(read({**GOOD, "TotalCount": "1"})), "total_count")
    fails(lambda: check(read({**GOOD, "TotalCount": True})), "total_count")


@case("a_null_element_is_found")
def null_element(_cloud):
    fails(lambda: complete(read({**GOOD, "EipAddresses": {"EipAddress": [None]}}).eip_addresses.eip_address[0]),
          "not sent")


@case("a_list_without_its_wrapper_is_found")
def flat_list(_cloud):
    flat = {**GOOD, "EipAddresses": GOOD["EipAddresses"]["EipAddress"]}
    fails(lambda: known(flat, read(flat)), "")


@case("a_misspelt_field_is_found")
def misspelt(_cloud):
    wrong = with_eip(IPAddress="203.0.113.1")
    fails(lambda: known(wrong, read(wrong)), "IPAddress")
    fails(lambda: complete(read(wrong).eip_addresses.eip_address[0]), "ip_address")
