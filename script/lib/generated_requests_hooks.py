"""Puts what really is in the place into some of the generated requests, so that they reach further than "not found"; counts what each route
answered. The choice follows from the request itself: the same seed makes the same requests. Loaded by schemathesis (SCHEMATHESIS_HOOKS).
"""

import json
import os
import zlib

import schemathesis

POOL = json.load(open(os.environ["WANGGE_POOL"]))
ANSWERED = open(os.environ["WANGGE_ANSWERED"], "a", buffering=1)
# Of ten values, how many are taken from the place.
OF_TEN = 6


def drawn(seed, values):
    """One of the values, or None to leave what was generated."""
    mixed = zlib.crc32(seed.encode("utf-8", "backslashreplace"))
    return values[mixed // 10 % len(values)] if values and mixed % 10 < OF_TEN else None


def replace(fields, seed, known):
    for name in fields:
        values = known(name)
        one = drawn(f"{seed} {name}", values) if values else None
        if one is not None:
            fields[name] = one


@schemathesis.hook
def before_call(context, case, kwargs):
    # What was made wrong on purpose stays wrong.
    if not case.meta or case.meta.generation.mode != schemathesis.GenerationMode.POSITIVE:
        return
    seed = repr((case.method, case.path, dict(case.path_parameters or {}), dict(case.query or {}), case.body))
    # `case.path` is the pattern of the route.
    part = case.path.removeprefix("/api/v1/")
    own = {} if "{" not in part else POOL["of_path"].get(part[: part.index("{")], {})
    if case.path_parameters:
        replace(case.path_parameters, seed, lambda name: own.get(name))
    known = POOL["of_field"].get
    if case.query:
        replace(case.query, seed, known)
    if isinstance(case.body, dict):
        replace(case.body, seed, known)


@schemathesis.hook
def after_call(context, case, response):
    ANSWERED.write(f"{case.method} {case.path} {response.status_code}\n")
