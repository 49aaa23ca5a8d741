//! What holds for the graph of any ground: everybody once, areas and lengths that add up, nothing across a border, banks that hang together.

use proptest::prelude::*;
use solver::ground::*;
use std::collections::BTreeSet;
use std::f64::consts::TAU;

fn dwelling(row: usize, x: f64, y: f64) -> Dwelling {
    Dwelling {
        row,
        at: Some([x, y]),
        ..Dwelling::default()
    }
}

fn block(row: usize, x: f64, y: f64, long: f64, wide: f64, angle: f64) -> Dwelling {
    let corner = |u: f64, v: f64| {
        [
            x + u * angle.cos() - v * angle.sin(),
            y + u * angle.sin() + v * angle.cos(),
        ]
    };
    let (l, w) = (long / 2.0, wide / 2.0);
    Dwelling {
        row,
        outline: vec![vec![vec![corner(-l, -w), corner(l, -w), corner(l, w), corner(-l, w)]]],
        ..Dwelling::default()
    }
}

fn rectangle(w: f64, s: f64, e: f64, n: f64) -> Ring {
    vec![[w, s], [e, s], [e, n], [w, n]]
}

fn area_of(row: usize, polygons: Vec<Polygon>) -> Area {
    Area { row, polygons }
}

fn river(points: Vec<Point>) -> Barrier {
    Barrier {
        row: 1,
        kind: Kind::Water,
        lines: vec![points],
        polygons: vec![],
    }
}

/// A bent community with a hole, and beside it another, which has two parts.
fn two_communities() -> Vec<Area> {
    let bent = vec![
        vec![
            [0.0, 0.0],
            [400.0, 0.0],
            [400.0, 120.0],
            [150.0, 130.0],
            [150.0, 400.0],
            [0.0, 400.0],
        ],
        rectangle(40.0, 40.0, 90.0, 110.0),
    ];
    let parts = vec![
        vec![rectangle(150.0, 130.0, 400.0, 400.0)],
        vec![rectangle(500.0, 0.0, 600.0, 100.0)],
    ];
    vec![area_of(1, vec![bent]), area_of(2, parts)]
}

fn parts_of(ground: &Ground, keep: impl Fn(&Edge) -> bool) -> Vec<usize> {
    let mut part: Vec<usize> = (0..ground.units.len()).collect();
    loop {
        let mut changed = false;
        for edge in ground.edges.iter().filter(|edge| keep(edge)) {
            let least = part[edge.u].min(part[edge.v]);
            changed |= part[edge.u] != least || part[edge.v] != least;
            (part[edge.u], part[edge.v]) = (least, least);
        }
        if !changed {
            return part;
        }
    }
}

