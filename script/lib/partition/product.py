"""A whole city in the product: `product.py PROGRAM [--units N] [--database URL] [--json FILE]`.

What a planner does over HTTP with the city of `town.py`, each step timed: bring the dwellings in, draw the city, dry run, adopt, a year
later bring in what changed, redraw, dry run, adopt, take back. Meanwhile somebody else writes again and again: how long they wait is told
beside each step (`waits`), and at the end the most memory of the server."""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid

import pandas as pd
from town import made_up, year_later

BAND = (300, 500)
CITY = "4205"
PACK = os.path.normpath(f"{os.path.dirname(__file__)}/../../../packs/yichang")
HOUR = 3_600
# Where the city lies, and a degree in metres there.
ORIGIN, METRES = (111.2, 30.6), (95_700.0, 111_000.0)


class Person:
    """Somebody signed in."""

    def __init__(self, base, login, password):
        self.base, self.cookie = base, ""
        me, _ = self.ask("POST", "/session", {"login": login, "password": password})
        if me["must_change_password"]:
            self.ask("POST", "/session/password", {"old": password, "new": password + "-own"})

    def ask(self, method, path, body=None):
        """The answer, and how many seconds it took."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", "x-wangge-client": "desk", "cookie": self.cookie}
        request = urllib.request.Request(f"{self.base}/api/v1{path}", sent, headers, method=method)
        begin = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=HOUR) as answer:
                text, cookie = answer.read(), answer.headers.get("set-cookie")
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.code} {error.read().decode()[:500]}")
        if cookie:
            self.cookie = cookie.split(";")[0]
        return (json.loads(text) if text else None), time.perf_counter() - begin


class Other(threading.Thread):
    """Somebody else who takes reports all the time: their waits, in milliseconds."""

    def __init__(self, clerk, area):
        super().__init__(daemon=True)
        self.clerk, self.area, self.waits, self.over = clerk, area, [], threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            report = {"id": str(uuid.uuid4()), "channel": "phone", "body": "楼下路灯不亮，晚上看不清路", "area_id": self.area}
            _, seconds = self.clerk.ask("POST", "/cases", report)
            self.waits.append(seconds * 1000)


def place(folder, nodes, edges):
    """The tables a planner brings in, and the areas they name."""
    lon, lat = ORIGIN[0] + nodes["x"] / METRES[0], ORIGIN[1] + nodes["y"] / METRES[1]
    regions = {region: f"{CITY}01{1 + number // 90:03}{1 + number % 90:03}" for number, region in enumerate(sorted(nodes["region"].unique()))}
    known = pd.DataFrame({"id": nodes["id"].map("B{:07}".format), "lon": lon.round(7), "lat": lat.round(7), "region": nodes["region"].map(regions),
                          "households": nodes["households"], "pop": nodes["households"] * 2, "area": nodes["area"]})
    known.to_csv(f"{folder}/nodes.csv", index=False)
    names = lambda ends: ends.map("B{:07}".format)
    edges.assign(u=names(edges["u"]), v=names(edges["v"])).to_csv(f"{folder}/edges.csv", index=False)
    codes = sorted(regions.values())
    above = sorted({code[:length] for code in codes for length in (4, 6, 9)})
    areas = [(code, f"地方{code}") for code in above] + [(code, f"社区{code}") for code in codes]
    pd.DataFrame(areas, columns=["code", "name"]).to_csv(f"{folder}/areas.csv", index=False)
    return codes


class City:
    def __init__(self, program, folder, database):
        self.program, self.folder, self.server = program, folder, None
        self.settings = dict(os.environ, WANGGE_PACK=PACK, WANGGE_LISTEN="127.0.0.1:0", WANGGE_DATABASE=database or f"sqlite:{folder}/city.db",
                             WANGGE_BLOBS=f"{folder}/blobs", WANGGE_KEY_FILE=f"{folder}/key", WANGGE_LOG="warn")
        self.told, self.kind = [], "postgresql" if database else "sqlite"

    def command(self, step, *arguments):
        begin = time.perf_counter()
        subprocess.run([self.program, *arguments], env=self.settings, check=True, stdout=subprocess.DEVNULL)
        self.tell(step, time.perf_counter() - begin)

    def tell(self, step, seconds, **more):
        figures = {"step": step, "seconds": round(seconds, 2), **more}
        self.told.append(figures)
        print("  ".join(str(value) if key == "step" else f"{key} {value}" for key, value in figures.items()), flush=True)

    def start(self):
        self.server = subprocess.Popen([self.program, "serve"], env=self.settings, stdout=subprocess.PIPE, text=True)
        password = address = None
        for line in self.server.stdout:
            password = password or (re.search(r"one-time password.*: (\S+)", line) or [None, None])[1]
            address = (re.search(r"http://(127\.0\.0\.1:\d+)", line) or [None, None])[1]
            if address:
                break
        threading.Thread(target=self.server.stdout.read, daemon=True).start()
        self.base = f"http://{address}"
        return password

    def memory(self):
        with open(f"/proc/{self.server.pid}/status") as status:
            return round(int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) / 1024)

    def watched(self, step, act, **more):
        """Does a step while somebody else writes."""
        other = Other(self.clerk, self.community)
        other.start()
        begin = time.perf_counter()
        act()
        seconds = time.perf_counter() - begin
        other.over.set()
        other.join()
        waits = sorted(other.waits)
        self.tell(step, seconds, waits_ms={"middle": round(waits[len(waits) // 2]), "most": round(waits[-1])} if waits else None, **more)


def until(look, done):
    while True:
        found, _ = look()
        if done(found):
            return found
        time.sleep(0.05)


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("program")
    asked.add_argument("--units", type=int, default=500_000, help="buildings of the city")
    asked.add_argument("--database", help="an empty PostgreSQL database; else an SQLite file")
    asked.add_argument("--json", help="a file; the name of the database is put before its end")
    args = asked.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("WANGGE_BENCH_DATA")) as folder:
        city = City(args.program, folder, args.database)
        try:
            whole(city, args)
        finally:
            if city.server:
                city.server.send_signal(signal.SIGTERM)
                city.server.wait()
    if args.json:
        path, end = os.path.splitext(args.json)
        with open(f"{path}-{city.kind}{end}", "w") as file:
            json.dump(city.told, file, indent=1)


def whole(city, args):
    nodes, edges = made_up(args.units, seed=3)
    codes = place(city.folder, nodes, edges)
    print(f"{city.kind}: {len(nodes)} buildings, {nodes['households'].sum()} households, {len(codes)} communities")
    city.command("areas", "import", "areas", f"{city.folder}/areas.csv")
    tables = ("--nodes", f"{city.folder}/nodes.csv", "--edges", f"{city.folder}/edges.csv", "--datum", "wgs84")
    city.command("dwellings, looked at", "import", "dwellings", *tables, "--dry-run")
    city.command("dwellings, brought in", "import", "dwellings", *tables)
    one_time = city.start()
    admin = Person(city.base, "admin", one_time)
    people = {}
    for role in ("system_admin", "planner", "clerk"):
        made, _ = admin.ask("POST", "/accounts", {"id": str(uuid.uuid4()), "login": role, "name": role, "grants": [{"role": role}]})
        people[role] = Person(city.base, role, made["one_time_password"])
    system, planner = people["system_admin"], people["planner"]
    city.clerk = people["clerk"]
    area = next(one for one in system.ask("GET", "/areas?level=city")[0]["items"] if one["code"] == CITY)["id"]
    city.community = next(one for one in system.ask("GET", "/areas?level=community&limit=1")[0]["items"])["id"]
    system.ask("POST", "/units", {"id": str(uuid.uuid4()), "code": "C", "name": "市网格中心", "kind": "centre", "body": "centre", "area_id": area})
    first = drawn(city, planner, area, "draw")
    adopted(city, planner, first)
    later = year_later(nodes, sum(BAND) // 2, seed=1)
    place(city.folder, later, edges)
    files = {"datum": "wgs84"}
    for name in ("nodes", "edges"):
        with open(f"{city.folder}/{name}.csv") as table:
            files[name] = table.read()
    city.watched("a year later, looked at over HTTP", lambda: planner.ask("POST", "/dwellings/import?dry_run=true", files))
    city.watched("a year later, brought in over HTTP", lambda: planner.ask("POST", "/dwellings/import", files))
    second = drawn(city, planner, area, "redraw")
    adoption = adopted(city, planner, second)
    _, seconds = planner.ask("POST", f"/adoptions/{adoption}/undo", {"dry": True})
    city.tell("taking back, dry", seconds)

    def back():
        planner.ask("POST", f"/adoptions/{adoption}/undo", {"dry": False})
        until(lambda: planner.ask("GET", f"/adoptions/{adoption}?limit=1"), lambda one: one["state"] == "undone")

    city.watched("taken back", back)
    city.tell("the server's memory at most", 0, mb=city.memory())


def drawn(city, planner, area, how):
    band = [{"measure": "households", "lo": BAND[0], "hi": BAND[1]}]
    wish = {"name": f"全市{how}", "area_id": area, "origin": how, "options": {"urban": band, "rural": band}}
    kept = {}

    def act():
        kept["plan"], _ = planner.ask("POST", "/plans", wish)
        kept["plan"] = until(lambda: planner.ask("GET", f"/plans/{kept['plan']['id']}"), lambda one: one["phase"] not in ("waiting", "drawing"))

    city.watched(f"{how} the city", act)
    plan = kept["plan"]
    print("   ", {key: plan[key] for key in ("phase", "fault", "figures", "proof") if key in plan})
    _, seconds = planner.ask("GET", f"/plans/{plan['id']}")
    city.tell("the plan's page", seconds)
    return plan["id"]


def adopted(city, planner, plan):
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * HOUR))
    kept = {}

    def dry():
        kept["effect"], _ = planner.ask("POST", f"/plans/{plan}/adoption", {"day": today, "dry": True, "out_of_band": True})

    city.watched("dry run", dry)
    print("   ", kept["effect"]["counts"], kept["effect"]["blocks"])
    id = str(uuid.uuid4())

    def act():
        planner.ask("POST", f"/plans/{plan}/adoption", {"id": id, "day": today, "out_of_band": True})
        kept["end"] = until(lambda: planner.ask("GET", f"/adoptions/{id}?limit=1"), lambda one: one["state"] != "planned")

    city.watched("adopted", act)
    print("   ", kept["end"]["state"], kept["end"]["blocks"])
    return id


main()
