"""A day's route beside PyVRP and OR-Tools on the same days in the same time: `bench.py PROGRAM [--json FILE] [--seconds 0.2,1] [--days N]`.

Days are made up from seeds (days.py). Every answer is an order of stops, costed by a judge that shares nothing with any of them (judge.py): seconds
walked and waited and the prices of what is left out. The time is that of the search alone: making the problem ready is not counted for anybody. Each
solver is told the seed of the day; OR-Tools, which has none, is tried with two weights of walking and the better answer counts."""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile

from days import made_up
from judge import cost
from peers import ortools, pyvrp

SIZES, KINDS = (20, 40, 60, 100), ("free", "windows", "full")
WAYS = ("wangge", "PyVRP", "OR-Tools")
# By the number of rounds the product asks for, whatever the time; not among those that make the best.
ROUNDS = "rounds"


def ours(program, days, seconds):
    """The program's answers to all days, in a process of its own."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(day) + "\n" for day in days)
        file.flush()
        out = subprocess.run([program, file.name, str(seconds), "1"], stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.decode().splitlines()]


def theirs(day, seconds):
    """Costs of PyVRP and of OR-Tools."""
    def judged(order):
        return None if order is None else cost(day, order)

    weighed = [judged(ortools(day, seconds, weight)) for weight in (1, 10)]
    return judged(pyvrp(day, seconds, 1)), min((told for told in weighed if told is not None), default=None)


def measured(program, size, kind, seconds, count):
    days = [made_up(size, kind, seed) for seed in range(1, count + 1)]
    costs = {way: [] for way in WAYS}
    answers = ours(program, days, seconds)
    for day, answer in zip(days, answers):
        costs["wangge"].append(cost(day, answer["order"]))
        for way, told in zip(WAYS[1:], theirs(day, seconds)):
            costs[way].append(told)
    best = [min((told for told in row if told is not None), default=None) for row in zip(*costs.values())]
    slowest = {"wangge": max(answer["ms"] for answer in answers)}
    counted = ours(program, days, 0)
    costs[ROUNDS] = [cost(day, answer["order"]) for day, answer in zip(days, counted)]
    slowest[ROUNDS] = max(answer["ms"] for answer in counted)
    for way in costs:
        gaps = [100 * (told / least - 1) for told, least in zip(costs[way], best) if told is not None]
        yield {
            "stops": size, "kind": kind, "seconds": seconds, "way": way, "days": count, "without": costs[way].count(None),
            "gap": round(statistics.mean(gaps), 2) if gaps else None, "worst": round(max(gaps), 2) if gaps else None,
            "best": sum(told is not None and told == least for told, least in zip(costs[way], best)), "ms": round(slowest[way]) if way in slowest else None,
            "costs": costs[way],
        }


COLUMNS = ("stops", "kind", "seconds", "way", "days", "without", "gap", "worst", "best", "ms")


def line(figures):
    return "".join(("" if figures.get(column) is None else str(figures[column])).rjust(10) for column in COLUMNS)


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("program")
    asked.add_argument("--json")
    asked.add_argument("--seconds", default="0.2,1")
    asked.add_argument("--days", type=int, default=5, help="days of each size and kind")
    args = asked.parse_args()
    print(line({column: column for column in COLUMNS}))
    print("-- gap and worst: per cent above the best of the three; without: days without an answer that keeps the rules", file=sys.stderr)
    told = []
    for seconds in map(float, args.seconds.split(",")):
        for size in SIZES:
            for kind in KINDS:
                for figures in measured(args.program, size, kind, seconds, args.days):
                    print(line(figures), flush=True)
                    told.append(figures)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(told, file, indent=1)


main()
