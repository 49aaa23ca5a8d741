"""What an order of stops costs, found by trying every second of leaving: slow, and nothing shared with the programs that are judged."""
import numpy as np

NEVER = 10**9


def walks(day):
    """Seconds from place to place; the stops, then start, then end."""
    places = len(day["stops"]) + 2
    return np.rint(np.array(day["metres"]).reshape(places, places) * 60 / day["metres_per_minute"]).astype(int)


def begins(windows, lasts, ready):
    """When a stay begins for who is ready at these times."""
    begin = np.full_like(ready, NEVER)
    for early, late in reversed(windows):
        begin = np.where(ready <= late - lasts, np.maximum(ready, early), begin)
    return begin


def cost(day, order):
    """Seconds walked and waited and the prices of what is left out; `None` if the order breaks a rule or leaves out what must be done."""
    stops, walk = day["stops"], walks(day)
    left_out = set(range(len(stops))) - set(order)
    if any(stops[stop]["price"] is None for stop in left_out) or len(set(order)) < len(order):
        return None
    early, late = day["window"]
    lunch = day["lunch"]
    leave = np.arange(early, late + 1)
    lasts, within = lunch["lasts"], [lunch["within"]]
    hungry, eaten = leave, np.full_like(leave, NEVER)
    home = np.where(leave >= lunch["within"][0] + lasts, leave, NEVER)
    here, walked, served = len(stops), 0, 0

    def stay(at, stop):
        windows = stops[stop]["windows"] or [day["window"]]
        return np.minimum(begins(windows, stops[stop]["service"], at) + stops[stop]["service"], NEVER)

    def meal(at):
        return np.minimum(begins(within, lasts, at) + lasts, NEVER)

    for stop in order:
        step = walk[here, stop]
        eaten = np.minimum(stay(eaten + step, stop), stay(meal(hungry + step), stop))
        hungry, home = stay(hungry + step, stop), stay(home + step, stop)
        eaten = np.minimum(eaten, meal(hungry))
        here, walked, served = stop, walked + step, served + stops[stop]["service"]
    step = walk[here, len(stops) + 1]
    walked += step
    hungry, eaten, home = hungry + step, eaten + step, home + step
    before = lunch["within"][1] - lasts
    spent = [np.where(eaten <= late, eaten - lasts, NEVER), np.where(home <= late, home, NEVER), np.where(hungry <= min(late, before), hungry, NEVER)]
    least = min(int((end - leave).min()) for end in spent) - served
    if least > 2 * 86_400:
        return None
    return least + sum(stops[stop]["price"] for stop in left_out)
