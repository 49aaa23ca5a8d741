//! Who borders whom inside one area: the Voronoi diagram of the dwellings' sites, cut along the area's border.
//!
//! Areas and lengths need no polygon. The border of the area is walked ring by ring through the cells of the diagram, noting where it passes from one
//! cell into the next; each border between two cells then knows where along it the inside begins and ends, and every area and length is a sum
//! over those pieces (Green's formula). How often the area winds round a corner of the diagram follows from the walk alone, so rounding can
//! shift a length by a hair but never turn inside into outside.

use super::plane::{Point, Polygon, along, bounds, cross, distance, dot, sides, signed_area, sub};
use spade::{DelaunayTriangulation, Point2, Triangulation};

/// What one area's walk found.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// Square metres of each owner.
    pub area: Vec<f64>,
    /// Metres of the area's own border that each owner has.
    pub external: Vec<f64>,
    /// Between the sites of two owners, first < second by owner: sites, metres.
    pub borders: Vec<(u32, u32, f64)>,
    /// Where asked for: stretches of every owner's rim, the owner to the left. Both owners of a border have the same stretch, one each way.
    pub rims: Vec<(u32, Point, Point)>,
}

/// Triangles of sites.
pub(super) struct Mesh {
    pub sites: Vec<Point>,
    /// Both ends, and the triangles left and right of the way from the first to the second.
    pub edges: Vec<Side>,
    /// Of each site, its edges: `around[begins[site]..begins[site + 1]]`.
    begins: Vec<u32>,
    around: Vec<u32>,
    /// Of each triangle the point as far from all three corners.
    centres: Vec<Point>,
}

pub(super) struct Side {
    pub ends: [u32; 2],
    faces: [Option<u32>; 2],
}

impl Mesh {
    /// Of sites of which no two are equal.
    pub fn new(sites: Vec<Point>) -> Mesh {
        let points = sites.iter().map(|p| Point2::new(p[0], p[1])).collect();
        // Only points that are not finite are refused, and those do not come this far.
        let made: DelaunayTriangulation<Point2<f64>> =
            DelaunayTriangulation::bulk_load_stable(points).unwrap_or_default();
        let mut centres = vec![[0.0; 2]; made.num_all_faces()];
        for face in made.inner_faces() {
            let [a, b, c] = face.vertices().map(|vertex| sites[vertex.fix().index()]);
            centres[face.fix().index()] = equally_far(a, b, c);
        }
        let face_of = |face: Option<usize>| face.map(|at| at as u32);
        let edges: Vec<Side> = made
            .undirected_edges()
            .map(|edge| {
                let edge = edge.as_directed();
                let face = |edge: spade::handles::DirectedEdgeHandle<'_, _, _, _, _>| {
                    face_of(edge.face().as_inner().map(|face| face.fix().index()))
                };
                Side {
                    ends: [edge.from().fix().index() as u32, edge.to().fix().index() as u32],
                    faces: [face(edge), face(edge.rev())],
                }
            })
            .collect();
        let mut begins = vec![0u32; sites.len() + 1];
        for end in edges.iter().flat_map(|edge| edge.ends) {
            begins[end as usize + 1] += 1;
        }
        for site in 1..begins.len() {
            begins[site] += begins[site - 1];
        }
        let mut next = begins.clone();
        let mut around = vec![0u32; edges.len() * 2];
        for (at, edge) in edges.iter().enumerate() {
            for end in edge.ends {
                around[next[end as usize] as usize] = at as u32;
                next[end as usize] += 1;
            }
        }
        Mesh {
            sites,
            edges,
            begins,
            around,
            centres,
        }
    }

    /// The neighbours of a site: which edge, and which site.
    pub fn around(&self, site: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let list = self.begins[site as usize] as usize..self.begins[site as usize + 1] as usize;
        self.around[list].iter().map(move |at| {
            let [a, b] = self.edges[*at as usize].ends;
            (*at, if a == site { b } else { a })
        })
    }

    /// From a site to the one nearest to a point: each step goes to the neighbour nearest to it.
    fn towards(&self, mut site: u32, p: Point, mut step: impl FnMut(u32, u32)) -> u32 {
        let far = |site: u32| distance(self.sites[site as usize], p);
        loop {
            let nearest = self.around(site).min_by(|a, b| far(a.1).total_cmp(&far(b.1)));
            match nearest {
                Some((edge, next)) if far(next) < far(site) => {
                    step(edge, site);
                    site = next;
                }
                _ => return site,
            }
        }
    }
}

