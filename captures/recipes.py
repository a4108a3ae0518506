"""How each fixture is made. The docstring says what it shows, the name is the file's."""

from __future__ import annotations

from collections.abc import Callable

from studio import Studio

from rawkit.netns import Host

Recipe = Callable[[Studio], None]

RECIPES: dict[str, Recipe] = {}
"""All fixtures, by the name of their file without its suffix."""

NO_MLD = "ip6 and not ip6 proto 0"
"""IPv6 without multicast listener reports, which hosts send in their own time."""

UP = {"accept_dad": 1, "accept_ra": 1, "router_solicitations": 3, "disable_ipv6": 0}
"""Settings under ipv6/conf of an interface that comes up as it does outside of labs."""

PING = "ping -n -i 0.2"
TRACEROUTE = "traceroute -n -q 1 -N 1"
CURL = "curl --silent --show-error --output /dev/null"


def fixture(recipe: Recipe) -> Recipe:
    """Enter a recipe into the list."""
    RECIPES[recipe.__name__.replace("_", "-")] = recipe
    return recipe


# ---------------------------------------------------------------------- addresses


@fixture
def arping(studio: Studio) -> None:
    """ARP: requests to all and to one, replies, a probe for a duplicate, a gratuitous request and reply."""
    a, b = studio.pair()
    with studio.tap(b, "arp"):
        studio.run(a, f"arping -c 2 -I eth0 {b.address()}")
        studio.run(a, f"arping -D -c 1 -I eth0 {b.address()}", codes=(0, 1))
        studio.run(a, f"arping -U -c 1 -I eth0 {a.address()}", codes=(0, 1))
        studio.run(a, f"arping -A -c 1 -I eth0 {a.address()}", codes=(0, 1))


@fixture
def ipv6_host_up(studio: Studio) -> None:
    """An IPv6 host comes up: MLD, duplicate address detection, router solicitation and advertisement."""
    host, router = studio.lab.host("host"), studio.lab.router("router")
    studio.lab.link(host, router, offload=False, addresses=([], ["2001:db8:1::1/64"]))
    studio.serve(
        router,
        "dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --user=root --group=root"
        " --dhcp-range=2001:db8:1::,ra-only --enable-ra --interface=eth0 --dhcp-leasefile=/dev/null",
        ready="router advertisement on",
    )
    own_reports = f"ip6 proto 0 and ether src {router.mac()}"
    with studio.tap(router, f"ip6 and not ({own_reports})", quiet=3.0):
        host.set_sysctls({"ipv6/conf/eth0/disable_ipv6": 1})
        host.set_sysctls({f"ipv6/conf/eth0/{name}": value for name, value in UP.items()})


# ---------------------------------------------------------------------- echo


@fixture
def ping(studio: Studio) -> None:
    """IPv4 echo, and the ARP before it."""
    a, b = studio.pair()
    with studio.tap(b, "arp or icmp"):
        studio.run(a, f"{PING} -c 3 {b.address()}")


@fixture
def ping6(studio: Studio) -> None:
    """IPv6 echo, with a traffic class and a flow label, and the neighbour discovery before it."""
    a, b = studio.pair()
    with studio.tap(b, NO_MLD):
        studio.run(a, f"{PING} -c 3 -Q 0xb8 -F 0x12345 {b.address(6)}")


@fixture
def ping_fragmented(studio: Studio) -> None:
    """IPv4 echo too large for the MTU, in three fragments each way."""
    a, b = studio.pair()
    with studio.tap(b, "icmp"):
        studio.run(a, f"{PING} -c 2 -s 3000 {b.address()}")


@fixture
def ping6_fragmented(studio: Studio) -> None:
    """IPv6 echo too large for the MTU, in three fragments each way, each with a fragment header."""
    a, b = studio.pair()
    with studio.tap(b, f"{NO_MLD} and ip6 proto 44"):
        studio.run(a, f"{PING} -c 2 -s 3000 {b.address(6)}")


