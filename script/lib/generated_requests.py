"""Throws generated requests at a running server, made from its own OpenAPI description, as nobody and as people of several roles.

Starts the program on a fictional place of its own, signs everybody in, and runs schemathesis once for each role. What must not happen: a 5xx, a
status or a content type the description does not name, an answer of another shape, a request against the description that is accepted.
The same seed makes the same requests. Called by script/schemathesis.
"""

import argparse
import collections
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

HERE = pathlib.Path(__file__).parent
PASSWORD = "schemathesis only"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection,unsupported_method"
NOBODY = "nobody"
ROLES = [NOBODY, "dispatcher", "handler", "grid", "clerk", "verifier", "supervisor", "liaison", "planner", "personnel", "system", "security", "audit"]
# What script/test runs: the three whose rights differ most.
QUICK = [NOBODY, "dispatcher", "system"]
# Left out: a stream without end; for those signed in, what would end the session they run in.
ENDLESS = "^/api/v1/events$"
OWN_SESSION = r"^/api/v1/session$|^/api/v1/sessions/\{id\}$"

SETTINGS = """
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
database = "{database}"
blobs = "{folder}/blobs"
key_file = "{folder}/wangge.key"
pack = "zhoushan"
log = "error"
[limits]
logins_per_ten_minutes = 100000
portal_per_minute = 1000000
open311_per_minute = 1000000
tiles_per_minute = 1000000
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """The program on a place of its own."""

    def __init__(self, program, folder, database):
        self.folder, self.port = folder, free_port()
        database = database or f"sqlite:{folder}/wangge.db"
        made = [program, "demo", "--data", folder, "--database", database, "--only-data", "--cases", "25", "--password", PASSWORD]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        settings = pathlib.Path(folder) / "wangge.toml"
        settings.write_text(SETTINGS.format(port=self.port, folder=folder, database=database))
        self.log = pathlib.Path(folder) / "server.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([program, "serve", "--config", settings], stdout=log, stderr=log)
        self.wait()

    def wait(self):
        for _ in range(600):
            self.running()
            try:
                if self.ask("GET", "/health")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        sys.exit("the server did not answer")

    def running(self):
        if self.process.poll() is not None:
            sys.exit(f"the server ended: {self.log.read_text()[-3000:]}")

    def ask(self, method, path, body=None, cookie=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"content-type": "application/json", "x-wangge-client": "desk"}
        if cookie:
            headers["cookie"] = cookie
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        said = answer.read()
        return answer.status, answer.getheader("set-cookie"), said

    def sign_in(self, login):
        status, cookie, _ = self.ask("POST", "/api/v1/session", {"login": login, "password": PASSWORD})
        if status != 200:
            sys.exit(f"{login} could not sign in: {status}")
        return cookie.split(";")[0]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def pool(server, sessions):
    """What is in the place, for hooks to put into requests: ids by path, values by field."""

    def get(login, path):
        status, _, said = server.ask("GET", f"/api/v1/{path}", cookie=sessions[login])
        if status != 200:
            sys.exit(f"{login} could not read {path}: {status}")
        return json.loads(said)

    def ids(login, path, most=12):
        return [one["id"] for one in get(login, path)["items"]][:most]

    cases = ids("dispatcher", "cases?queue=all&limit=25", 25)
    shown = [get("dispatcher", f"cases/{one}") for one in cases[:12]]
    areas, units, workers = ids("planner", "areas"), ids("personnel", "units"), ids("personnel", "workers")
    # The accounts of this run must stay able to work.
    accounts = [one["id"] for one in get("security", "accounts?limit=200")["items"] if one["login"] not in sessions][:12]
    actions = sorted({one if isinstance(one, str) else one["key"] for case in shown for one in case.get("actions", [])})
    actions += ["comment", "take", "assign", "return", "handle", "answer", "verify", "close", "supervise", "merge", "split", "reclassify"]
    codes = [one["category"]["code"] for one in shown if one.get("category")]
    fresh = [str(uuid.UUID(int=(0x0190 << 112) | (7 << 76) | (2 << 62) | n)) for n in range(1, 60)]
    dates = ["2026-03-01", "2026-03-01T09:00:00+08:00", "2027-01-01"]
    return {
        "of_path": {
            "cases/": {"id": cases, "action": actions},
            "areas/": {"id": areas},
            "units/": {"id": units},
            "workers/": {"id": workers},
            "teams/": {"id": ids("personnel", "teams")},
            "accounts/": {"id": accounts},
            "orders/": {"id": ids("dispatcher", "orders")},
            "jobs/": {"id": ids("system", "jobs")},
            "outbox/": {"id": ids("dispatcher", "outbox")},
            "portal/follow/": {"number": [case["number"] for case in shown]},
            "portal/mailbox/": {"area_id": areas},
        },
        "of_field": {
            "id": fresh, "area_id": areas, "area": areas, "unit_id": units, "unit": units, "worker_id": workers, "worker": workers,
            "parent_id": areas, "category_code": codes, "category": codes, "from": dates, "to": dates, "valid_from": dates, "valid_to": dates,
            "channel": ["phone", "window", "visit"], "format": ["csv", "xlsx"], "reason": ["月度汇总上报"], "queue": ["all", "dispatch", "mine"],
            "row_version": list(range(1, 9)), "limit": [1, 5], "relation": ["upper", "lower"],
        },
    }  # fmt: skip


def run(args, server, role, cookie, answered):
    """One role; the words of schemathesis when something was wrong."""
    exclude = f"{ENDLESS}|{OWN_SESSION}" if cookie else ENDLESS
    command = [
        args.tool, "run", f"http://127.0.0.1:{server.port}/api/v1/openapi.json", "--checks", CHECKS, "--seed", str(args.seed),
        "--max-examples", str(args.examples), "--workers", "2", "--phases", "fuzzing" if args.quick else "coverage,fuzzing",
        "--exclude-path-regex", exclude, "--header", "x-wangge-client: desk", "--header", "accept-language: en",
        "--suppress-health-check", "all", "--request-timeout", "30", "--warnings", "off", "--continue-on-failure",
        "--generation-database", "none",
    ]  # fmt: skip
    if args.quick:
        command.append("--no-shrink")
    if cookie:
        command += ["--header", f"Cookie: {cookie}"]
    hooks = {"SCHEMATHESIS_HOOKS": "generated_requests_hooks", "PYTHONPATH": str(HERE), "WANGGE_POOL": f"{server.folder}/pool.json", "WANGGE_ANSWERED": str(answered)}
    done = subprocess.run(command, cwd=server.folder, capture_output=True, text=True, env={**os.environ, **hooks})
    server.running()
    if cookie and server.ask("GET", "/api/v1/session", cookie=cookie)[0] != 200:
        return f"the session of {role} ended in its own run: what came after says nothing"
    return f"{done.stdout}\n{done.stderr[-2000:]}" if done.returncode else ""


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("program", help="the built wangge")
    ask.add_argument("tool", help="the schemathesis command")
    ask.add_argument("--quick", action="store_true", help="three roles, few requests: what script/test runs")
    ask.add_argument("--examples", type=int, help="requests for each operation and role (default 40, quick 3)")
    ask.add_argument("--seed", type=int, default=20260214)
    ask.add_argument("--role", action="append", help="only this role; 'nobody' for none")
    ask.add_argument("--database", help="an empty PostgreSQL database instead of an SQLite file")
    args = ask.parse_args()
    args.examples = args.examples or (3 if args.quick else 40)
    roles = args.role or (QUICK if args.quick else ROLES)
    failed = []
    with tempfile.TemporaryDirectory(prefix="wangge-schemathesis-") as folder:
        server = Server(args.program, folder, args.database)
        try:
            # Everybody before anything: a role may well stop the accounts of others.
            sessions = {role: server.sign_in(role) for role in ROLES if role != NOBODY}
            (pathlib.Path(folder) / "pool.json").write_text(json.dumps(pool(server, sessions)))
            answered = pathlib.Path(folder) / "answered"
            for role in roles:
                begin = time.monotonic()
                wrong = run(args, server, role, sessions.get(role), answered)
                print(f"-- as {role}: {'wrong' if wrong else 'well'} ({time.monotonic() - begin:.0f}s)", flush=True)
                if wrong:
                    failed.append(role)
                    print(wrong, flush=True)
        finally:
            server.stop()
        statuses = collections.defaultdict(set)
        for line in answered.read_text().splitlines():
            method, path, status = line.rsplit(" ", 1)[0].split(" ", 1) + [line.rsplit(" ", 1)[1]]
            statuses[f"{method} {path}"].add(status)
        asked = [one for one in statuses.values() if one != {"405"}]
        served = sum(any(status.startswith("2") for status in one) for one in asked)
        print(f"-- {len(asked)} operations asked, {served} of them served at least once")
        said = [line for line in server.log.read_text().splitlines() if "ERROR" in line]
        if said:
            failed.append("the server's log")
            print("what the server said:", *said[-20:], sep="\n")
    if failed:
        again = "".join(f" --role {role}" for role in failed if role in ROLES)
        sys.exit(f"failed as: {', '.join(failed)} (again: script/schemathesis --seed {args.seed}{again})")


main()
