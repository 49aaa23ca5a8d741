"""A made-up town and a year of change in it: who lives where, who is next to whom. The same seed makes the same town."""
import numpy as np
import pandas as pd
from scipy.spatial import Delaunay, cKDTree

SIDE = 620.0  # metres of a community's side
STREETS = 5  # streets across a community
KINDS = {"tower": (52.0, 40, 120), "slab": (32.0, 12, 48), "yard": (15.0, 0, 3)}  # pitch in metres, households from, to
WIDEST = 150.0  # metres over which two buildings are still next to each other


def made_up(buildings, seed):
    """Nodes and edges, in the columns `wangge plan draw` reads."""
    rng = np.random.default_rng(seed)
    parts, count, number = [], 0, 0
    across = max(1, int(np.ceil(np.sqrt(buildings / 250))))
    while count < buildings:
        corner = SIDE * np.array([number % across, number // across])
        part = community(rng, corner, number)
        parts.append(part)
        count, number = count + len(part), number + 1
    nodes = pd.concat(parts, ignore_index=True).iloc[:buildings]
    # A river runs through: its banks are communities of their own.
    bank = nodes["x"] > SIDE * across * (0.5 + 0.1 * np.sin(nodes["y"] / SIDE))
    nodes["region"] = nodes["region"] * 2 + bank
    nodes.insert(0, "id", np.arange(len(nodes)))
    edges = neighbours(nodes)
    return nodes.drop(columns="street"), edges


def community(rng, corner, number):
    kinds = list(KINDS)
    side, rows = SIDE / STREETS, []
    main = kinds[rng.integers(len(kinds))]
    for block in range(STREETS * STREETS):
        kind = main if rng.random() < 0.75 else kinds[rng.integers(len(kinds))]
        pitch, least, most = KINDS[kind]
        start = corner + side * np.array([block % STREETS, block // STREETS]) + 8
        line = np.arange(pitch / 2, side - 16, pitch)
        at = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2) + start
        at = (at + rng.normal(0, pitch * 0.1, at.shape))[rng.random(len(at)) < 0.9]
        homes = rng.integers(least, most + 1, len(at))
        rows.append(pd.DataFrame({"x": at[:, 0].round(2), "y": at[:, 1].round(2), "households": homes, "region": number,
                                  "area": round(pitch * pitch, 1), "street": number * STREETS * STREETS + block}))
    return pd.concat(rows, ignore_index=True)


def neighbours(nodes):
    at = nodes[["x", "y"]].to_numpy()
    triangles = Delaunay(at).simplices
    pairs = np.unique(np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1), axis=0)
    u, v = pairs.T
    far = np.hypot(*(at[u] - at[v]).T)
    u, v, far = u[far < WIDEST], v[far < WIDEST], far[far < WIDEST]
    street, width = nodes["street"].to_numpy(), np.sqrt(nodes["area"].to_numpy())
    return pd.DataFrame({"u": u, "v": v, "shared_perim": np.minimum(width[u], width[v]).round(2),
                         "w": np.where(street[u] == street[v], 4.0, 1.0), "barrier": 0})


def year_later(nodes, size, seed):
    """2% of the houses gain or lose a household, some blocks are pulled down, some compounds of `size` households open."""
    rng = np.random.default_rng(seed)
    homes, near = nodes["households"].to_numpy().copy(), cKDTree(nodes[["x", "y"]].to_numpy())
    grids = max(1, round(homes.sum() / size))
    some = rng.random(len(homes)) < 0.02
    homes[some] = np.maximum(0, homes[some] + rng.integers(-1, 2, some.sum()))
    at = nodes[["x", "y"]].to_numpy()
    for house in rng.integers(0, len(homes), max(1, grids // 40)):
        homes[near.query(at[house], k=25)[1]] = 0
    for house in rng.integers(0, len(homes), max(1, grids // 60)):
        homes[near.query(at[house], k=6)[1]] += size // 6
    return nodes.assign(households=homes)
