#!/usr/bin/python3
"""Writes the certificates that Mozilla trusts for TLS servers, from its certdata.txt, as one PEM bundle.

usage: certdata.py CERTDATA > BUNDLE

certdata.txt is a list of PKCS #11 objects separated by empty lines, one attribute a line: NAME TYPE VALUE, where a
MULTILINE_OCTAL value follows as octal escapes up to a line END. Certificates (CKO_CERTIFICATE) carry the DER bytes;
separate trust objects (CKO_NSS_TRUST), found by issuer and serial number, say what a certificate may vouch for.
"""
import base64
import re
import sys


def objects(lines):
    current = {}
    lines = iter(lines)
    for line in lines:
        if line.startswith("BEGINDATA"):
            break
    for line in lines:
        line = line.rstrip("\n")
        if line.startswith("#"):
            continue
        if not line.strip():
            if current:
                yield current
            current = {}
            continue
        name, kind, *rest = line.split(" ", 2)
        if kind == "MULTILINE_OCTAL":
            value = bytearray()
            for octal in lines:
                if octal.strip() == "END":
                    break
                value += bytes(int(digits, 8) for digits in re.findall(r"\\([0-7]{3})", octal))
            current[name] = bytes(value)
        else:
            current[name] = rest[0] if rest else ""
    if current:
        yield current


def main():
    with open(sys.argv[1], encoding="utf-8") as source:
        everything = list(objects(source))
    trusted = {
        (o["CKA_ISSUER"], o["CKA_SERIAL_NUMBER"])
        for o in everything
        if o.get("CKA_CLASS") == "CKO_NSS_TRUST" and o.get("CKA_TRUST_SERVER_AUTH") == "CKT_NSS_TRUSTED_DELEGATOR"
    }
    bundle = {}
    for o in everything:
        if o.get("CKA_CLASS") == "CKO_CERTIFICATE" and (o["CKA_ISSUER"], o["CKA_SERIAL_NUMBER"]) in trusted:
            bundle[o["CKA_LABEL"].strip('"'), o["CKA_VALUE"]] = o["CKA_VALUE"]
    if len(bundle) < 50:
        sys.exit(f"{sys.argv[1]} has only {len(bundle)} trusted certificates")
    for (label, _), der in sorted(bundle.items()):
        label = label.encode().decode("unicode_escape").encode("latin-1").decode("utf-8")
        text = base64.b64encode(der).decode()
        rows = "\n".join(text[i : i + 64] for i in range(0, len(text), 64))
        sys.stdout.buffer.write(f"# {label}\n-----BEGIN CERTIFICATE-----\n{rows}\n-----END CERTIFICATE-----\n".encode())


main()
