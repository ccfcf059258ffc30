"""A cloudsim process and its control door, with a small world in it."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

REGION = "cn-hangzhou"
# Nobody's addresses (RFC 5737, RFC 2544): the only ones that cloudsim may give out as public.
PUBLIC = ("203.0.113.", "198.51.100.", "198.18.", "198.19.")


class Cloud:
    """Starts cloudsim; as a context manager it ends it, and shows its log if the test failed."""

    def __init__(self, program):
        self.log = tempfile.TemporaryFile()
        command = [program, "--control", "127.0.0.1:0", "--api", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __enter__(self):
        try:
            doors = json.loads(self.process.stdout.readline())
            self.control, self.endpoint = doors["control"].rstrip("/"), doors["api"]
            self.plant()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, kind, *_):
        self.end()
        if kind:
            self.log.seek(0)
            print(self.log.read().decode(errors="replace"), file=sys.stderr)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def plant(self):
        """One instance with a secondary ENI of three addresses, a bandwidth package, a key; short settle times."""
        settle = {"associate_ms": 150, "unassociate_ms": 150, "release_ms": 50, "package_ms": 50}
        self.call("PATCH", "/settings", {"settle": settle})
        self.vpc = self.call("POST", "/vpcs", {"cidr": "10.0.0.0/8"})
        vswitch = {"vpc_id": self.vpc["id"], "cidr": "10.0.1.0/24", "zone": f"{REGION}-i", "name": "nodes",
                   "tags": {"team": "net"}}
        self.vswitch = self.call("POST", "/vswitches", vswitch)
        self.instance = self.call("POST", "/instances", {"vswitch_id": self.vswitch["id"]})
        eni = {"vswitch_id": self.vswitch["id"], "instance_id": self.instance["id"], "secondary_count": 2,
               "security_groups": ["sg-test"], "tags": {"team": "net"}}
        self.eni = self.call("POST", "/enis", eni)
        self.package = self.call("POST", "/packages", {"bandwidth": 100})
        self.key = self.call("POST", "/access-keys", {})

    @property
    def pod_ips(self):
        """The ENI's secondary addresses."""
        return [address["ip"] for address in self.eni["ips"] if not address["primary"]]

    def call(self, method, path, body=None):
        """A call of the control door."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data, method=method)
        try:
            with self.opener.open(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def refuse(self, action, status, code, **more):
        """The next call of `action` fails like this."""
        fault = {"kind": "refuse", "status": status, "code": code, **more}
        self.call("POST", "/faults", {"action": action, "count": 1, "fault": fault})

    def allocated(self, **args):
        """An EIP made at the console."""
        return self.call("POST", "/eips", {"args": {"RegionId": REGION, **args}})

    def bound(self, private_ip):
        """An EIP that stands at the ENI's address."""
        eip = self.allocated()
        order = {"do": "bind", "eni": self.eni["id"], "private_ip": private_ip, "settle_ms": 0}
        self.call("POST", f"/eips/{eip['id']}", order)
        return eip

    def eip(self, allocation_id):
        """The cloud's own view of an EIP."""
        return self.call("GET", f"/eips/{allocation_id}")


def until(question, seconds=10):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < end, f"not so within {seconds} s"
        time.sleep(0.02)


def same(seen, expected):
    """Fails with both sides in the message."""
    assert seen == expected, f"seen {seen!r}, expected {expected!r}"