fn equally_far(a: Point, b: Point, c: Point) -> Point {
    let (u, v) = (sub(b, a), sub(c, a));
    let twice = 2.0 * cross(u, v);
    let (uu, vv) = (dot(u, u), dot(v, v));
    [
        a[0] + (v[1] * uu - u[1] * vv) / twice,
        a[1] + (u[0] * vv - v[0] * uu) / twice,
    ]
}

/// Where the area's border passes from one cell to the next: on which edge's Voronoi border, how far along it, and whether the inside begins
/// (+1) or ends (-1) there.
struct Passing {
    edge: u32,
    at: f64,
    turn: i32,
}

/// Cuts the cells of `mesh` along `polygons`, which must not cross themselves or each other. `owner` of each site; owners count from 0 to
/// `owners`.
pub(super) fn cut(mesh: &Mesh, owner: &[u32], owners: usize, polygons: &[Polygon], rims: bool) -> Cells {
    let mut cells = Cells {
        area: vec![0.0; owners],
        external: vec![0.0; owners],
        ..Cells::default()
    };
    let Some([w, s, _, _]) = bounds(polygons.iter().flatten().flatten()) else {
        return cells;
    };
    if mesh.sites.is_empty() {
        return cells;
    }
    let origin = [w, s];
    let mut passings = Vec::new();
    for polygon in polygons {
        for (nth, ring) in polygon.iter().enumerate() {
            // The inside is kept to the left: outer rings anticlockwise, holes clockwise.
            let mut ring = ring.clone();
            if (signed_area(&ring) > 0.0) != (nth == 0) {
                ring.reverse();
            }
            walk(mesh, &ring, &mut passings, |site, from, to| {
                let owner = owner[site as usize] as usize;
                cells.external[owner] += distance(from, to);
                cells.area[owner] += cross(sub(from, origin), sub(to, origin)) / 2.0;
                if rims {
                    cells.rims.push((owner as u32, from, to));
                }
            });
        }
    }
    passings.sort_by(|a, b| a.edge.cmp(&b.edge).then(a.at.total_cmp(&b.at)));
    let windings = windings(mesh, &passings);
    let mut rest = &passings[..];
    for (at, edge) in mesh.edges.iter().enumerate() {
        let own = rest.iter().take_while(|passing| passing.edge == at as u32).count();
        let (here, later) = rest.split_at(own);
        rest = later;
        let [a, b] = edge.ends;
        let (owner_a, owner_b) = (owner[a as usize], owner[b as usize]);
        if owner_a == owner_b {
            continue;
        }
        let (middle, normal) = border_line(mesh, a, b);
        let turn = cross(sub(middle, origin), normal) / 2.0;
        let mut length = 0.0;
        each_inside(mesh, edge, here, &windings, |from, to| {
            length += to - from;
            if rims {
                let place = |at: f64| [middle[0] + normal[0] * at, middle[1] + normal[1] * at];
                cells.rims.push((owner_a, place(from), place(to)));
                cells.rims.push((owner_b, place(to), place(from)));
            }
        });
        if length <= 0.0 {
            continue;
        }
        cells.area[owner_a as usize] += turn * length;
        cells.area[owner_b as usize] -= turn * length;
        let pair = if owner_a < owner_b { (a, b) } else { (b, a) };
        cells.borders.push((pair.0, pair.1, length));
    }
    cells
}

/// The line as far from both sites: its middle, and its direction, which has the first site to its left.
fn border_line(mesh: &Mesh, a: u32, b: u32) -> (Point, Point) {
    let (a, b) = (mesh.sites[a as usize], mesh.sites[b as usize]);
    let d = sub(b, a);
    let length = dot(d, d).sqrt();
    (along(a, b, 0.5), [-d[1] / length, d[0] / length])
}

/// How far along its line a Voronoi border begins and ends; endless at the rim.
fn extent(mesh: &Mesh, edge: &Side) -> (f64, f64) {
    let (middle, normal) = border_line(mesh, edge.ends[0], edge.ends[1]);
    let place = |face: u32| dot(sub(mesh.centres[face as usize], middle), normal);
    let end = edge.faces[0].map_or(f64::INFINITY, place);
    let begin = edge.faces[1].map_or(f64::NEG_INFINITY, place);
    if begin <= end {
        (begin, end)
    } else {
        let between = (begin + end) / 2.0;
        (between, between)
    }
}