@fixture
def ip_options(studio: Studio) -> None:
    """IPv4 options, filled in on the way: record route, timestamps with and without addresses, source route."""
    a, r1, r2, b = studio.path()
    for node in (a, r1, r2, b):
        node.set_sysctls({"ipv4/conf/all/accept_source_route": 1, "ipv4/conf/eth0/accept_source_route": 1})
    with studio.tap(a, "icmp"):
        studio.run(a, f"{PING} -c 1 -R {b.address()}")
        studio.run(a, f"{PING} -c 1 -T tsonly {b.address()}")
        studio.run(a, f"{PING} -c 1 -T tsandaddr {b.address()}")
        studio.run(a, f"{TRACEROUTE} -I -m 3 -g {r1.address()} -g {r2.address()} {b.address()}")


# ---------------------------------------------------------------------- errors


@fixture
def traceroute(studio: Studio) -> None:
    """UDP traceroute over two IPv4 routers: time exceeded and port unreachable, with what they quote."""
    a, _, _, b = studio.path()
    with studio.tap(a, "icmp or udp"):
        studio.run(a, f"{TRACEROUTE} {b.address()}")


@fixture
def traceroute_icmp(studio: Studio) -> None:
    """ICMP traceroute over two IPv4 routers: time exceeded, which quotes an echo request."""
    a, _, _, b = studio.path()
    with studio.tap(a, "icmp"):
        studio.run(a, f"{TRACEROUTE} -I {b.address()}")


@fixture
def traceroute_tcp(studio: Studio) -> None:
    """TCP traceroute over two IPv4 routers: time exceeded, which quotes a SYN with options, then a reset."""
    a, _, _, b = studio.path()
    with studio.tap(a, "icmp or tcp"):
        studio.run(a, f"{TRACEROUTE} -T -O info,mss=1400 {b.address()}")


@fixture
def traceroute6(studio: Studio) -> None:
    """UDP traceroute over two IPv6 routers: time exceeded and port unreachable, with what they quote."""
    a, _, _, b = studio.path()
    with studio.tap(a, NO_MLD):
        studio.run(a, f"{TRACEROUTE} -6 {b.address(6)}")


@fixture
def path_mtu(studio: Studio) -> None:
    """IPv4 path MTU: fragmentation needed, with the next hop's MTU; then echo in fragments."""
    a, _, _, b = studio.path(mtu=1400)
    with studio.tap(a, "icmp"):
        studio.run(a, f"{PING} -c 1 -W 1 -M do -s 1472 {b.address()}", codes=(1,))
        studio.run(a, f"{PING} -c 1 -M want -s 1472 {b.address()}")


@fixture
def path_mtu6(studio: Studio) -> None:
    """IPv6 path MTU: packet too big; then echo in fragments, where the first reply meets the same limit."""
    a, _, _, b = studio.path(mtu=1400)
    with studio.tap(a, NO_MLD):
        studio.run(a, f"{PING} -c 1 -W 1 -s 1452 {b.address(6)}", codes=(1,))
        studio.run(a, f"{PING} -c 2 -M want -s 1452 {b.address(6)}")


@fixture
def redirect(studio: Studio) -> None:
    """IPv4 redirect: the router tells that the destination is on the same link, and forwards all the same."""
    a, b, router, switch = *studio.lab.hosts("a", "b"), studio.lab.router("r"), studio.lab.switch("s")
    for node, addresses in (
        (a, ["10.0.1.1/24"]),
        (b, ["10.0.9.1/24"]),
        (router, ["10.0.1.2/24", "10.0.9.2/24"]),
    ):
        studio.lab.link(node, switch, offload=False, addresses=(addresses, []))
    with studio.tap(a, "icmp"):
        studio.run(a, f"{PING} -c 2 {b.address()}")


@fixture
def closed_ports(studio: Studio) -> None:
    """UDP and TCP to closed ports, over IPv4 and IPv6: port unreachable and reset."""
    a, b = studio.pair()
    with studio.tap(b, "icmp or udp or tcp or (icmp6 and ip6[40] < 128)"):
        for version in (4, 6):
            address = b.address(version)
            studio.run(a, f"dig +tries=1 +time=1 -p 9 @{address} closed.test", codes=(9,))
            host = f"[{address}]" if version == 6 else address
            studio.run(a, f"{CURL} http://{host}:9/", codes=(7,))


