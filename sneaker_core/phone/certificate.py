"""The certificate for HTTPS that SoleScope makes for itself, because browsers allow the camera over HTTPS only."""

import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

from sneaker_core.errors import SpaceError
from sneaker_core.workspace.atomic_files import write_atomically

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

# Browsers refuse certificates that are valid for longer than 398 days.
_VALID = timedelta(days=365)
# One that would expire soon is replaced at the next start, not while somebody uses it.
_RENEWED_BEFORE = timedelta(days=7)
# For phones whose clock is slow.
_CLOCK_ERROR = timedelta(days=1)


def ensure_certificate(file: Path, address: str, now: datetime | None = None) -> Path:
    """Make a certificate for an address, unless the one in a file still serves.

    Parameters
    ----------
    file : Path
        Holds the certificate and its key; only its owner can read it.
    address : str
        IPv4 address.
    now : datetime, optional
        With a time zone; by default the present.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SpaceError
        It can't be written.
    """
    now = now or datetime.now(UTC)
    if not _serves(file, address, now):
        try:
            write_atomically(file, _new_certificate(address, now), is_change=False, mode=0o600)
        except OSError as error:
            raise SpaceError(f"Can't write the certificate {file}: {error.strerror or error}.") from error
    with contextlib.suppress(OSError):  # others must not read the key, whoever copied the file
        file.chmod(0o600)
    return file


def _serves(file: Path, address: str, now: datetime) -> bool:
    """Whether a file holds a key and a certificate for the address that doesn't expire soon."""
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file)  # the key belongs to the certificate
    except (OSError, ValueError, x509.ExtensionNotFound):  # ssl.SSLError is an OSError
        return False
    is_valid = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - _RENEWED_BEFORE
    return is_valid and IPv4Address(address) in names.get_values_for_type(x509.IPAddress)


def _new_certificate(address: str, now: datetime) -> bytes:
    """A new key and its certificate, as PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return _signed(key, address, now).public_bytes(encoding) + secret


def _signed(key: "EllipticCurvePrivateKey", address: str, now: datetime) -> "Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"SoleScope at {address}")])
    public = key.public_key()
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_ERROR)
        .not_valid_after(now - _CLOCK_ERROR + _VALID)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(address))]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        # It vouches for this server alone: whoever gets the key can't make certificates for other sites with it.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(issuer, critical=False)
        .sign(key, hashes.SHA256())
    )
