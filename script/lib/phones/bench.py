"""What a phone takes along: the first bundle of a grid of 500 households, a contact with nothing new, and a hundred first bundles at once.

Usage: bench.py WANGGE [--homes N] [--json FILE]; WANGGE_TEST_POSTGRES names the server of the second run. The place is the demo's, on each database, the
clients are threads of this process on the same machine. Bars: the first bundle under 3 s and 1 MB (as sent), a contact with nothing new under 50 ms, a
hundred first bundles at once under 60 s in all.
"""

import argparse
import gzip
import http.client
import json
import os
import random
import re
import statistics
import subprocess
import tempfile
import threading
import time
import uuid

PASSWORD = "bench-only-throw-away"
GRID = "海晏第一网格"
AT_ONCE, CONTACTS = 100, 200
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"
RELATIONS = ("户主", "配偶", "子")


class Person:
    """Somebody signed in, over one connection."""

    def __init__(self, host, login=None, cookie=""):
        self.host, self.cookie = host, cookie
        self.line = http.client.HTTPConnection(host, timeout=120)
        if login:
            answer = self.send("POST", "/session", json.dumps({"login": login, "password": PASSWORD}))
            self.cookie = answer.getheader("set-cookie").split(";")[0]

    def send(self, method, path, body=None, kind="application/json"):
        headers = {"cookie": self.cookie, "content-type": kind, "x-wangge-client": "desk", "accept-encoding": "gzip"}
        self.line.request(method, "/api/v1" + path, body.encode() if body is not None else None, headers)
        answer = self.line.getresponse()
        self.bytes = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {self.bytes[:500]}")
        self.json = json.loads(gzip.decompress(self.bytes) if answer.getheader("content-encoding") == "gzip" else self.bytes or b"null")
        return answer

    def ask(self, method, path, body=None):
        self.send(method, path, None if body is None else json.dumps(body))
        return self.json

    def take_along(self, known=()):
        begun = time.perf_counter()
        self.ask("POST", "/sync/bundle", {"grids": list(known)})
        return (time.perf_counter() - begun) * 1000


def sheet(homes, grid):
    """Households of three, each with a phone."""
    chance = random.Random(20260214)
    lines = ["网格编码,楼栋,单元,房号,姓名,电话,与户主关系,入住日期"]
    for nth in range(homes * 3):
        at = nth // 3
        name = chance.choice(SURNAMES) + "".join(chance.choice(GIVEN) for _ in range(2))
        lines.append(f"{grid},{at // 40 + 1},{at % 2 + 1},{at // 2 % 20 + 1}0{at % 2 + 1},{name},13{chance.randrange(10**9):09d},{RELATIONS[nth % 3]},2020-01-01")
    return "\n".join(lines)


def known_of(said):
    return [{"area_id": one["area_id"], "ground": one["ground_digest"], "parts": [part["digest"] for part in one["parts"]]} for one in said["grids"]]


def started(wangge, folder, url):
    arguments = ["demo", "--listen", "127.0.0.1:0", "--cases", "0", "--at", "2026-03-04T10:00:00+08:00", "--password", PASSWORD, "--data", folder]
    child = subprocess.Popen([wangge, *arguments, "--database", url], stdout=subprocess.PIPE, text=True)
    for text in child.stdout:
        found = re.search(r"ready: http://([^/]+)/", text)
        if found:
            threading.Thread(target=child.stdout.read, daemon=True).start()
            return child, found[1]
    raise SystemExit("the server ended before it was ready")


def measure(host, homes):
    centre, worker = Person(host, "dispatcher"), Person(host, "grid")
    grid = next(one for one in centre.ask("GET", "/areas?level=grid&limit=200")["items"] if one["name"] == GRID)
    for first in range(0, homes, 1_000):
        text = sheet(homes, grid["code"]).split("\n")
        some = [text[0], *text[1 + first * 3 : 1 + (first + 1_000) * 3]]
        centre.send("POST", f"/imports/people?source=bench-{first}", "\n".join(some), "text/csv")
    first_ms = worker.take_along()
    first, size = worker.json, len(worker.bytes)
    told = sum(len(part["homes"]) for one in first["grids"] for part in one["parts"])
    assert told == homes, f"{told} of {homes} households"
    known = known_of(first)
    same = sorted(worker.take_along(known) for _ in range(CONTACTS))
    nothing = len(worker.bytes)
    centre.ask("POST", "/registry/households", {"id": str(uuid.uuid4()), "place": {"area_id": grid["id"], "building": "99", "room": "101"}})
    one_ms = worker.take_along(known)
    one = len(worker.bytes)
    phones = [Person(host, cookie=worker.cookie) for _ in range(AT_ONCE)]
    took = []
    threads = [threading.Thread(target=lambda phone=phone: took.append(phone.take_along())) for phone in phones]
    begun = time.perf_counter()
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return {
        "households": homes,
        "first_ms": round(first_ms, 1),
        "first_bytes": size,
        "nothing_new_p50_ms": round(statistics.median(same), 2),
        "nothing_new_p99_ms": round(same[len(same) * 99 // 100], 2),
        "nothing_new_bytes": nothing,
        "one_changed_ms": round(one_ms, 1),
        "one_changed_bytes": one,
        "hundred_first_s": round(time.perf_counter() - begun, 2),
        "answered": len(took),
    }


def main():
    wishes = argparse.ArgumentParser()
    wishes.add_argument("wangge")
    wishes.add_argument("--homes", type=int, default=500)
    wishes.add_argument("--json")
    wish = wishes.parse_args()
    server = os.environ.get("WANGGE_TEST_POSTGRES")
    result = {}
    for name in ("sqlite", "postgres"):
        if name == "postgres" and not server:
            continue
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:{folder}/bench.db" if name == "sqlite" else f"{server}{'&' if '?' in server else '?'}schema=phones_{os.getpid()}"
            child, host = started(os.path.abspath(wish.wangge), folder, url)
            try:
                result[name] = measure(host, wish.homes)
            finally:
                child.kill()
                child.wait()
            for work, figure in result[name].items():
                print(f"{name:<9} {work:<20} {figure}")
    if wish.json:
        with open(wish.json, "w") as out:
            json.dump(result, out, indent=1)


main()