# ---------------------------------------------------------------------- applications


@fixture
def dig(studio: Studio) -> None:
    """DNS over UDP and over TCP, IPv4 and IPv6."""
    a, b = studio.pair()
    studio.serve(
        b,
        "dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --user=root --group=root"
        " --host-record=www.rawkit.test,192.0.2.80,2001:db8::80",
        ready="started",
    )
    with studio.tap(b, "port 53"):
        studio.run(a, f"dig @{b.address()} www.rawkit.test A")
        studio.run(a, f"dig @{b.address(6)} www.rawkit.test AAAA")
        studio.run(a, f"dig +tcp @{b.address()} www.rawkit.test A")


def _serve_http(studio: Studio, host: Host, size: int) -> None:
    """A server of one page of so many bytes, on port 80."""
    directory = studio.folder()
    (directory / "index.html").write_bytes(bytes(range(65, 91)) * (size // 26))
    studio.serve(host, "python3 -u -m http.server --bind :: 80", ready="Serving HTTP", directory=directory)


@fixture
def curl(studio: Studio) -> None:
    """HTTP over IPv4: a TCP connection from handshake to FIN, with options."""
    a, b = studio.pair()
    _serve_http(studio, b, 8000)
    with studio.tap(b, "arp or tcp"):
        studio.run(a, f"{CURL} http://{b.address()}/")


@fixture
def curl6_ecn(studio: Studio) -> None:
    """HTTP over IPv6, with ECN agreed on: ECE and CWR in the handshake, ECT in the IPv6 header."""
    a, b = studio.pair()
    _serve_http(studio, b, 2000)
    for host in (a, b):
        host.set_sysctls({"ipv4/tcp_ecn": 1})
    with studio.tap(b, "tcp"):
        studio.run(a, f"{CURL} http://[{b.address(6)}]/")


@fixture
def curl_loss(studio: Studio) -> None:
    """HTTP over IPv4 while every fifth segment is lost behind the tap: selective and duplicate acknowledgments."""
    a, b = studio.pair()
    _serve_http(studio, b, 20000)
    for command in (
        "nft add table ip lossy",
        "nft add chain ip lossy input '{ type filter hook input priority 0; }'",
        "nft add rule ip lossy input tcp sport 80 numgen inc mod 5 4 drop",
    ):
        studio.run(a, command)
    with studio.tap(a, "tcp", quiet=2.0):
        studio.run(a, f"{CURL} http://{b.address()}/")


@fixture
def curl_offload(studio: Studio) -> None:
    """HTTP over IPv4 as a capture on the sender shows it: checksums unfinished, segments larger than the MTU."""
    a, b = studio.pair(offload=True)
    _serve_http(studio, b, 8000)
    with studio.tap(b, "tcp"):
        studio.run(a, f"{CURL} http://{b.address()}/")


# ---------------------------------------------------------------------- packets that programs make by hand


@fixture
def mausezahn_vlan(studio: Studio) -> None:
    """Frames with one VLAN tag and with two, each with a priority; their receiver has no such VLAN."""
    a, b = studio.pair()
    ends = f"-a {a.mac()} -b {b.mac()} -A {a.address()} -B {b.address()}"
    with studio.tap(b, "vlan"):
        studio.run(a, f"mausezahn eth0 -c 1 -Q 5:100 {ends} -t udp 'sp=1025,dp=7' -P tagged")
        studio.run(
            a, f"mausezahn eth0 -c 1 -Q 3:200,6:42 {ends} -t tcp 'sp=1026,dp=80,flags=syn' -P 'tagged twice'"
        )
        studio.run(a, f"mausezahn eth0 -c 1 -Q 0:4094 {ends} -t icmp 'ping,id=7,seq=1'")


@fixture
def nmap_os_detection(studio: Studio) -> None:
    """The odd probes of nmap's OS detection: unusual TCP flags and options, ICMP codes; and Linux's answers."""
    a, b = studio.pair()
    _serve_http(studio, b, 26)
    with studio.tap(b, "ip"):
        studio.run(a, f"nmap -n -Pn -O --max-os-tries 1 --max-retries 0 -p 80,81 {b.address()}")
