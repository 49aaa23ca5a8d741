"""Times `wangge import people`: a made-up town's households and people into an empty SQLite file and an empty PostgreSQL database.

Usage: bench.py WANGGE [PEOPLE] [--json FILE]; WANGGE_TEST_POSTGRES names the server. The list is the same every time. Prints seconds and the
most memory the importer held; the target is 1,000,000 people in 60 s within 500 MB.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国志文海波晓东新宇浩子轩雨涵欣怡佳琪梓萱一诺"
RELATIONS = ("户主", "配偶", "子")
HOUSEHOLDS_PER_GRID = 110


def number(nth):
    """An identity number with its check character, each once."""
    born = f"{1935 + nth // 1000 // 336 % 90:04d}{nth // 1000 // 28 % 12 + 1:02d}{nth // 1000 % 28 + 1:02d}"
    first = f"330902{born}{nth % 1000:03d}"
    return first + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(first, WEIGHTS)) % 11]


def write(folder, people):
    households = (people + 2) // 3
    grids = (households + HOUSEHOLDS_PER_GRID - 1) // HOUSEHOLDS_PER_GRID
    codes = [f"330902{town + 1:03d}{community + 1:03d}{grid + 1:03d}" for town in range(40) for community in range(40) for grid in range(9)][:grids]
    with open(folder / "areas.csv", "w") as areas:
        areas.write("code,name\n3309,某市\n")
        seen = set()
        for code in codes:
            for digits in (9, 12, 15):
                if code[:digits] not in seen:
                    seen.add(code[:digits])
                    areas.write(f"{code[:digits]},{code[6:digits]}\n")
    chance = random.Random(20260214)
    with open(folder / "people.csv", "w") as out:
        out.write("网格编码,楼栋,单元,房号,姓名,身份证号,电话,与户主关系,入住日期\n")
        for nth in range(people):
            household = nth // 3
            at = household % HOUSEHOLDS_PER_GRID
            room = f"{at // 20 + 1},{at % 2 + 1},{at // 2 % 10 + 1}0{at % 2 + 1}"
            name = chance.choice(SURNAMES) + "".join(chance.choice(GIVEN) for _ in range(1 + (chance.random() < 0.7)))
            phone = f"13{chance.randrange(10**9):09d}"
            grid = codes[household // HOUSEHOLDS_PER_GRID]
            out.write(f"{grid},{room},{name},{number(nth)},{phone},{RELATIONS[nth % 3]},2020-01-01\n")


def run(wangge, folder, url, what):
    env = {**os.environ, "WANGGE_DATABASE": url, "WANGGE_KEY_FILE": str(folder / "key"), "WANGGE_PACK": "zhoushan"}
    begun = time.monotonic()
    done = subprocess.run([wangge, *what], env=env, capture_output=True, text=True, cwd=folder)
    took = time.monotonic() - begun
    if done.returncode:
        sys.exit(f"{what}: {done.stdout}\n{done.stderr}")
    return took, done.stdout


def main():
    wangge, rest = os.path.abspath(sys.argv[1]), sys.argv[2:]
    people = next((int(one) for one in rest if one.isdigit()), 1_000_000)
    result = {}
    for name, server in (("sqlite", None), ("postgres", os.environ.get("WANGGE_TEST_POSTGRES"))):
        if name == "postgres" and not server:
            continue
        with tempfile.TemporaryDirectory() as text:
            folder = Path(text)
            write(folder, people)
            url = f"sqlite:{folder / 'wangge.db'}" if server is None else f"{server}&schema=people_bench"
            run(wangge, folder, url, ["import", "areas", "areas.csv", "--pack", "zhoushan"])
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            took, told = run(wangge, folder, url, ["import", "people", "people.csv"])
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            result[name] = {"people": people, "seconds": round(took, 1), "peak_mb": peak // 1024, "peak_before_mb": before // 1024}
            print(f"{name}: {people} people in {took:.1f} s ({people / took:.0f} a second), peak {peak // 1024} MB")
            print("  " + told.strip().replace("\n", "\n  "))
    if "--json" in rest:
        Path(rest[rest.index("--json") + 1]).write_text(json.dumps(result, indent=1))


main()