/// Walks a closed ring through the cells. `piece` gets every stretch that lies in one cell.
fn walk(mesh: &Mesh, ring: &[Point], passings: &mut Vec<Passing>, mut piece: impl FnMut(u32, Point, Point)) {
    let Some(start) = ring.first() else { return };
    let mut pass = |edge: u32, from: u32, p: Point| {
        let side = &mesh.edges[edge as usize];
        let (middle, normal) = border_line(mesh, side.ends[0], side.ends[1]);
        let (begin, end) = extent(mesh, side);
        passings.push(Passing {
            edge,
            at: dot(sub(p, middle), normal).clamp(begin, end),
            turn: if side.ends[0] == from { 1 } else { -1 },
        });
    };
    let first = mesh.towards(0, *start, |_, _| {});
    let mut site = first;
    for (a, b) in sides(ring) {
        let way = sub(b, a);
        let (mut at, mut from) = (0.0, a);
        loop {
            let here = mesh.sites[site as usize];
            let mut next: Option<(f64, u32, u32)> = None;
            for (edge, other) in mesh.around(site) {
                let there = mesh.sites[other as usize];
                let gain = dot(way, sub(there, here));
                if gain <= 0.0 {
                    continue;
                }
                // Where the way is as far from the other site as from this one.
                let equal = dot(sub(along(here, there, 0.5), a), sub(there, here)) / gain;
                if next.is_none_or(|(least, _, _)| equal < least) {
                    next = Some((equal, edge, other));
                }
            }
            match next {
                Some((equal, edge, other)) if equal < 1.0 => {
                    at = equal.max(at);
                    let to = along(a, b, at);
                    piece(site, from, to);
                    pass(edge, site, to);
                    (site, from) = (other, to);
                }
                _ => break,
            }
        }
        piece(site, from, b);
    }
    // A ring that begins on a border between cells may end on its other side.
    if site != first {
        let target = mesh.sites[first as usize];
        mesh.towards(site, target, |edge, from| pass(edge, from, *start));
    }
}

/// How often the area winds round each triangle's centre: from the endless outside, where it is 0, over every edge by what passed there.
fn windings(mesh: &Mesh, passings: &[Passing]) -> Vec<i32> {
    let mut net = vec![0i32; mesh.edges.len()];
    for passing in passings {
        net[passing.edge as usize] += passing.turn;
    }
    let mut found: Vec<Option<i32>> = vec![None; mesh.centres.len()];
    let mut of_face: Vec<Vec<u32>> = vec![Vec::new(); mesh.centres.len()];
    let mut queue = Vec::new();
    for (at, edge) in mesh.edges.iter().enumerate() {
        for face in edge.faces.into_iter().flatten() {
            of_face[face as usize].push(at as u32);
        }
        match edge.faces {
            [Some(face), None] if found[face as usize].is_none() => {
                found[face as usize] = Some(net[at]);
                queue.push(face);
            }
            [None, Some(face)] if found[face as usize].is_none() => {
                found[face as usize] = Some(-net[at]);
                queue.push(face);
            }
            _ => {}
        }
    }
    while let Some(face) = queue.pop() {
        let here = found[face as usize].unwrap_or(0);
        for at in &of_face[face as usize] {
            let [left, right] = mesh.edges[*at as usize].faces;
            let (Some(left), Some(right)) = (left, right) else {
                continue;
            };
            let (other, winding) = if left == face {
                (right, here - net[*at as usize])
            } else {
                (left, here + net[*at as usize])
            };
            if found[other as usize].is_none() {
                found[other as usize] = Some(winding);
                queue.push(other);
            }
        }
    }
    found.into_iter().map(|winding| winding.unwrap_or(0)).collect()
}

/// The stretches of a Voronoi border that lie inside: where along it they begin and end.
fn each_inside(mesh: &Mesh, edge: &Side, passings: &[Passing], windings: &[i32], mut each: impl FnMut(f64, f64)) {
    let mut winding = edge.faces[1].map_or(0, |face| windings[face as usize]);
    if passings.is_empty() && winding <= 0 {
        return;
    }
    let (begin, end) = extent(mesh, edge);
    let mut from = begin;
    let turns = passings.iter().map(|passing| (passing.at, passing.turn));
    for (to, turn) in turns.chain([(end, 0)]) {
        if winding > 0 && to > from {
            each(from, to);
        }
        winding += turn;
        from = to;
    }
}