/// A convex ring cut down to the side of the line between `own` and `other` that is nearer to `own`; sides are tagged by who is beyond.
fn nearer(ring: &[(Point, Option<usize>)], own: Point, other: Point, who: usize) -> Vec<(Point, Option<usize>)> {
    let gain = |p: Point| {
        let far = |q: Point| (p[0] - q[0]).powi(2) + (p[1] - q[1]).powi(2);
        far(other) - far(own)
    };
    let mut kept = Vec::new();
    for at in 0..ring.len() {
        let ((a, tag), (b, _)) = (ring[at], ring[(at + 1) % ring.len()]);
        let (in_a, in_b) = (gain(a), gain(b));
        let t = in_a / (in_a - in_b);
        let meet = [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
        match (in_a >= 0.0, in_b >= 0.0) {
            (true, true) => kept.push((a, tag)),
            (true, false) => kept.extend([(a, tag), (meet, Some(who))]),
            (false, true) => kept.push((meet, tag)),
            (false, false) => {}
        }
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against cells cut one by one out of a convex community: areas, borders, shared lengths; and the perimeter is their sum.
    #[test]
    fn cells_are_those_cut_by_hand(places in proptest::collection::vec((1.0..299.0f64, 1.0..199.0f64), 1..60)) {
        let outer = rectangle(0.0, 0.0, 300.0, 200.0);
        let dwellings: Vec<_> = places.iter().enumerate().map(|(at, p)| dwelling(at, p.0, p.1)).collect();
        let input = Input { dwellings, communities: vec![area_of(1, vec![vec![outer.clone()]])], ..Input::default() };
        let ground = build(&input).unwrap();
        prop_assert_eq!(ground.units.len(), places.len());
        for (u, unit) in ground.units.iter().enumerate() {
            let mut ring: Vec<(Point, Option<usize>)> = outer.iter().map(|p| (*p, None)).collect();
            for (v, other) in ground.units.iter().enumerate() {
                if u != v {
                    ring = nearer(&ring, unit.at, other.at, v);
                }
            }
            let corners: Ring = ring.iter().map(|corner| corner.0).collect();
            prop_assert!((signed_area(&corners) - unit.area).abs() < 1e-4, "{} against {}", signed_area(&corners), unit.area);
            let side = |at: usize| distance(corners[at], corners[(at + 1) % corners.len()]);
            let rim: f64 = (0..ring.len()).filter(|at| ring[*at].1.is_none()).map(side).sum();
            prop_assert!((rim - unit.external).abs() < 1e-4);
            let shared: f64 = ground.edges.iter().filter(|edge| edge.u == u || edge.v == u).map(|edge| edge.shared).sum();
            // Corners shorter than LEAST_SHARED are no edges.
            prop_assert!((shared + unit.external - perimeter(&[vec![corners.clone()]])).abs() < 0.05 * ring.len() as f64 + 1e-4);
            for (at, (_, beyond)) in ring.iter().enumerate() {
                if let (Some(v), true) = (*beyond, side(at) > 0.1) {
                    let edge = ground.edges.iter().find(|edge| (edge.u, edge.v) == (u.min(v), u.max(v)));
                    prop_assert!(edge.is_some_and(|edge| (edge.shared - side(at)).abs() < 1e-3));
                }
            }
        }
    }

    /// Bent communities, holes, parts, buildings with outlines and without: tiled without gap, nothing across, all once.
    #[test]
    fn communities_are_tiled_and_never_left(
        places in proptest::collection::vec((-5.0..605.0f64, -5.0..405.0f64, 6.0..40.0f64, 0.0..3.0f64), 12..80),
    ) {
        let mut dwellings: Vec<_> = places.iter().enumerate().map(|(row, (x, y, long, angle))| {
            if row % 2 == 0 { block(row, *x, *y, *long, long / 2.0, *angle) } else { dwelling(row, *x, *y) }
        }).collect();
        dwellings.push(dwelling(900, 20.0, 20.0));
        dwellings.push(dwelling(901, 300.0, 300.0));
        let input = Input { dwellings, communities: two_communities(), ..Input::default() };
        let ground = build(&input).unwrap();
        let refused = ground.notes.iter().filter(|note| note.trouble.refused(note.layer)).count();
        prop_assert_eq!(ground.units.len() + refused, input.dwellings.len());
        let once: BTreeSet<usize> = ground.units.iter().map(|unit| unit.dwelling).collect();
        prop_assert_eq!(once.len(), ground.units.len());
        for (region, community) in input.communities.iter().enumerate() {
            let own = || ground.units.iter().filter(|unit| unit.region == region);
            let tiled: f64 = own().map(|unit| unit.area).sum();
            prop_assert!((tiled - area(&community.polygons)).abs() < 1e-3, "{tiled} of {}", area(&community.polygons));
            let rim: f64 = own().map(|unit| unit.external).sum();
            prop_assert!((rim - perimeter(&community.polygons)).abs() < 1e-3);
        }
        for edge in &ground.edges {
            prop_assert!(edge.u < edge.v && edge.shared > 0.0 && edge.w > 0.0 && !edge.barrier);
            prop_assert_eq!(ground.units[edge.u].region, ground.units[edge.v].region);
        }
        // The first community is of one piece, so its dwellings hang together.
        let part = parts_of(&ground, |_| true);
        let first: BTreeSet<usize> = (0..part.len()).filter(|u| ground.units[*u].region == 0).map(|u| part[u]).collect();
        prop_assert_eq!(first.len(), 1);
        prop_assert_eq!(build(&input).unwrap(), ground);
    }

    /// Two banks of a river that winds: nothing walkable across, each bank of one piece, a bridge joins them.
    #[test]
    fn a_winding_river_parts_two_banks_and_nothing_else(
        places in proptest::collection::vec((5.0..995.0f64, 5.0..795.0f64), 8..90),
        swing in 0.0..250.0f64, turns in 0.5..5.0f64, broad in any::<bool>(), bridge_at in 100.0..900.0f64,
    ) {
        let middle = |x: f64| 400.0 + swing * (x / 1000.0 * turns * TAU).sin();
        let half = if broad { 8.0 } else { 0.0 };
        let bank = |side: f64| (-2..=102).map(move |k| { let x = f64::from(k) * 10.0; [x, middle(x) + side * half] });
        let barrier = if broad {
            let ring: Ring = bank(1.0).chain(bank(-1.0).rev()).collect();
            Barrier { row: 1, kind: Kind::Water, lines: vec![], polygons: vec![vec![ring]] }
        } else {
            river(bank(0.0).collect())
        };
        // Nobody so near to the bank that the chain of points and the curve disagree.
        let dry = places.iter().filter(|(x, y)| (y - middle(*x)).abs() > half + 6.0 + swing * turns / 40.0);
        let dwellings: Vec<_> = dry.enumerate().map(|(row, (x, y))| match row % 3 {
            // Some reach over the river: they belong to the bank their middle stands on.
            0 => block(row, *x, *y, 26.0, 9.0, *x),
            _ => dwelling(row, *x, *y),
        }).collect();
        prop_assume!(!dwellings.is_empty());
        let communities = vec![area_of(1, vec![vec![rectangle(0.0, 0.0, 1000.0, 800.0)]])];
        let mut input = Input { dwellings, communities, barriers: vec![barrier], ..Input::default() };
        let ground = build(&input).unwrap();
        let north = |u: usize| ground.units[u].at[1] > middle(ground.units[u].at[0]);
        for edge in &ground.edges {
            prop_assert!(edge.barrier || north(edge.u) == north(edge.v), "{edge:?}");
        }
        let part = parts_of(&ground, |edge| !edge.barrier);
        for side in [true, false] {
            let parts: BTreeSet<usize> = (0..part.len()).filter(|u| north(*u) == side).map(|u| part[u]).collect();
            prop_assert!(parts.len() <= 1, "{} parts", parts.len());
        }
        let reach = |side: bool| ground.units.iter().enumerate().filter(|(u, _)| north(*u) == side)
            .any(|(_, unit)| distance(unit.at, [bridge_at, middle(bridge_at)]) < 60.0);
        if reach(true) && reach(false) && swing * turns < 80.0 {
            let line = vec![[bridge_at, middle(bridge_at) - 40.0], [bridge_at, middle(bridge_at) + 40.0]];
            input.bridges.push(Bridge { row: 1, over: Kind::Water, line });
            let bridged = build(&input).unwrap();
            prop_assert_eq!(bridged.bridged, 1);
            prop_assert_eq!(parts_of(&bridged, |edge| !edge.barrier).into_iter().collect::<BTreeSet<_>>().len(), 1);
        }
    }

    /// Turning and moving the whole town changes nobody's neighbours.
    #[test]
    fn neighbours_do_not_depend_on_the_frame(
        places in proptest::collection::vec((5.0..395.0f64, 5.0..395.0f64), 5..70),
        angle in 0.0..TAU, east in -3e5..3e5f64, north in -3e5..3e5f64,
    ) {
        let moved = |p: Point| [east + p[0] * angle.cos() - p[1] * angle.sin(), north + p[0] * angle.sin() + p[1] * angle.cos()];
        let make = |frame: &dyn Fn(Point) -> Point| Input {
            dwellings: places.iter().enumerate().map(|(row, (x, y))| { let [x, y] = frame([*x, *y]); dwelling(row, x, y) }).collect(),
            communities: vec![area_of(1, vec![vec![rectangle(0.0, 0.0, 400.0, 400.0).into_iter().map(frame).collect()]])],
            barriers: vec![river([[-10.0, 150.0], [200.0, 220.0], [410.0, 180.0]].into_iter().map(frame).collect())],
            ..Input::default()
        };
        let (here, there) = (build(&make(&|p| p)).unwrap(), build(&make(&moved)).unwrap());
        let strong = |ground: &Ground, least: f64| -> BTreeSet<(usize, usize, bool)> {
            ground.edges.iter().filter(|edge| edge.shared > least).map(|edge| (edge.u, edge.v, edge.barrier)).collect()
        };
        prop_assert!(strong(&here, 0.1).is_subset(&strong(&there, 0.0)));
        prop_assert!(strong(&there, 0.1).is_subset(&strong(&here, 0.0)));
        for (a, b) in here.units.iter().zip(&there.units) {
            prop_assert!((a.area - b.area).abs() < 1e-2);
        }
    }
}

/// Row houses that share walls: each has the two beside it and the one behind it, and ground about the size of its lot.
#[test]
fn row_houses_border_on_those_they_touch() {
    let mut dwellings = Vec::new();
    for row in 0..2 {
        for at in 0..10 {
            dwellings.push(block(row * 10 + at, at as f64 * 6.0, row as f64 * 10.0, 6.0, 10.0, 0.0));
        }
    }
    let communities = vec![area_of(1, vec![vec![rectangle(-3.0, -5.0, 57.0, 15.0)]])];
    let ground = build(&Input {
        dwellings,
        communities,
        ..Input::default()
    })
    .unwrap();
    assert_eq!(ground.edges.len(), 9 * 2 + 10);
    for unit in &ground.units {
        assert!((unit.area - 60.0).abs() < 1e-6, "{}", unit.area);
    }
    assert!(ground.notes.is_empty(), "{:?}", ground.notes);
}

/// A long slab beside small houses gets the ground along its whole length, which a single point in its middle would not.
#[test]
fn a_slab_has_neighbours_along_its_whole_length() {
    let mut dwellings = vec![block(0, 50.0, 0.0, 100.0, 12.0, 0.0)];
    dwellings.extend((0..9).map(|at| block(at + 1, 6.0 + at as f64 * 11.0, 16.0, 8.0, 8.0, 0.0)));
    let ground = build(&Input {
        dwellings,
        ..Input::default()
    })
    .unwrap();
    assert_eq!(ground.edges.iter().filter(|edge| edge.u == 0).count(), 9);
}

/// A main road that ends within the town: those at its end are neighbours around it, those along it are not.
#[test]
fn a_road_parts_those_along_it() {
    let dwellings = (0..10).flat_map(|at| {
        [
            dwelling(at * 2, at as f64 * 30.0, -15.0),
            dwelling(at * 2 + 1, at as f64 * 30.0, 15.0),
        ]
    });
    let road = |to: f64| Barrier {
        row: 1,
        kind: Kind::Road,
        lines: vec![vec![[-100.0, 0.0], [to, 0.0]]],
        polygons: vec![],
    };
    let mut input = Input {
        dwellings: dwellings.collect(),
        communities: vec![area_of(1, vec![vec![rectangle(-90.0, -90.0, 350.0, 90.0)]])],
        barriers: vec![road(250.0)],
        ..Input::default()
    };
    let across = |ground: &Ground| {
        let crossing = |edge: &&Edge| edge.u % 2 != edge.v % 2 && !edge.barrier;
        ground.edges.iter().filter(crossing).count()
    };
    assert_eq!(across(&build(&input).unwrap()), 1);
    // Nobody walks round the end of a road that all but reaches the border.
    input.barriers = vec![road(330.0)];
    assert_eq!(across(&build(&input).unwrap()), 0);
    input.barriers = vec![road(500.0)];
    let ground = build(&input).unwrap();
    assert_eq!(across(&ground), 0);
    assert!(ground.edges.iter().any(|edge| edge.barrier));
    // A bridge over water is none over a road.
    let bridge = |over: Kind| Bridge {
        row: 1,
        over,
        line: vec![[100.0, -20.0], [100.0, 20.0]],
    };
    input.bridges.push(bridge(Kind::Water));
    assert_eq!(across(&build(&input).unwrap()), 0);
    input.bridges.push(bridge(Kind::Road));
    assert_eq!(across(&build(&input).unwrap()), 1);
}

/// One long road over two rivers with land between them: each bank is joined to the next.
#[test]
fn a_road_over_two_rivers_is_two_bridges() {
    let dwellings = (0..9).map(|at| dwelling(at, 20.0 * f64::from(at as u32 % 3), 300.0 * f64::from(at as u32 / 3)));
    let stream = |y: f64| Barrier {
        row: 1,
        kind: Kind::Water,
        lines: vec![],
        polygons: vec![vec![rectangle(-900.0, y, 900.0, y + 100.0)]],
    };
    let mut input = Input {
        dwellings: dwellings.collect(),
        barriers: vec![stream(100.0), stream(400.0)],
        ..Input::default()
    };
    let banks = |input: &Input| {
        parts_of(&build(input).unwrap(), |edge| !edge.barrier)
            .into_iter()
            .collect::<BTreeSet<_>>()
            .len()
    };
    assert_eq!(banks(&input), 3);
    input.bridges.push(Bridge {
        row: 1,
        over: Kind::Water,
        line: vec![[10.0, -50.0], [10.0, 90.0], [12.0, 300.0], [10.0, 700.0]],
    });
    assert_eq!(banks(&input), 1);
    assert_eq!(build(&input).unwrap().bridged, 2);
}

#[test]
fn streets_and_compounds_weigh_more() {
    let dwellings =
        (0..4).flat_map(|at| (0..4).map(move |row| dwelling(at * 4 + row, at as f64 * 20.0, row as f64 * 20.0)));
    let street = |street: u32, y: f64| Street {
        street,
        line: vec![[-10.0, y], [90.0, y]],
    };
    let ground = build(&Input {
        dwellings: dwellings.collect(),
        streets: vec![street(7, 10.0), street(8, 50.0)],
        compounds: vec![area_of(1, vec![vec![rectangle(30.0, -10.0, 70.0, 70.0)]])],
        ..Input::default()
    })
    .unwrap();
    let w = |u: usize, v: usize| ground.edges.iter().find(|edge| (edge.u, edge.v) == (u, v)).unwrap().w;
    assert_eq!((w(0, 1), w(1, 2), w(2, 3)), (W_TOGETHER, W_PLAIN, W_TOGETHER));
    assert_eq!(w(9, 10), W_TOGETHER);
    assert_eq!(ground.units[9].compound, Some(0));
    assert_eq!(ground.units[3].street, Some(8));
}

#[test]
fn bad_rows_are_named_mended_or_left_out() {
    let mut bow = dwelling(4, 0.0, 0.0);
    bow.outline = vec![vec![vec![[50.0, 50.0], [60.0, 60.0], [60.0, 50.0], [50.0, 60.0]]]];
    let mut flat = dwelling(5, 0.0, 0.0);
    flat.outline = vec![vec![vec![[10.0, 60.0], [20.0, 60.0], [10.0, 60.0]]]];
    let mut hollow = dwelling(6, 0.0, 0.0);
    hollow.at = None;
    let dwellings = vec![
        dwelling(1, f64::NAN, 3.0),
        dwelling(2, 20.0, 20.0),
        dwelling(3, 20.0, 20.0),
        bow,
        flat,
        hollow,
        dwelling(7, 110.0, 50.0),
        dwelling(8, 500.0, 100.0),
        dwelling(9, 82.0, 50.0),
        dwelling(10, 95.0, 95.0),
    ];
    let lake = Barrier {
        row: 1,
        kind: Kind::Water,
        lines: vec![],
        polygons: vec![vec![rectangle(80.0, 30.0, 95.0, 70.0)]],
    };
    let communities = vec![
        area_of(1, vec![vec![rectangle(0.0, 0.0, 100.0, 100.0)]]),
        area_of(2, vec![vec![rectangle(90.0, 90.0, 140.0, 140.0)]]),
        area_of(3, vec![vec![rectangle(0.0, 0.0, 0.0, 140.0)]]),
        area_of(4, vec![vec![vec![[0.0, f64::INFINITY], [1.0, 1.0], [2.0, 1.0]]]]),
    ];
    let ground = build(&Input {
        dwellings,
        communities,
        barriers: vec![lake],
        ..Input::default()
    })
    .unwrap();
    let told: Vec<String> = ground
        .notes
        .iter()
        .map(|note| format!("{:?} {} {:?}", note.layer, note.row, note.trouble))
        .collect();
    let expected = [
        "Dwellings 1 NoPosition",
        "Dwellings 3 SamePlace { other: 2 }",
        "Dwellings 4 Crossing",
        "Dwellings 5 NoArea",
        "Dwellings 6 NoPosition",
        "Dwellings 7 JustOutside { metres: 10.0 }",
        "Dwellings 8 Outside { metres: 360.0 }",
        "Dwellings 9 InWater { metres: 2.0 }",
        "Dwellings 10 InTwo { other: 2 }",
        "Communities 3 NoArea",
        "Communities 4 NoPosition",
    ];
    assert_eq!(told, expected);
    let rows: Vec<usize> = ground.units.iter().map(|unit| unit.dwelling + 1).collect();
    assert_eq!(rows, [2, 3, 4, 5, 7, 9, 10]);
    assert!((ground.units.iter().map(|unit| unit.area).sum::<f64>() - 10_000.0).abs() < 1e-6);
    let part = parts_of(&ground, |edge| !edge.barrier);
    assert!(part.iter().all(|part| *part == 0), "{part:?}");
}

#[test]
fn nothing_to_work_with_is_said() {
    assert_eq!(build(&Input::default()), Err(Refused::NoDwellings));
    let communities = vec![area_of(1, vec![])];
    let input = Input {
        dwellings: vec![dwelling(1, 0.0, 0.0)],
        communities,
        ..Input::default()
    };
    assert_eq!(build(&input), Err(Refused::NoCommunities));
    let alone = Input {
        dwellings: vec![dwelling(1, 7.0, 7.0)],
        ..Input::default()
    };
    let ground = build(&alone).unwrap();
    assert!(ground.edges.is_empty() && ground.units[0].area > 7000.0);
}

/// Many at one place, all on one line, and a lattice where four always meet: the cases that trip up diagrams.
#[test]
fn degenerate_places_are_survived() {
    let same = (0..3000).map(|row| dwelling(row, 5.0, 5.0));
    let line = (0..500).map(|row| dwelling(row, row as f64 * 3.0, row as f64));
    let lattice = (0..30).flat_map(|x| (0..30).map(move |y| dwelling(x * 30 + y, x as f64 * 10.0, y as f64 * 10.0)));
    let sets: [Vec<Dwelling>; 3] = [same.collect(), line.collect(), lattice.collect()];
    for (dwellings, neighbours) in sets.into_iter().zip([None, Some(499), Some(2 * 29 * 30)]) {
        let count = dwellings.len();
        let ground = build(&Input {
            dwellings,
            ..Input::default()
        })
        .unwrap();
        assert_eq!(ground.units.len(), count);
        assert!(ground.units.iter().all(|unit| unit.area > 0.0));
        assert!(parts_of(&ground, |_| true).iter().all(|part| *part == 0));
        if let Some(neighbours) = neighbours {
            assert_eq!(ground.edges.len(), neighbours);
        }
    }
}

/// A town of slabs in blocks with roads between, its buildings shifted as the map datum shifts them.
#[test]
fn a_systematic_shift_is_found_and_estimated() {
    let mut roads: Vec<Vec<Point>> = Vec::new();
    let (mut east, mut north, mut dice) = (0.0, 0.0, 7u32);
    for _ in 0..20 {
        // Not evenly spaced: even blocks would fit again one block further.
        let mut next = || {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            90.0 + f64::from(dice >> 25)
        };
        (east, north) = (east + next(), north + next());
        roads.push(vec![[0.0, north], [2700.0, north]]);
        roads.push(vec![[east, 0.0], [east, 2700.0]]);
    }
    let on_road = |x: f64, y: f64| {
        roads.iter().any(|line| {
            let level = line[0][1] == line[1][1];
            if level {
                (y - line[0][1]).abs() < 14.0
            } else {
                (x - line[0][0]).abs() < 22.0
            }
        })
    };
    let mut dwellings = Vec::new();
    for x in 0..70 {
        for y in 0..100 {
            let (x, y) = (f64::from(x) * 38.0, f64::from(y) * 26.0);
            if !on_road(x, y) {
                dwellings.push(block(dwellings.len(), x, y, 30.0, 14.0, 0.0));
            }
        }
    }
    let estimate = |east: f64, north: f64| {
        let moved = |ring: &Ring| -> Ring { ring.iter().map(|p| [p[0] + east, p[1] + north]).collect() };
        let all: Vec<Vec<Polygon>> = dwellings
            .iter()
            .map(|one| vec![vec![moved(&one.outline[0][0])]])
            .collect();
        let borrowed: Vec<(Point, &[Polygon])> = all
            .iter()
            .map(|outline| (outline[0][0][0], outline.as_slice()))
            .collect();
        systematic_shift(&borrowed, &roads)
    };
    assert_eq!(estimate(0.0, 0.0), None);
    let found = estimate(430.0, -210.0).unwrap();
    assert!(distance([found.east, found.north], [-430.0, 210.0]) < 25.0, "{found:?}");
}

/// How long a city takes: `cargo test -p solver --test ground -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn a_city_of_a_hundred_thousand_buildings() {
    let mut dice = 1u32;
    let mut next = |least: f64, most: f64| {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        least + (most - least) * f64::from(dice >> 8) / f64::from(1u32 << 24)
    };
    let mut dwellings = Vec::new();
    for x in 0..400 {
        for y in 0..250 {
            let (x, y) = (
                f64::from(x) * 40.0 + next(-8.0, 8.0),
                f64::from(y) * 36.0 + next(-8.0, 8.0),
            );
            dwellings.push(block(
                dwellings.len(),
                x,
                y,
                next(8.0, 36.0),
                next(6.0, 14.0),
                next(0.0, 0.4),
            ));
        }
    }
    let lines = |step: f64| {
        let level = (0..(9000.0 / step) as usize)
            .map(move |k| vec![[-50.0, k as f64 * step + 17.0], [16_100.0, k as f64 * step + 17.0]]);
        level.chain(
            (0..(16_000.0 / step) as usize)
                .map(move |k| vec![[k as f64 * step + 19.0, -50.0], [k as f64 * step + 19.0, 9100.0]]),
        )
    };
    let communities = (0..20).flat_map(|x| {
        (0..10).map(move |y| {
            let (w, s) = (f64::from(x) * 800.0 - 20.0, f64::from(y) * 900.0 - 20.0);
            area_of(1, vec![vec![rectangle(w, s, w + 800.0, s + 900.0)]])
        })
    });
    let bends = (-10..920).map(|k| [8000.0 + 900.0 * (f64::from(k) / 130.0).sin(), f64::from(k) * 10.0]);
    let roads = Barrier {
        row: 2,
        kind: Kind::Road,
        lines: lines(1100.0).collect(),
        polygons: vec![],
    };
    let mut input = Input {
        dwellings,
        communities: communities.collect(),
        barriers: vec![river(bends.collect()), roads],
        streets: lines(200.0)
            .enumerate()
            .map(|(at, line)| Street {
                street: at as u32,
                line,
            })
            .collect(),
        ..Input::default()
    };
    for what in ["in 200 communities", "in one"] {
        let begin = std::time::Instant::now();
        let ground = build(&input).unwrap();
        let (units, edges) = (ground.units.len(), ground.edges.len());
        println!(
            "{what}: {units} units, {edges} edges, {} rounded, {:?}",
            ground.rounded,
            begin.elapsed()
        );
        input.communities.clear();
    }
}
