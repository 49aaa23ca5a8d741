"""The grid designer beside METIS on the same graphs in the same run: `bench.py PROGRAM [--json FILE] [--units N]`.

Graphs are made up from a seed; with WANGGE_SHARED set, those of its `data/partition` are tried too. Times of the program are those of
the whole command with reading and writing; METIS is timed without either, each zone on its own with the number of grids that fits best."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd
import pymetis
from judge import Graph, grids_for, judged, moved
from town import made_up, year_later

REAL = {"town5k": (200, 300), "ham9k": (200, 300), "cookbg4k": (4400, 6600)}


# Run by a small process of its own: a child begins with the memory of whoever starts it, and this one holds whole towns.
RUN = """
import json, resource, subprocess, sys, time
begin = time.perf_counter()
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([status, time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


def run(command):
    """Seconds, processor seconds and megabytes of a command."""
    told = subprocess.run([sys.executable, "-I", "-S", "-c", RUN, *command], stdout=subprocess.PIPE, check=True).stdout
    status, seconds, cpu, megabytes = json.loads(told)
    if status:
        sys.exit(f"{' '.join(command)} ended with {status}")
    return {"seconds": round(seconds, 3), "cpu": round(cpu, 3), "mb": round(megabytes)}


def ours(program, folder, band, *more):
    """The program's plan, and what it took."""
    out = f"{folder}/plan.csv"
    command = [program, "plan", *more, f"{folder}/nodes.csv", f"{folder}/edges.csv", "--band", f"{band[0]}..{band[1]}", "--out", out]
    took = run(command)
    return pd.read_csv(out, dtype=str)["grid"].to_numpy(), took


def metis(graph, lo, hi):
    """METIS, each zone cut into connected parts."""
    begin = time.perf_counter()
    grid, first = np.zeros(graph.n, int), 0
    order = np.argsort(graph.zone, kind="stable")
    bounds = np.searchsorted(graph.zone[order], np.arange(graph.zone.max() + 2))
    u, v, w = (part[graph.open] for part in (graph.u, graph.v, np.round(graph.weight * 4).astype(int)))
    ends = np.concatenate([u, v])
    by = np.argsort(ends, kind="stable")
    ends, others, weights = ends[by], np.concatenate([v, u])[by], np.concatenate([w, w])[by]
    starts = np.searchsorted(ends, np.arange(graph.n + 1))
    local = np.empty(graph.n, int)
    for zone in range(len(bounds) - 1):
        units = order[bounds[zone]:bounds[zone + 1]]
        k = min(grids_for(graph.load[units].sum(), lo, hi)[0], len(units))
        if k > 1:
            local[units] = np.arange(len(units))
            around = [slice(starts[unit], starts[unit + 1]) for unit in units]
            xadj = np.concatenate([[0], np.cumsum([part.stop - part.start for part in around])])
            near = np.concatenate([others[part] for part in around])
            _, parts = pymetis.part_graph(k, pymetis.CSRAdjacency(xadj, local[near]), vweights=graph.load[units].astype(int),
                                          eweights=np.concatenate([weights[part] for part in around]), options=pymetis.Options(contig=1))
            grid[units] = first + np.array(parts)
        else:
            grid[units] = first
        first += k
    return grid, {"seconds": round(time.perf_counter() - begin, 3)}


def graphs(units, folder):
    """Name, folder and band of each graph."""
    for name, buildings, band in (("made up, small", min(5_000, units), (200, 300)), ("made up, city", units, (300, 500))):
        place = f"{folder}/{buildings}"
        os.makedirs(place, exist_ok=True)
        nodes, edges = made_up(buildings, seed=3)
        nodes.to_csv(f"{place}/nodes.csv", index=False)
        edges.to_csv(f"{place}/edges.csv", index=False)
        yield name, place, band
    shared = os.environ.get("WANGGE_SHARED")
    if not shared:
        print("-- the real graphs are left out: WANGGE_SHARED is not set", file=sys.stderr)
        return
    for name, band in REAL.items():
        place = f"{folder}/{name}"
        os.makedirs(place, exist_ok=True)
        for table in ("nodes.csv", "edges.csv"):
            os.symlink(f"{shared}/data/partition/{name}/{table}", f"{place}/{table}")
        yield name, place, band


def measured(program, name, folder, band):
    """A line for each way of drawing one graph, and of changing it after a year."""
    nodes, edges = (pd.read_csv(f"{folder}/{table}.csv") for table in ("nodes", "edges"))
    graph = Graph(nodes, edges)
    plan, took = ours(program, folder, band, "draw")
    yield {"graph": name, "way": "wangge", **judged(graph, plan, *band), **took}
    fast, took = ours(program, folder, band, "draw", "--fast")
    yield {"graph": name, "way": "wangge --fast", **judged(graph, fast, *band), **took}
    theirs, took = metis(graph, *band)
    yield {"graph": name, "way": "METIS", **judged(graph, theirs, *band), **took}
    later = f"{folder}/later"
    os.makedirs(later, exist_ok=True)
    changed = year_later(nodes, sum(band) // 2, seed=1)
    changed.to_csv(f"{later}/nodes.csv", index=False)
    edges.to_csv(f"{later}/edges.csv", index=False)
    before = f"{later}/before.csv"
    pd.DataFrame({"id": nodes["id"], "grid": plan}).to_csv(before, index=False)
    graph = Graph(changed, edges)
    redrawn, took = ours(program, later, band, "redraw", "--before", before)
    yield {"graph": name, "way": "wangge, a year later", **judged(graph, redrawn, *band), **moved(graph, plan, redrawn, *band), **took}
    again, took = metis(graph, *band)
    yield {"graph": name, "way": "METIS, a year later", **judged(graph, again, *band), **moved(graph, plan, again, *band), **took}


COLUMNS = ("graph", "way", "grids", "good", "cut", "compact", "moved", "over_bound", "seconds", "cpu", "mb")


def line(figures):
    cells = [("" if figures.get(column) is None else str(figures[column])) for column in COLUMNS]
    return "".join(cell.ljust(24) if column in ("graph", "way") else cell.rjust(11) for column, cell in zip(COLUMNS, cells))


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("program")
    asked.add_argument("--json")
    asked.add_argument("--units", type=int, default=500_000, help="buildings of the made-up city")
    args = asked.parse_args()
    print(line({column: column for column in COLUMNS}))
    told = []
    with tempfile.TemporaryDirectory() as folder:
        for graph in graphs(args.units, folder):
            for figures in measured(args.program, *graph):
                print(line(figures), flush=True)
                told.append(figures)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(told, file, indent=1)


main()
