"""Made-up days of a grid worker: houses in clusters (courtyards, blocks) of a grid of a square kilometre, and an office to start from."""
import math
import random

DETOUR = 1.3
METRES_PER_MINUTE = 70
HOUR = 3600


def made_up(stops, kind, seed):
    """One day. Kinds: `free` (no windows), `windows` (half of the stops have some), `full` (more than the day holds; some must be done)."""
    dice = random.Random(f"{stops} {kind} {seed}")
    side = 1000
    clusters = [(dice.uniform(0, side), dice.uniform(0, side)) for _ in range(max(3, stops // 7))]

    def place():
        x, y = dice.choice(clusters)
        return (x + dice.gauss(0, 45), y + dice.gauss(0, 45))

    office = (dice.uniform(0, side), dice.uniform(0, side))
    places = [place() for _ in range(stops)] + [office, office]
    metres = [round(math.dist(a, b) * DETOUR) for a in places for b in places]
    day, lunch = (8 * HOUR + 1800, 17 * HOUR + 1800), {"lasts": HOUR, "within": [11 * HOUR + 1800, 13 * HOUR + 1800]}
    # Seven and a half hours without lunch: two thirds of them at the stops, or, when the day is full, a third more than there is time.
    share = 1.3 if kind == "full" else 0.62
    mean = share * 7.5 * HOUR / stops
    told = []
    for _ in range(stops):
        windows = []
        if kind != "free" and dice.random() < 0.5:
            windows = dice.choice([
                [[8 * HOUR + 1800, 10 * HOUR]],
                [[9 * HOUR, 11 * HOUR + 1800]],
                [[14 * HOUR, 17 * HOUR]],
                [[8 * HOUR + 1800, 10 * HOUR], [16 * HOUR, 17 * HOUR + 1800]],
                [[9 * HOUR, 12 * HOUR], [14 * HOUR, 16 * HOUR]],
                [[10 * HOUR, 10 * HOUR + 1800 + int(mean)], [15 * HOUR, 15 * HOUR + 1800 + int(mean)]],
            ])
        service = int(mean * dice.uniform(0.5, 1.5))
        must = kind != "full" or dice.random() < 0.3
        told.append({"service": service, "windows": windows, "price": None if must else 60 * dice.randint(10, 60)})
    return {
        "stops": told,
        "window": list(day),
        "lunch": lunch,
        "metres_per_minute": METRES_PER_MINUTE,
        "metres": metres,
    }
