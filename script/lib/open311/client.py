"""`three` as published, against a server: what its users do. Usage: client.py URL KEY AREA"""

import itertools
import struct
import sys
import zlib
from datetime import date, timedelta
from xml.etree import ElementTree

# `three` 0.8.0 was written for Python 2: this is all it misses for JSON. Its own reading of XML is not used.
itertools.ifilter = filter

from three import Three  # noqa: E402


def png():
    """A photo of one pixel."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # noqa: E731
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\xff\xff\xff")) + chunk(b"IEND", b"")


def main(url, key, area):
    endpoint = f"{url}/open311/v2/"
    client = Three(endpoint, api_key=key)
    assert any(e["url"].rstrip("/") == endpoint.rstrip("/") or e["url"].endswith("/open311/v2") for e in client.discovery()["endpoints"])
    services = client.services()
    codes = [service["service_code"] for service in services]
    assert codes and len(set(codes)) == len(codes) and all(s["type"] in ("realtime", "batch", "blackbox") for s in services)
    asked = [s["service_code"] for s in services if s["metadata"] in (True, "true")]
    for code in asked[:1]:
        definition = client.services(code)
        assert definition["service_code"] == code and definition["attributes"]

    plain = next(code for code in codes if code not in asked)
    words = "`three` says: 路灯不亮 <b>&amp; “三天”"
    made = client.post(plain, address_id=area, name="Zach Williams", phone="555-5555", description=words, media=("lamp.png", png(), "image/png"))
    assert client.post_response.status_code == 200, made
    made = made[0]
    number = made.get("service_request_id") or client.token(made["token"])[0]["service_request_id"]
    seen = client.request(number)[0]
    assert seen["service_code"] == plain and seen["status"] == "open", seen
    assert words in seen["description"], seen["description"]
    assert not any(word in str(seen) for word in ("Zach", "555-5555")), "who said it is nobody's business"

    listed = client.requests(plain, count=1)
    assert len(listed) == 1 and listed[0]["service_code"] == plain
    day = date.today()
    for span in ({"between": [day - timedelta(days=60), day + timedelta(days=2)]}, {"start": (day - timedelta(days=60)).strftime("%m-%d-%Y")}):
        assert isinstance(client.requests(**span), list), client._request.text
    assert {r["status"] for r in client.requests(status="open")} <= {"open"}

    refused = Three(endpoint, api_key="nonsense")
    told = refused.post(plain, address_id=area, description=words)
    assert refused.post_response.status_code == 403 and told[0]["code"] == 403, told

    client.configure(format="xml")
    for path, root in (("services", "services"), ("requests", "service_requests"), ("discovery", "discovery")):
        assert ElementTree.fromstring(client.get(path, convert=False)).tag == root
    found = ElementTree.fromstring(client.get("requests", number, convert=False))
    assert found.findtext("request/description") == seen["description"]
    print(f"three 0.8.0: {len(codes)} services, {number} reported with a photo and read back, in JSON and XML")


main(*sys.argv[1:])
