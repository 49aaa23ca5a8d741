"""What a plan comes to, by a way of its own: neither the program's checker nor its solver is asked."""
import math
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components


class Graph:
    """Units, neighbours, and the zones no grid may leave: what hangs together inside a community without crossing a barrier."""

    def __init__(self, nodes, edges):
        self.nodes, self.n = nodes, len(nodes)
        place = pd.Index(nodes["id"].astype(str))
        self.u, self.v = (place.get_indexer(edges[end].astype(str)) for end in ("u", "v"))
        self.weight = edges["w"].to_numpy(float)
        self.load = nodes["households"].to_numpy(float)
        self.region = pd.factorize(nodes["region"])[0]
        self.open = (edges["barrier"].to_numpy(int) == 0) & (self.region[self.u] == self.region[self.v])
        self.zone = self.pieces(self.open)

    def pieces(self, edges):
        ones = np.ones(int(edges.sum()), np.int8)
        links = csr_matrix((ones, (self.u[edges], self.v[edges])), shape=(self.n, self.n))
        return connected_components(links, directed=False)[1]


def grids_for(load, lo, hi):
    """How many grids fit a load best, and whether any number fits."""
    least, most, best = math.ceil(load / hi), math.floor(load / lo), max(1, round(load / ((lo + hi) / 2)))
    fits = most >= max(1, least)
    return (min(max(best, least, 1), most) if fits else best), fits


def judged(graph, grid, lo, hi):
    """Share of the grids that are in the band, in one piece and inside their zone, of those whose zone allows it by its sum; and how good they are."""
    names, at = np.unique(grid, return_inverse=True)
    load = np.bincount(at, weights=graph.load)
    sums = np.bincount(graph.zone, weights=np.minimum(graph.load, hi))
    possible = np.array([grids_for(total, lo, hi)[1] for total in sums])
    zone = np.zeros(len(names), int)
    zone[at] = graph.zone
    counted = possible[zone]
    counted[at[graph.load > hi]] = False
    inside = at[graph.u] == at[graph.v]
    pieces = np.bincount(np.unique(np.stack([at, graph.pieces(graph.open & inside)], 1), axis=0)[:, 0], minlength=len(names))
    good = (load >= lo) & (load <= hi) & (pieces == 1)
    area = np.maximum(graph.nodes["area"].to_numpy(float), 1e-9)
    x, y = graph.nodes["x"].to_numpy(float), graph.nodes["y"].to_numpy(float)
    total = np.bincount(at, weights=area)
    middle = [np.bincount(at, weights=area * axis) / total for axis in (x, y)]
    about = (x - middle[0][at]) ** 2 + (y - middle[1][at]) ** 2
    inertia = np.bincount(at, weights=area * about + area * area / (2 * math.pi))
    return {
        "grids": len(names),
        "good": round(float(good[counted].mean()) if counted.any() else 1.0, 4),
        "cut": round(float(graph.weight[graph.open & ~inside].sum())),
        "compact": round(float((total * total / (2 * math.pi * inertia)).mean()), 3),
    }


def moved(graph, before, after, lo, hi):
    """Share of the households that change grid, grids renamed by what they have in common; and that over a bound: what must leave grids that
    are too large or join those too small, whichever is more. (A grid that is given up can stay below it.)"""
    table = pd.DataFrame({"b": before, "a": after, "l": graph.load + 1e-3}).groupby(["b", "a"])["l"].sum().sort_values(ascending=False)
    taken, name = set(), {}
    for old, new in table.index:
        if new not in name and old not in taken:
            taken.add(old)
            name[new] = old
    same = np.array([name.get(new) == old for old, new in zip(before, after)])
    load = pd.DataFrame({"grid": before, "l": graph.load, "zone": graph.zone}).groupby("grid").agg(l=("l", "sum"), zone=("zone", "first"))
    least = 0.0
    for zone, grids in load.groupby("zone"):
        if grids_for(graph.load[graph.zone == zone].sum(), lo, hi)[1]:
            least += max((grids["l"] - hi).clip(lower=0).sum(), (lo - grids["l"]).clip(lower=0).sum())
    share = float(graph.load[~same].sum())
    return {"moved": round(share / graph.load.sum(), 4), "over_bound": round(share / least, 2) if least else None}
