"""The same day put to PyVRP and to OR-Tools. Each answers with an order of stops, or `None`."""
from judge import walks
from ortools.constraint_solver import pywrapcp, routing_enums_pb2
from pyvrp import Client, ClientGroup, Depot, Location, ProblemData, VehicleType, solve
from pyvrp.stop import MaxRuntime

# Dearer than any day: what leaving out a stop costs that must be done.
MUST = 10**6


def pyvrp(day, seconds, seed):
    """Opening hours in pieces are groups of clients of which one is visited; lunch is a group with a client at every place."""
    stops, walk = day["stops"], walks(day)
    places = len(stops) + 2
    clients, groups, of = [], [], []

    def group(members, required, stop):
        first = len(clients)
        alone = len(members) == 1
        for member in members:
            clients.append(Client(**member, required=required and alone, group=None if alone else len(groups)))
            of.append(stop)
        if not alone:
            groups.append(ClientGroup(list(range(first, len(clients))), required=required))

    for number, stop in enumerate(stops):
        required = stop["price"] is None
        # The time at a stop counts in a day's length; what it is worth must outweigh that, too.
        prize = 0 if required else stop["price"] + stop["service"]
        group([{"location": number, "service_duration": stop["service"], "tw_early": early, "tw_late": late - stop["service"], "prize": prize}
               for early, late in stop["windows"] or [day["window"]]], required, number)
    lunch = day["lunch"]
    early, late = lunch["within"][0], lunch["within"][1] - lunch["lasts"]
    group([{"location": place, "service_duration": lunch["lasts"], "tw_early": early, "tw_late": late} for place in range(places - 1)], True, None)
    data = ProblemData([Location(0, 0) for _ in range(places)], clients, [Depot(places - 2), Depot(places - 1)],
                       [VehicleType(1, [], 0, 1, tw_early=day["window"][0], tw_late=day["window"][1], unit_distance_cost=0, unit_duration_cost=1)],
                       [walk], [walk], groups)
    best = solve(data, MaxRuntime(seconds), seed=seed, collect_stats=False).best
    if not best.is_feasible():
        return None
    visits = [activity.idx for route in best.routes() for activity in route.schedule() if activity.is_client()]
    return [of[client] for client in visits if of[client] is not None]


def ortools(day, seconds, arc_weight):
    """Guided local search; the break is OR-Tools' own and may cut a walk in two. It searches better when walks cost something on their own."""
    stops, walk = day["stops"], walks(day).tolist()
    places = len(stops) + 2
    manager = pywrapcp.RoutingIndexManager(places, 1, [places - 2], [places - 1])
    model = pywrapcp.RoutingModel(manager)
    service = [stop["service"] for stop in stops] + [0, 0]

    def node(index):
        return manager.IndexToNode(index)

    takes = model.RegisterTransitCallback(lambda a, b: service[node(a)] + walk[node(a)][node(b)])
    walked = model.RegisterTransitCallback(lambda a, b: arc_weight * walk[node(a)][node(b)])
    model.SetArcCostEvaluatorOfAllVehicles(walked)
    early, late = day["window"]
    model.AddDimension(takes, late - early, late, False, "time")
    time = model.GetDimensionOrDie("time")
    scale = 10
    time.SetSpanCostCoefficientForAllVehicles(scale)
    for number, stop in enumerate(stops):
        index = manager.NodeToIndex(number)
        cumul = time.CumulVar(index)
        windows = [(a, b - stop["service"]) for a, b in stop["windows"] or [day["window"]]]
        cumul.SetRange(windows[0][0], windows[-1][1])
        for (_, end), (begin, _) in zip(windows, windows[1:]):
            cumul.RemoveInterval(end + 1, begin - 1)
        price = MUST if stop["price"] is None else stop["price"] + stop["service"]
        model.AddDisjunction([index], price * scale)
    for index in (model.Start(0), model.End(0)):
        time.CumulVar(index).SetRange(early, late)
        model.AddVariableMinimizedByFinalizer(time.CumulVar(index))
    lunch = day["lunch"]
    begin, end = lunch["within"][0], lunch["within"][1] - lunch["lasts"]
    pause = model.solver().FixedDurationIntervalVar(begin, end, lunch["lasts"], False, "lunch")
    time.SetBreakIntervalsOfVehicle([pause], 0, service[:places - 2] + [0, 0])
    asked = pywrapcp.DefaultRoutingSearchParameters()
    asked.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.LOCAL_CHEAPEST_INSERTION
    asked.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    asked.time_limit.FromMilliseconds(int(seconds * 1000))
    found = model.SolveWithParameters(asked)
    if not found:
        return None
    order, index = [], found.Value(model.NextVar(model.Start(0)))
    while not model.IsEnd(index):
        order.append(node(index))
        index = found.Value(model.NextVar(index))
    return order
