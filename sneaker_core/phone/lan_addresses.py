"""The addresses of this computer at which a phone on the same network may reach it."""

import contextlib
import socket
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from sneaker_core.errors import SneakerError

# Any address on the internet, and one in each range of private networks. The system says from which of this computer's
# addresses it would reach them; nothing is sent.
_DESTINATIONS = ("192.0.2.1", "192.168.255.254", "10.255.255.254", "172.31.255.254")
# Homes and offices use these; the rest of the private ranges is mostly virtual machines, containers and VPNs.
_LIKELY = (IPv4Network("192.168.0.0/16"), IPv4Network("10.0.0.0/8"))


def lan_addresses() -> list[str]:
    """Addresses of this computer on local networks, the likeliest first; empty if there are none."""
    found = [address for destination in _DESTINATIONS if (address := _address_toward(destination))]
    with contextlib.suppress(OSError):
        found += [str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    return ranked(found)


def _address_toward(destination: str) -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((destination, 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def ranked(addresses: list[str]) -> list[str]:
    """Addresses at which a phone may reach this computer, the likeliest first and each once.

    Parameters
    ----------
    addresses : list of str
        IPv4 addresses, the one toward the internet first.

    Returns
    -------
    list of str
        Private ones before public ones, those that homes and offices use first; without loopback and link-local ones.
    """
    usable = dict.fromkeys(IPv4Address(address) for address in addresses)
    reachable = [one for one in usable if not (one.is_loopback or one.is_link_local or one.is_unspecified)]
    return [str(one) for one in sorted(reachable, key=lambda one: (not one.is_private, not _is_likely(one)))]


def _is_likely(address: IPv4Address) -> bool:
    return any(address in network for network in _LIKELY)


def checked_address(text: str | None) -> str:
    """The address to serve at: the given one, or else the likeliest.

    Raises
    ------
    SneakerError
        It isn't an IPv4 address, or this computer is in no network.
    """
    if text is None:
        found = lan_addresses()
        if not found:
            raise SneakerError(
                "This computer isn't on a local network. Connect it to the same Wi-Fi as the phone and try again, or "
                "name its address with --address."
            )
        return found[0]
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise SneakerError(f"{text[:80]!r} isn't an IPv4 address, such as 192.168.1.20.") from None
