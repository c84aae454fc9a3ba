"""Who may take part in a cluster: certificates for the grader, the scheduler and the workers."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

from ..records import GradingError
from ..results.files import write_whole

ROLES = ("grader", "scheduler", "worker")
AUTHORITY = "ca.pem"
INSECURE = "Graded on a cluster without TLS: whoever reached its scheduler could have written this result."


def make_certificates(folder: Path, days: int) -> list[Path]:
    """Make an authority and a certificate with its key for each role, valid for so many days.

    The authority's key is not kept: nobody can make more certificates for the cluster later.

    Raises:
        FileExistsError: the folder has some already.
        OSError: it cannot be written to.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    names = [AUTHORITY, *(f"{role}.pem" for role in ROLES)]
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise FileExistsError(f"{folder} has {there[0]} already")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("tlcourse cluster")
    purposes = x509.BasicConstraints(ca=True, path_length=0)
    authority = _certificate(name, name, key.public_key(), days).add_extension(purposes, critical=True)
    made = {AUTHORITY: _pem(authority, key)}
    for role in ROLES:
        own = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(_name(f"tlcourse {role}"), name, own.public_key(), days)
        certificate = certificate.add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        )
        made[f"{role}.pem"] = _pem(certificate, key) + _key_pem(own)
    return [write_whole(folder / name, content, 0o600) for name, content in made.items()]


def cluster_security(address: str, certificates: Path | None, insecure: bool):
    """What a client of `distributed` needs to connect; None for a cluster without TLS.

    Raises:
        GradingError: the address is not one of TLS, or a file is missing, and `insecure` does not allow it.
    """
    if insecure:
        return None
    if certificates is None or not address.startswith("tls://"):
        raise GradingError(
            f"--scheduler {address} without TLS is refused: whoever reaches such a scheduler could join a "
            "worker and write any grade. Run `tlcourse cluster-certs FOLDER`, start scheduler and workers "
            "with its files as it says, then use --scheduler tls://HOST:8786 --certs FOLDER. On a closed "
            "network, --insecure-cluster takes the risk, and marks every grade in the audit."
        )
    authority, own = certificates / AUTHORITY, certificates / "grader.pem"
    for path in (authority, own):
        if not os.access(path, os.R_OK):
            raise GradingError(
                f"{path} is missing or cannot be read. Expected the files that `tlcourse cluster-certs` "
                f"made: {AUTHORITY} and grader.pem here, on the scheduler's machine scheduler.pem, on "
                "the workers' worker.pem."
            )
    from distributed import Security

    return Security(
        require_encryption=True,
        tls_ca_file=str(authority),
        tls_client_cert=str(own),
        tls_client_key=str(own),
    )


def _name(text: str):
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject, issuer, key, days: int):
    from cryptography import x509

    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # clocks
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _pem(certificate, key) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization

    return certificate.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _key_pem(key) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
